# A host that reboots keeps its VMs: they wait for it, and nobody else starts them; a host that is
# switched off gives them away.
vms 2
up
reboot n1
run 60
power-on n1
wait settle
shut-down n1
run 60
power-on n1
wait settle
