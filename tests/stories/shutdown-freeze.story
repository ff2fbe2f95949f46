# With the policy freeze VMs wait for their host also when it was switched off; who wants one elsewhere
# says so.
shutdown freeze
vms 3
up
shut-down n1
run 1200
vm start vm0
run 30
power-on n1
wait settle
