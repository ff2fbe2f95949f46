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
    35.811 n2   | vm vm0: continues on n1
    35.841 n2   QEMU of vm0 ends: killed
    35.871 n2   | vm vm0: moved to n1
    36.006 --   > vm migrate vm0 to n2
    36.006 --   > wait sending vm0 active
    36.009 n1   move vm0: done
    36.009 n1   | vm vm0: to be moved to n2 (live)
    36.011 n1   | vm vm0: live migration from n1 to n2
    36.078 n2   QEMU of vm0 waits for it
    36.156 n2   | vm vm0: memory is being sent to n2
    37.009 n1   migration of vm0 begins
    37.042 --   > power-off n1
    37.042 n1   power off: cut
    37.042 --   > run 15
    39.023 n3   | view 4: n2, n3
    39.025 n3   | node n1: lost: it left corosync's membership
    39.029 n3   | node n1: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
    39.029 n3   fence agent for n1 is called
    39.056 n2   QEMU of vm0 ends: killed
    39.529 n3   fence agent for n1: off
    39.532 n3   | node n1: fenced, it is off
    39.572 n2   releases the host id of n1 on d0
    39.574 n3   | node n1: its claims are released
    39.577 n3   | vm vm0: placed on n2
    39.611 n2   QEMU of vm0 starts
    39.688 n3   | vm vm0: runs on n2
    52.042 --   > power-on n1
    52.042 --   > wait settle
    59.042 n1   booted
    59.467 n1   sanlock runs
    59.592 n1   corosync runs
    59.842 n1   clusterd starts
    60.447 n2   | view 5: n1, n2, n3
    60.450 n1   | node n1: back: it takes part again
    60.453 n1   | node n1: guarded by a watchdog
    60.542 --   > run 10
    70.542 --   > vm migrate vm0 to n1
    70.542 --   > wait settle
    70.544 n2   | vm vm0: to be moved to n1 (live)
    70.545 n1   move vm0: done
    70.547 n2   | vm vm0: live migration from n2 to n1
    70.615 n1   QEMU of vm0 waits for it
    70.692 n2   | vm vm0: memory is being sent to n1
    71.544 n2   migration of vm0 begins
    72.592 n2   QEMU of vm0 has handed its guest over
    72.595 n1   guest of vm0 continues
    72.847 n2   | vm vm0: continues on n1
    72.877 n2   QEMU of vm0 ends: killed
    72.907 n2   | vm vm0: moved to n1
    73.042 --   > vm migrate vm0 to n2
    73.042 --   > wait sending vm0 device
    73.045 n1   move vm0: done
    73.045 n1   | vm vm0: to be moved to n2 (live)
    73.047 n1   | vm vm0: live migration from n1 to n2
    73.114 n2   QEMU of vm0 waits for it
    73.192 n2   | vm vm0: memory is being sent to n2
    74.045 n1   migration of vm0 begins
    75.078 --   > power-off n1
    75.078 n1   power off: cut
    75.078 --   > run 15
    77.059 n3   | view 6: n2, n3
    77.061 n3   | node n1: lost: it left corosync's membership
    77.065 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    77.066 n2   fence agent for n1 is called
    77.092 n2   QEMU of vm0 ends: killed
    77.566 n2   fence agent for n1: off
    77.568 n3   | node n1: fenced, it is off
    77.608 n2   releases the host id of n1 on d0
    77.610 n3   | node n1: its claims are released
    77.613 n3   | vm vm0: placed on n2
    77.647 n2   QEMU of vm0 starts
    77.724 n3   | vm vm0: runs on n2
    90.078 --   > power-on n1
    90.078 --   > wait settle
    97.078 n1   booted
    97.503 n1   sanlock runs
    97.628 n1   corosync runs
    97.878 n1   clusterd starts
    98.483 n2   | view 7: n1, n2, n3
    98.486 n1   | node n1: back: it takes part again
    98.489 n1   | node n1: guarded by a watchdog
    98.578 --   > run 10
   108.578 --   > vm migrate vm0 to n1
   108.578 --   > wait settle
   108.580 n2   | vm vm0: to be moved to n1 (live)
   108.581 n1   move vm0: done
   108.583 n2   | vm vm0: live migration from n2 to n1
   108.651 n1   QEMU of vm0 waits for it
   108.728 n2   | vm vm0: memory is being sent to n1
   109.580 n2   migration of vm0 begins
   110.628 n2   QEMU of vm0 has handed its guest over
   110.631 n1   guest of vm0 continues
   110.883 n2   | vm vm0: continues on n1
   110.913 n2   QEMU of vm0 ends: killed
   110.943 n2   | vm vm0: moved to n1
   111.078 --   > vm migrate vm0 to n2
   111.078 --   > wait sending vm0 completed
   111.081 n1   move vm0: done
   111.081 n1   | vm vm0: to be moved to n2 (live)
   111.083 n1   | vm vm0: live migration from n1 to n2
   111.150 n2   QEMU of vm0 waits for it
   111.228 n2   | vm vm0: memory is being sent to n2
   112.081 n1   migration of vm0 begins
   113.129 n1   QEMU of vm0 has handed its guest over
   113.129 --   > power-off n1
   113.129 n1   power off: cut
   113.129 --   > run 15
   113.131 n2   guest of vm0 continues
   115.110 n3   | view 8: n2, n3
   115.113 n3   | vm vm0: continues on n2
   115.114 n3   | node n1: lost: it left corosync's membership
   115.117 n3   | node n1: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
   115.117 n3   fence agent for n1 is called
   115.617 n3   fence agent for n1: off
   115.619 n3   | node n1: fenced, it is off
   115.660 n2   releases the host id of n1 on d0
   115.662 n3   | node n1: its claims are released
   115.676 n3   | vm vm0: moved to n2
   128.129 --   > power-on n1
   128.129 --   > wait settle
   135.129 n1   booted
   135.554 n1   sanlock runs
   135.679 n1   corosync runs
   135.929 n1   clusterd starts
   136.535 n2   | view 9: n1, n2, n3
   136.537 n1   | node n1: back: it takes part again
   136.540 n1   | node n1: guarded by a watchdog
   136.629 --   > run 10
