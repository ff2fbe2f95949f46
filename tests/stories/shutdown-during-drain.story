# A drain goes on to its end before its host goes down, whatever the policy is.
shutdown freeze
vms 4
up
node drain n1
run 0.5
reboot n1
run 60
power-on n1
wait settle
node undrain n1
wait settle
