# A store that cannot be read is never guessed at: its node says so and stays out, its VMs are where they were safe, and with the
# store moved away it learns everything from the others.
nodes 3
vms 3
fence all
up
power-off n3
run 30
store log n3
power-on n3
run 60
states
power-off n3
run 20
store delete n3
power-on n3
run 60
wait settle
power-off n2
run 30
store snapshot n2
power-on n2
run 60
states
store delete n2
power-off n2
run 20
power-on n2
wait settle
power-off n3
run 30
store foreign n3
power-on n3
run 60
states
---
     0.000 --   all is well
     0.000 --   > power-off n3
     0.000 n3   power off: cut
     0.000 --   > run 30
     1.981 n2   | view 2: n1, n2
     1.983 n2   | node n3: lost: it left corosync's membership
     1.987 n2   | node n3: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.988 n1   fence agent for n3 is called
     2.488 n1   fence agent for n3: off
     2.490 n2   | node n3: fenced, it is off
     2.530 n1   releases the host id of n3 on d0
     2.532 n2   | node n3: its claims are released
     2.535 n2   | vm vm2: placed on n1
     2.569 n1   QEMU of vm2 starts
     2.646 n2   | vm vm2: runs on n1
    30.000 --   > store log n3
    30.000 --   > power-on n3
    30.000 --   > run 60
    37.000 n3   booted
    37.425 n3   sanlock runs
    37.550 n3   corosync runs
    37.800 n3   clusterd starts
    37.842 n3   | error: the store's log has a gap or a record that cannot be read; move the store away to reload it from the other nodes
    38.405 n2   | view 3: n1, n2
    40.825 n3   | warning: waiting: this node's store failed
    90.000 --   > states
    90.000 --     n1: online
    90.000 --     n2: online
    90.000 --     n3: offline
    90.000 --     vm0: running
    90.000 --     vm1: running
    90.000 --     vm2: running
    90.000 --     the view: normal
    90.000 --   > power-off n3
    90.000 n3   power off: cut
    90.000 --   > run 20
    91.981 n2   | view 4: n1, n2
   110.000 --   > store delete n3
   110.000 n3   store is deleted
   110.000 --   > power-on n3
   110.000 --   > run 60
   117.000 n3   booted
   117.425 n3   sanlock runs
   117.550 n3   corosync runs
   117.800 n3   clusterd starts
   118.405 n2   | view 5: n1, n2, n3
   118.408 n1   | node n3: back: it takes part again
   118.409 n2   | voters: n1, n2, n3
   118.411 n2   | node n3: no watchdog guards its leases; volume d0 offline
   118.556 n1   | node n3: volume d0 online
   170.000 --   > wait settle
   170.250 --   > power-off n2
   170.250 n2   power off: cut
   170.250 --   > run 30
   172.231 n3   | view 6: n1, n3
   172.233 n3   | node n2: lost: it left corosync's membership
   172.236 n3   | node n2: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
   172.236 n1   fence agent for n2 is called
   172.736 n1   fence agent for n2: off
   172.738 n3   | node n2: fenced, it is off
   172.779 n1   releases the host id of n2 on d0
   172.781 n3   | node n2: its claims are released
   172.783 n3   | vm vm1: placed on n3
   172.817 n3   QEMU of vm1 starts
   172.894 n3   | vm vm1: runs on n3
   200.250 --   > store snapshot n2
   200.250 --   > power-on n2
   200.250 --   > run 60
   207.250 n2   booted
   207.675 n2   sanlock runs
   207.800 n2   corosync runs
   208.050 n2   clusterd starts
   208.092 n2   | error: the store's snapshot cannot be read by this version; move the store away to reload it from the other nodes
   208.655 n3   | view 7: n1, n3
   211.075 n2   | warning: waiting: this node's store failed
   260.250 --   > states
   260.250 --     n1: online
   260.250 --     n2: offline
   260.250 --     n3: online
   260.250 --     vm0: running
   260.250 --     vm1: running
   260.250 --     vm2: running
   260.250 --     the view: normal
   260.250 --   > store delete n2
   260.250 n2   store is deleted
   260.250 --   > power-off n2
   260.250 n2   power off: cut
   260.250 --   > run 20
   262.231 n3   | view 8: n1, n3
   280.250 --   > power-on n2
   280.250 --   > wait settle
   287.250 n2   booted
   287.675 n2   sanlock runs
   287.800 n2   corosync runs
   288.050 n2   clusterd starts
   288.655 n3   | view 9: n1, n2, n3
   288.658 n3   | node n2: back: it takes part again
   288.659 n3   | voters: n1, n2, n3
   288.661 n2   | node n2: no watchdog guards its leases; volume d0 offline
   288.750 --   > power-off n3
   288.750 n3   power off: cut
   288.750 --   > run 30
   290.731 n2   | view 10: n1, n2
   290.733 n2   | node n3: lost: it left corosync's membership
   290.735 n2   | node n2: volume d0 online
   290.736 n2   | node n3: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
   290.736 n2   fence agent for n3 is called
   291.236 n2   fence agent for n3: off
   291.239 n2   | node n3: fenced, it is off
   291.279 n1   releases the host id of n3 on d0
   291.281 n2   | node n3: its claims are released
   291.284 n2   | vm vm1: placed on n2
   291.317 n2   QEMU of vm1 starts
   291.395 n2   | vm vm1: runs on n2
   318.750 --   > store foreign n3
   318.750 --   > power-on n3
   318.750 --   > run 60
   325.750 n3   booted
   326.175 n3   sanlock runs
   326.300 n3   corosync runs
   326.550 n3   clusterd starts
   327.155 n2   | view 11: n1, n2
   329.575 n3   | warning: waiting: this node's store is of another cluster; move it away to join this one
   378.750 --   > states
   378.750 --     n1: online
   378.750 --     n2: online
   378.750 --     n3: offline
   378.750 --     vm0: running
   378.750 --     vm1: running
   378.750 --     vm2: running
   378.750 --     the view: normal
