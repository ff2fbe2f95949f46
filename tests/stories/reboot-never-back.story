# A host that does not come back from its reboot is not waited for for ever.
vms 1
up
reboot n1
run 960
