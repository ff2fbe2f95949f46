# With the policy migrate VMs leave a host that goes down, and come back with it.
shutdown migrate
vms 3
up
reboot n1
run 60
power-on n1
wait settle
run 30
