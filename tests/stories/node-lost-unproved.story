# Neither fence device nor watchdog: nothing starts on "it looks dead"; the administrator's word is waited for.
up
power-off n1
run 150
node confirm-dead n1
run 20
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > power-off n1
     0.000 n1   power off: cut
     0.000 --   > run 150
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
   150.000 --   > node confirm-dead n1
   150.000 --   > run 20
   154.100 n2   checked host id 1: not renewed
   154.102 n3   | node n1: confirmed dead by the administrator
   154.103 n2   confirm-dead n1: done
   154.143 n2   releases the host id of n1 on d0
   154.145 n3   | node n1: its claims are released
   154.147 n3   | vm vm0: placed on n2
   154.181 n2   QEMU of vm0 starts
   154.258 n3   | vm vm0: runs on n2
   170.000 --   > power-on n1
   170.000 --   > wait settle
   177.000 n1   booted
   177.425 n1   sanlock runs
   177.550 n1   corosync runs
   177.800 n1   clusterd starts
   178.401 n1   | vm vm0: lease being written on volume d0
   178.401 n1   | vm vm0: lease written on volume d0
   178.401 n1   | vm vm0: placed on n1
   178.401 n1   | vm vm0: runs on n1
   178.401 n1   | view 2: n2, n3
   178.401 n1   | node n1: lost: it left corosync's membership
   178.405 n2   | view 3: n1, n2, n3
   178.407 n2   | node n1: back: it takes part again
   178.411 n2   | node n1: no watchdog guards its leases
