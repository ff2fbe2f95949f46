# corosync dies on all nodes and is started again: no VM is lost, and no node is fenced.
fence all
watchdog all
vms 3
up
kill corosync all
run 5
start corosync all
wait settle
---
     0.000 --   all is well
     0.000 --   > kill corosync all
     0.000 --   > run 5
     3.000 n1   | warning: waiting: corosync is not there, or has not yet told who is in the group
     5.000 --   > start corosync all
     5.000 --   > wait settle
     5.550 n1   corosync runs
     5.550 n2   corosync runs
     5.550 n3   corosync runs
     6.405 n2   | view 2: n1, n2, n3
