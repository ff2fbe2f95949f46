# One node loses its storage: sanlock kills its VMs when renewal has failed long enough, and they run elsewhere.
watchdog all
fence all
vms 2
up
storage lose n1
run 30
storage restore n1
wait settle
---
     0.000 --   all is well
     0.000 --   > storage lose n1
     0.000 n1   storage d0 is lost
     0.000 --   > run 30
     2.252 n1   | node n1: volume d0 lost: probes fail
     8.029 n1   lockspace of d0 fails: sanlock kills its processes
     8.060 n1   QEMU of vm0 ends: killed
     8.075 n1   | vm vm0: died on n1: killed
     8.078 n1   | vm vm0: placed on n3
     9.901 n1   | vm vm0: waits for its lease on n3: its holder may be dead
    30.000 --   > storage restore n1
    30.000 n1   storage d0 is well
    30.000 --   > wait settle
    32.252 n1   | node n1: volume d0 online
    38.066 n3   QEMU of vm0 starts
    38.144 n1   | vm vm0: runs on n3
