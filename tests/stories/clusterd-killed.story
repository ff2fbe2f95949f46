# clusterd dies and comes back: QEMU lives on, is adopted, and keeps its lease.
fence all
watchdog all
up
kill clusterd n1
run 5
start clusterd n1
wait settle
---
     0.000 --   all is well
     0.000 --   > kill clusterd n1
     0.000 --   > run 5
     0.005 n3   | view 2: n2, n3
     5.000 --   > start clusterd n1
     5.000 n1   clusterd starts
     5.000 --   > wait settle
     5.047 n2   | view 3: n1, n2, n3
     5.102 n1   QEMU of vm0 is found
     5.104 n2   | node n1: volume d0 offline
     5.154 n1   | node n1: volume d0 online
