# sanlock dies and comes back while clusterd is dead: the QEMU that is found without its lease is ended before this host
# joins with a new generation, which would make the old lease count as dead.
unit off
up
kill clusterd n1
kill sanlock n1
run 2
start sanlock n1
run 2
start clusterd n1
wait settle
---
     0.000 --   all is well
     0.000 --   > kill clusterd n1
     0.000 --   > kill sanlock n1
     0.000 n1   sanlock is killed
     0.000 --   > run 2
     0.005 n3   | view 2: n2, n3
     2.000 --   > start sanlock n1
     2.000 --   > run 2
     2.425 n1   sanlock runs
     4.000 --   > start clusterd n1
     4.000 n1   clusterd starts
     4.000 --   > wait settle
     4.047 n2   | view 3: n1, n2, n3
     4.102 n1   QEMU of vm0 is found without its lease
     4.104 n2   | node n1: volume d0 offline
     4.133 n1   QEMU of vm0 ends: killed
     4.148 n2   | vm vm0: died on n1: it was found running without its lease
     4.197 n1   | node n1: volume d0 online
     7.658 n1   | vm vm0: placed on n1
     7.691 n1   QEMU of vm0 starts
     7.769 n1   | vm vm0: runs on n1
