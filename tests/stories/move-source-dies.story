# The source's power is cut in each stage. Until it renounced, its guest is started anew; what the target continued, runs.
fence all
watchdog all
up
vm migrate vm0 to n2
wait stage vm0 prepare
power-off n1
run 15
power-on n1
wait settle
run 10
vm migrate vm0 to n1
wait settle
vm migrate vm0 to n2
wait sending vm0 active
power-off n1
run 15
power-on n1
wait settle
run 10
vm migrate vm0 to n1
wait settle
vm migrate vm0 to n2
wait sending vm0 device
power-off n1
run 15
power-on n1
wait settle
run 10
vm migrate vm0 to n1
wait settle
vm migrate vm0 to n2
wait sending vm0 completed
power-off n1
run 15
power-on n1
wait settle
run 10
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait stage vm0 prepare
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (live)
     0.005 n1   | vm vm0: live migration from n1 to n2
     0.006 --   > power-off n1
     0.006 n1   power off: cut
     0.006 --   > run 15
     1.987 n3   | view 2: n2, n3
     1.989 n3   | node n1: lost: it left corosync's membership
     1.993 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.994 n2   fence agent for n1 is called
     2.494 n2   fence agent for n1: off
     2.496 n3   | node n1: fenced, it is off
     2.536 n2   releases the host id of n1 on d0
     2.538 n3   | node n1: its claims are released
     2.541 n3   | vm vm0: placed on n2
     2.575 n2   QEMU of vm0 starts
     2.652 n3   | vm vm0: runs on n2
    15.006 --   > power-on n1
    15.006 --   > wait settle
    22.006 n1   booted
    22.431 n1   sanlock runs
    22.556 n1   corosync runs
    22.806 n1   clusterd starts
    23.407 n1   | vm vm0: lease being written on volume d0
    23.407 n1   | vm vm0: lease written on volume d0
    23.407 n1   | vm vm0: placed on n1
    23.407 n1   | vm vm0: runs on n1
    23.407 n1   | vm vm0: to be moved to n2 (live)
    23.407 n1   | vm vm0: live migration from n1 to n2
    23.411 n2   | view 3: n1, n2, n3
    23.414 n1   | node n1: back: it takes part again
    23.417 n1   | node n1: guarded by a watchdog
    23.506 --   > run 10
    33.506 --   > vm migrate vm0 to n1
    33.506 --   > wait settle
    33.508 n2   | vm vm0: to be moved to n1 (live)
    33.509 n1   move vm0: done
    33.511 n2   | vm vm0: live migration from n2 to n1
    33.579 n1   QEMU of vm0 waits for it
    33.656 n2   | vm vm0: memory is being sent to n1
    34.508 n2   migration of vm0 begins
    35.656 n2   QEMU of vm0 has handed its guest over
    35.659 n1   guest of vm0 continues
    35.661 n2   | vm vm0: continues on n1
    35.691 n2   QEMU of vm0 ends: killed
    35.721 n2   | vm vm0: moved to n1
    35.756 --   > vm migrate vm0 to n2
    35.756 --   > wait sending vm0 active
    35.759 n1   move vm0: done
    35.759 n1   | vm vm0: to be moved to n2 (live)
    35.761 n1   | vm vm0: live migration from n1 to n2
    35.828 n2   QEMU of vm0 waits for it
    35.906 n2   | vm vm0: memory is being sent to n2
    36.759 n1   migration of vm0 begins
    36.792 --   > power-off n1
    36.792 n1   power off: cut
    36.792 --   > run 15
    38.773 n3   | view 4: n2, n3
    38.775 n3   | node n1: lost: it left corosync's membership
    38.779 n3   | node n1: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
    38.779 n3   fence agent for n1 is called
    38.806 n2   QEMU of vm0 ends: killed
    39.279 n3   fence agent for n1: off
    39.282 n3   | node n1: fenced, it is off
    39.322 n2   releases the host id of n1 on d0
    39.324 n3   | node n1: its claims are released
    39.327 n3   | vm vm0: placed on n2
    39.361 n2   QEMU of vm0 starts
    39.438 n3   | vm vm0: runs on n2
    51.792 --   > power-on n1
    51.792 --   > wait settle
    58.792 n1   booted
    59.217 n1   sanlock runs
    59.342 n1   corosync runs
    59.592 n1   clusterd starts
    60.197 n2   | view 5: n1, n2, n3
    60.200 n1   | node n1: back: it takes part again
    60.203 n1   | node n1: guarded by a watchdog
    60.292 --   > run 10
    70.292 --   > vm migrate vm0 to n1
    70.292 --   > wait settle
    70.294 n2   | vm vm0: to be moved to n1 (live)
    70.295 n1   move vm0: done
    70.297 n2   | vm vm0: live migration from n2 to n1
    70.365 n1   QEMU of vm0 waits for it
    70.442 n2   | vm vm0: memory is being sent to n1
    71.294 n2   migration of vm0 begins
    72.442 n2   QEMU of vm0 has handed its guest over
    72.445 n1   guest of vm0 continues
    72.447 n2   | vm vm0: continues on n1
    72.477 n2   QEMU of vm0 ends: killed
    72.507 n2   | vm vm0: moved to n1
    72.542 --   > vm migrate vm0 to n2
    72.542 --   > wait sending vm0 device
    72.545 n1   move vm0: done
    72.545 n1   | vm vm0: to be moved to n2 (live)
    72.547 n1   | vm vm0: live migration from n1 to n2
    72.614 n2   QEMU of vm0 waits for it
    72.692 n2   | vm vm0: memory is being sent to n2
    73.545 n1   migration of vm0 begins
    74.678 --   > power-off n1
    74.678 n1   power off: cut
    74.678 --   > run 15
    76.659 n3   | view 6: n2, n3
    76.661 n3   | node n1: lost: it left corosync's membership
    76.665 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    76.666 n2   fence agent for n1 is called
    76.692 n2   QEMU of vm0 ends: killed
    77.166 n2   fence agent for n1: off
    77.168 n3   | node n1: fenced, it is off
    77.208 n2   releases the host id of n1 on d0
    77.210 n3   | node n1: its claims are released
    77.213 n3   | vm vm0: placed on n2
    77.247 n2   QEMU of vm0 starts
    77.324 n3   | vm vm0: runs on n2
    89.678 --   > power-on n1
    89.678 --   > wait settle
    96.678 n1   booted
    97.103 n1   sanlock runs
    97.228 n1   corosync runs
    97.478 n1   clusterd starts
    98.083 n2   | view 7: n1, n2, n3
    98.086 n1   | node n1: back: it takes part again
    98.089 n1   | node n1: guarded by a watchdog
    98.178 --   > run 10
   108.178 --   > vm migrate vm0 to n1
   108.178 --   > wait settle
   108.180 n2   | vm vm0: to be moved to n1 (live)
   108.181 n1   move vm0: done
   108.183 n2   | vm vm0: live migration from n2 to n1
   108.251 n1   QEMU of vm0 waits for it
   108.328 n2   | vm vm0: memory is being sent to n1
   109.180 n2   migration of vm0 begins
   110.328 n2   QEMU of vm0 has handed its guest over
   110.331 n1   guest of vm0 continues
   110.333 n2   | vm vm0: continues on n1
   110.363 n2   QEMU of vm0 ends: killed
   110.393 n2   | vm vm0: moved to n1
   110.428 --   > vm migrate vm0 to n2
   110.428 --   > wait sending vm0 completed
   110.431 n1   move vm0: done
   110.431 n1   | vm vm0: to be moved to n2 (live)
   110.433 n1   | vm vm0: live migration from n1 to n2
   110.500 n2   QEMU of vm0 waits for it
   110.578 n2   | vm vm0: memory is being sent to n2
   111.431 n1   migration of vm0 begins
   112.579 n1   QEMU of vm0 has handed its guest over
   112.579 --   > power-off n1
   112.579 n1   power off: cut
   112.579 --   > run 15
   112.581 n2   guest of vm0 continues
   114.560 n3   | view 8: n2, n3
   114.563 n3   | vm vm0: continues on n2
   114.564 n3   | node n1: lost: it left corosync's membership
   114.567 n3   | node n1: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
   114.567 n3   fence agent for n1 is called
   115.067 n3   fence agent for n1: off
   115.069 n3   | node n1: fenced, it is off
   115.110 n2   releases the host id of n1 on d0
   115.112 n3   | node n1: its claims are released
   115.126 n3   | vm vm0: moved to n2
   127.579 --   > power-on n1
   127.579 --   > wait settle
   134.579 n1   booted
   135.004 n1   sanlock runs
   135.129 n1   corosync runs
   135.379 n1   clusterd starts
   135.985 n2   | view 9: n1, n2, n3
   135.987 n1   | node n1: back: it takes part again
   135.990 n1   | node n1: guarded by a watchdog
   136.079 --   > run 10
