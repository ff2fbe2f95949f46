# The target's power is cut in each stage. Until the guest was continued there it runs on where it was; after it, it is
# started anew.
fence all
watchdog all
up
vm migrate vm0 to n2
wait stage vm0 prepare
power-off n2
run 15
power-on n2
wait settle
run 10
vm migrate vm0 to n2
wait sending vm0 active
power-off n2
run 15
power-on n2
wait settle
run 10
vm migrate vm0 to n2
wait sending vm0 device
power-off n2
run 15
power-on n2
wait settle
run 10
vm migrate vm0 to n2
wait stage vm0 cleanup
power-off n2
run 15
power-on n2
wait settle
run 10
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait stage vm0 prepare
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (live)
     0.005 n1   | vm vm0: live migration from n1 to n2
     0.006 --   > power-off n2
     0.006 n2   power off: cut
     0.006 --   > run 15
     1.987 n3   | view 2: n1, n3
     1.989 n3   | vm vm0: its move fails: its migration network does not answer
     1.991 n3   | node n2: lost: it left corosync's membership
     1.993 n3   | node n2: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.994 n1   fence agent for n2 is called
     2.494 n1   fence agent for n2: off
     2.496 n3   | node n2: fenced, it is off
     2.536 n1   releases the host id of n2 on d0
     2.538 n3   | node n2: its claims are released
     2.553 n3   | vm vm0: runs on as before on n1: its migration network does not answer
    15.006 --   > power-on n2
    15.006 --   > wait settle
    22.006 n2   booted
    22.431 n2   sanlock runs
    22.556 n2   corosync runs
    22.806 n2   clusterd starts
    23.411 n2   | view 3: n1, n2, n3
    23.414 n1   | node n2: back: it takes part again
    23.416 n1   | node n2: guarded by a watchdog
    23.506 --   > run 10
    33.506 --   > vm migrate vm0 to n2
    33.506 --   > wait sending vm0 active
    33.509 n1   move vm0: done
    33.509 n1   | vm vm0: to be moved to n2 (live)
    33.511 n1   | vm vm0: live migration from n1 to n2
    33.578 n2   QEMU of vm0 waits for it
    33.656 n2   | vm vm0: memory is being sent to n2
    34.509 n1   migration of vm0 begins
    34.542 --   > power-off n2
    34.542 n2   power off: cut
    34.542 --   > run 15
    36.523 n3   | view 4: n1, n3
    36.525 n3   | node n2: lost: it left corosync's membership
    36.526 n1   migration of vm0 ends: cancelled
    36.528 n3   | node n2: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
    36.528 n3   fence agent for n2 is called
    37.028 n3   fence agent for n2: off
    37.030 n3   | node n2: fenced, it is off
    37.071 n1   releases the host id of n2 on d0
    37.073 n3   | node n2: its claims are released
    37.087 n3   | vm vm0: runs on as before on n1: its target is lost: it runs on where it was, as soon as the target is proven to have ended
    49.542 --   > power-on n2
    49.542 --   > wait settle
    56.542 n2   booted
    56.967 n2   sanlock runs
    57.092 n2   corosync runs
    57.342 n2   clusterd starts
    57.947 n2   | view 5: n1, n2, n3
    57.950 n1   | node n2: back: it takes part again
    57.952 n1   | node n2: guarded by a watchdog
    58.042 --   > run 10
    68.042 --   > vm migrate vm0 to n2
    68.042 --   > wait sending vm0 device
    68.045 n1   move vm0: done
    68.045 n1   | vm vm0: to be moved to n2 (live)
    68.047 n1   | vm vm0: live migration from n1 to n2
    68.114 n2   QEMU of vm0 waits for it
    68.192 n2   | vm vm0: memory is being sent to n2
    69.045 n1   migration of vm0 begins
    70.078 --   > power-off n2
    70.078 n2   power off: cut
    70.078 --   > run 15
    72.059 n3   | view 6: n1, n3
    72.061 n3   | node n2: lost: it left corosync's membership
    72.064 n3   | node n2: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
    72.064 n1   fence agent for n2 is called
    72.564 n1   fence agent for n2: off
    72.566 n3   | node n2: fenced, it is off
    72.607 n1   releases the host id of n2 on d0
    72.609 n3   | node n2: its claims are released
    72.693 n1   migration of vm0 ends: the last reply did not come
    72.707 n3   | vm vm0: runs on as before on n1: its target is lost: it runs on where it was, as soon as the target is proven to have ended
    85.078 --   > power-on n2
    85.078 --   > wait settle
    92.078 n2   booted
    92.503 n2   sanlock runs
    92.628 n2   corosync runs
    92.878 n2   clusterd starts
    93.483 n2   | view 7: n1, n2, n3
    93.486 n1   | node n2: back: it takes part again
    93.488 n1   | node n2: guarded by a watchdog
    93.578 --   > run 10
   103.578 --   > vm migrate vm0 to n2
   103.578 --   > wait stage vm0 cleanup
   103.581 n1   move vm0: done
   103.581 n1   | vm vm0: to be moved to n2 (live)
   103.583 n1   | vm vm0: live migration from n1 to n2
   103.650 n2   QEMU of vm0 waits for it
   103.728 n2   | vm vm0: memory is being sent to n2
   104.581 n1   migration of vm0 begins
   105.629 n1   QEMU of vm0 has handed its guest over
   105.631 n2   guest of vm0 continues
   105.884 n2   | vm vm0: continues on n2
   105.884 --   > power-off n2
   105.884 n2   power off: cut
   105.884 --   > run 15
   105.915 n1   QEMU of vm0 ends: killed
   107.865 n3   | view 8: n1, n3
   107.868 n3   | node n2: lost: it left corosync's membership
   107.870 n3   | node n2: being fenced by n3 with fence_sim: its power must be proved off before its VMs may start elsewhere
   107.870 n3   fence agent for n2 is called
   108.370 n3   fence agent for n2: off
   108.373 n3   | node n2: fenced, it is off
   108.413 n1   releases the host id of n2 on d0
   108.415 n3   | node n2: its claims are released
   108.418 n1   | vm vm0: placed on n1
   108.451 n1   QEMU of vm0 starts
   108.529 n1   | vm vm0: runs on n1
   120.884 --   > power-on n2
   120.884 --   > wait settle
   127.884 n2   booted
   128.309 n2   sanlock runs
   128.434 n2   corosync runs
   128.684 n2   clusterd starts
   129.290 n2   | view 9: n1, n2, n3
   129.292 n1   | node n2: back: it takes part again
   129.295 n1   | node n2: guarded by a watchdog
   129.384 --   > run 10
