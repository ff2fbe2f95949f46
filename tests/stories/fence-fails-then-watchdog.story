# The fence device does not answer: after two failures the watchdog's expiry is believed instead.
fence all
watchdog all
up
fence-device n1 fails
power-off n1
run 120
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > fence-device n1 fails
     0.000 --   > power-off n1
     0.000 n1   power off: cut
     0.000 --   > run 120
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     1.986 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.986 n2   fence agent for n1 is called
    12.236 n2   fence agent for n1: the device does not answer
    12.238 n3   | node n1: fencing failed: the device does not answer
    12.241 n3   | node n1: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
    12.241 n3   fence agent for n1 is called
    22.491 n3   fence agent for n1: the device does not answer
    22.493 n3   | node n1: fencing failed: the device does not answer
    22.496 n3   | node n1: no proof that it is off; waiting for its leases to expire: its fence device fails; its watchdog guards its leases, so their expiry is waited for
    22.498 n3   | vm vm0: placed on n2
    24.320 n3   | vm vm0: waits for its lease on n2: its holder may be dead
    32.496 n3   | node n1: being fenced by n2 with fence_sim: its fence device is tried again
    32.496 n2   fence agent for n1 is called
    42.746 n2   fence agent for n1: the device does not answer
    42.748 n3   | node n1: fencing failed: the device does not answer
    42.751 n3   | node n1: no proof that it is off; waiting for its leases to expire: its fence device fails; its watchdog guards its leases, so their expiry is waited for
    52.751 n3   | node n1: being fenced by n3 with fence_sim: its fence device is tried again
    52.751 n3   fence agent for n1 is called
    63.001 n3   fence agent for n1: the device does not answer
    63.004 n3   | node n1: fencing failed: the device does not answer
    63.006 n3   | node n1: no proof that it is off; waiting for its leases to expire: its fence device fails; its watchdog guards its leases, so their expiry is waited for
    67.531 n2   QEMU of vm0 starts
    67.608 n3   | vm vm0: runs on n2
    73.006 n3   | node n1: being fenced by n2 with fence_sim: its fence device is tried again
    73.006 n2   fence agent for n1 is called
    83.256 n2   fence agent for n1: the device does not answer
    83.258 n3   | node n1: fencing failed: the device does not answer
    83.261 n3   | node n1: no proof that it is off; waiting for its leases to expire: its fence device fails; its watchdog guards its leases, so their expiry is waited for
    93.261 n3   | node n1: being fenced by n3 with fence_sim: its fence device is tried again
    93.261 n3   fence agent for n1 is called
   103.511 n3   fence agent for n1: the device does not answer
   103.514 n3   | node n1: fencing failed: the device does not answer
   103.516 n3   | node n1: no proof that it is off; waiting for its leases to expire: its fence device fails; its watchdog guards its leases, so their expiry is waited for
   113.516 n3   | node n1: being fenced by n2 with fence_sim: its fence device is tried again
   113.516 n2   fence agent for n1 is called
   120.000 --   > power-on n1
   120.000 --   > wait settle
   123.766 n2   fence agent for n1: the device does not answer
   123.768 n3   | node n1: fencing failed: the device does not answer
   123.771 n3   | node n1: no proof that it is off; waiting for its leases to expire: its fence device fails; its watchdog guards its leases, so their expiry is waited for
   127.000 n1   booted
   127.425 n1   sanlock runs
   127.550 n1   corosync runs
   127.800 n1   clusterd starts
   128.401 n1   | vm vm0: lease being written on volume d0
   128.401 n1   | vm vm0: lease written on volume d0
   128.401 n1   | vm vm0: placed on n1
   128.401 n1   | vm vm0: runs on n1
   128.401 n1   | view 2: n2, n3
   128.401 n1   | node n1: lost: it left corosync's membership
   128.401 n1   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
   128.405 n2   | view 3: n1, n2, n3
   128.407 n2   | node n1: back: it takes part again
   128.411 n2   | node n1: guarded by a watchdog
