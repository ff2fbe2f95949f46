# An administrator declares a host dead that only stands still: that it does not renew its host id is checked, the rest is the administrator's word, and counts as a mistake of theirs before they have their answer.
watchdog all
up
pause n1 60
run 8
node confirm-dead n1 at n2
run 80
wait settle
---
     0.000 --   all is well
     0.000 --   > pause n1 60
     0.000 n1   paused for 60000 ms
     0.000 --   > run 8
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     1.986 n3   | node n1: no proof that it is off; waiting for its leases to expire: it has no fence device; its watchdog guards its leases, so their expiry is waited for
     1.988 n3   | vm vm0: placed on n2
     3.810 n3   | vm vm0: waits for its lease on n2: a living host holds it
     8.000 --   > node confirm-dead n1 at n2
     8.000 --   > run 80
    12.100 n2   checked host id 1: not renewed
    12.102 n3   | node n1: confirmed dead by the administrator
    12.103 n2   confirm-dead n1: done
    12.143 n2   releases the host id of n1 on d0
    12.145 n3   | node n1: its claims are released
    13.868 n2   QEMU of vm0 starts
    13.945 n3   | vm vm0: runs on n2
    55.000 n1   power off: watchdog
    62.000 n1   booted
    62.425 n1   sanlock runs
    62.550 n1   corosync runs
    62.800 n1   clusterd starts
    63.405 n2   | view 3: n1, n2, n3
    63.408 n1   | node n1: back: it takes part again
    63.411 n1   | node n1: guarded by a watchdog
    88.000 --   > wait settle
