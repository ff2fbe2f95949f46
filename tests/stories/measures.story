# What one host measures every node knows; of a node whose clusterd is dead the last values are too old after three samples.
up
measures
heat n2 8000
load vm0 1500 256
run 25
top n1
top n3
kill clusterd n2
run 45
top n3
start clusterd n2
run 25
top n3
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > heat n2 8000
     0.000 --   > load vm0 1500 256
     0.000 --   > run 25
    25.000 --   > top n1
    25.000 n1   n1: 93 permille
    25.000 n1   n2: 500 permille
    25.000 n1   n3: 0 permille
    25.000 n1   vm0: 1500 permille of a CPU
    25.000 --   > top n3
    25.000 n3   n1: 93 permille
    25.000 n3   n2: 500 permille
    25.000 n3   n3: 0 permille
    25.000 n3   vm0: 1500 permille of a CPU
    25.000 --   > kill clusterd n2
    25.000 --   > run 45
    25.005 n3   | view 2: n1, n3
    70.000 --   > top n3
    70.000 n3   n1: 93 permille
    70.000 n3   n2: the last measurement is too old
    70.000 n3   n3: 0 permille
    70.000 n3   vm0: 1500 permille of a CPU
    70.000 --   > start clusterd n2
    70.000 n2   clusterd starts
    70.000 --   > run 25
    70.047 n2   | view 3: n1, n2, n3
    70.105 n2   | node n2: volume d0 offline
    70.154 n1   | node n2: volume d0 online
    95.000 --   > top n3
    95.000 n3   n1: 93 permille
    95.000 n3   n2: 500 permille
    95.000 n3   n3: 0 permille
    95.000 n3   vm0: 1500 permille of a CPU
