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
    35.556 n2   QEMU of vm0 has handed its guest over
    35.559 n1   guest of vm0 continues
    35.561 n2   | vm vm0: continues on n1
    35.591 n2   QEMU of vm0 ends: killed
    35.621 n2   | vm vm0: moved to n1
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
    72.342 n2   QEMU of vm0 has handed its guest over
    72.345 n1   guest of vm0 continues
    72.347 n2   | vm vm0: continues on n1
    72.377 n2   QEMU of vm0 ends: killed
    72.407 n2   | vm vm0: moved to n1
    72.542 --   > vm migrate vm0 to n2
    72.542 --   > wait sending vm0 device
    72.545 n1   move vm0: done
    72.545 n1   | vm vm0: to be moved to n2 (live)
    72.547 n1   | vm vm0: live migration from n1 to n2
    72.614 n2   QEMU of vm0 waits for it
    72.692 n2   | vm vm0: memory is being sent to n2
    73.545 n1   migration of vm0 begins
    74.578 --   > power-off n1
    74.578 n1   power off: cut
    74.578 --   > run 15
    76.559 n3   | view 6: n2, n3
    76.561 n3   | node n1: lost: it left corosync's membership
    76.565 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    76.566 n2   fence agent for n1 is called
    76.592 n2   QEMU of vm0 ends: killed
    77.066 n2   fence agent for n1: off
    77.068 n3   | node n1: fenced, it is off
    77.108 n2   releases the host id of n1 on d0
    77.110 n3   | node n1: its claims are released
    77.113 n3   | vm vm0: placed on n2
    77.147 n2   QEMU of vm0 starts
    77.224 n3   | vm vm0: runs on n2
    89.578 --   > power-on n1
    89.578 --   > wait settle
    96.578 n1   booted
    97.003 n1   sanlock runs
    97.128 n1   corosync runs
    97.378 n1   clusterd starts
    97.983 n2   | view 7: n1, n2, n3
    97.986 n1   | node n1: back: it takes part again
    97.989 n1   | node n1: guarded by a watchdog
    98.078 --   > run 10
   108.078 --   > vm migrate vm0 to n1
   108.078 --   > wait settle
   108.080 n2   | vm vm0: to be moved to n1 (live)
   108.081 n1   move vm0: done
   108.083 n2   | vm vm0: live migration from n2 to n1
   108.151 n1   QEMU of vm0 waits for it
   108.228 n2   | vm vm0: memory is being sent to n1
   109.080 n2   migration of vm0 begins
   110.128 n2   QEMU of vm0 has handed its guest over
   110.131 n1   guest of vm0 continues
   110.133 n2   | vm vm0: continues on n1
   110.163 n2   QEMU of vm0 ends: killed
   110.193 n2   | vm vm0: moved to n1
   110.328 --   > vm migrate vm0 to n2
   110.328 --   > wait sending vm0 completed
   110.331 n1   move vm0: done
   110.331 n1   | vm vm0: to be moved to n2 (live)
   110.333 n1   | vm vm0: live migration from n1 to n2
   110.400 n2   QEMU of vm0 waits for it
   110.478 n2   | vm vm0: memory is being sent to n2
   111.331 n1   migration of vm0 begins
   112.379 n1   QEMU of vm0 has handed its guest over
   112.379 --   > power-off n1
   112.379 n1   power off: cut
   112.379 --   > run 15
   112.381 n2   guest of vm0 continues
   114.360 n3   | view 8: n2, n3
   114.363 n3   | vm vm0: continues on n2
   114.364 n3   | node n1: lost: it left corosync's membership
   114.367 n3   | node n1: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
   114.367 n3   fence agent for n1 is called
   114.867 n3   fence agent for n1: off
   114.869 n3   | node n1: fenced, it is off
   114.910 n2   releases the host id of n1 on d0
   114.912 n3   | node n1: its claims are released
   114.926 n3   | vm vm0: moved to n2
   127.379 --   > power-on n1
   127.379 --   > wait settle
   134.379 n1   booted
   134.804 n1   sanlock runs
   134.929 n1   corosync runs
   135.179 n1   clusterd starts
   135.785 n2   | view 9: n1, n2, n3
   135.787 n1   | node n1: back: it takes part again
   135.790 n1   | node n1: guarded by a watchdog
   135.879 --   > run 10
