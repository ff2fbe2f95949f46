# sanlock dies: its leases are as good as lost, so its VMs are ended at once, before it rejoins with a new generation.
vms 2
up
kill sanlock n1
run 1
start sanlock n1
wait settle
---
     0.000 --   all is well
     0.000 --   > kill sanlock n1
     0.000 n1   sanlock is killed
     0.000 --   > run 1
     0.025 n1   | warning: sanlock is gone: the leases of this host count for nothing, so its VMs are ended
     0.056 n1   QEMU of vm0 ends: killed
     0.071 n1   | vm vm0: stopped on n1: sanlock died on its host, and its lease with it
     1.000 --   > start sanlock n1
     1.000 --   > wait settle
     1.425 n1   sanlock runs
     7.663 n1   | vm vm0: placed on n1
     7.696 n1   QEMU of vm0 starts
     7.774 n1   | vm vm0: runs on n1
