# The target continues, and its power is cut before that is committed; its store knows of the time before it was ready. It vouches for nothing.
vms 2
fence none
watchdog none
up
run 5
vm clear vm1
run 0.92
vm migrate vm0 to n2
wait sending vm0 active
cut n2 n1,n3
wait sending vm0 completed
run 0.1
power-off n2
heal
power-on n2
run 60
---
     0.000 --   all is well
     0.000 --   > run 5
     5.000 --   > vm clear vm1
     5.000 --   > run 0.92
     5.003 n1   clear vm1: done
     5.003 n1   | vm vm1: failures forgotten
     5.920 --   > vm migrate vm0 to n2
     5.920 --   > wait sending vm0 active
     5.923 n1   move vm0: done
     5.923 n1   | vm vm0: to be moved to n2 (live)
     5.925 n1   | vm vm0: live migration from n1 to n2
     5.993 n2   QEMU of vm0 waits for it
     6.070 n1   | vm vm0: memory is being sent to n2
     6.923 n1   migration of vm0 begins
     6.956 --   > cut n2 n1,n3
     6.956 --   > wait sending vm0 completed
     7.971 n1   QEMU of vm0 has handed its guest over
     7.971 --   > run 0.1
     7.973 n2   guest of vm0 continues
     8.071 --   > power-off n2
     8.071 n2   power off: cut
     8.071 --   > heal
     8.071 --   > power-on n2
     8.071 --   > run 60
     8.926 n3   | view 2: n1, n3
     8.929 n3   | node n2: lost: it left corosync's membership
    15.071 n2   booted
    15.496 n2   sanlock runs
    15.621 n2   corosync runs
    15.871 n2   clusterd starts
    16.477 n2   | view 3: n1, n2, n3
    16.479 n1   | node n2: back: it takes part again
    16.481 n2   | vm vm1: stopped on n2: it was gone when its host came back
    16.483 n1   | node n2: no watchdog guards its leases
    16.512 n1   QEMU of vm0 ends: killed
    16.527 n2   | vm vm0: stopped on n1: the target may have continued it before it was lost, so the memory here may be older than the disk
    19.529 n2   | vm vm0: placed on n1; vm vm1: placed on n2
    19.563 n2   QEMU of vm1 starts
    19.563 n1   QEMU of vm0 starts
    19.640 n1   | vm vm1: runs on n2
    19.642 n1   | vm vm0: runs on n1
