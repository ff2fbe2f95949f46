# What nobody accepts: a tip is dismissed and does not come back while its subject rests; another one closes by itself because
# its trouble is gone, a third because its policy is disabled, and one that was only to be noted is done when it is accepted.
vms 4
up
measures
load vm0 2000 256
policy hot advice node cpu 50 40 20 balance
heat n1 8000
wait tip open
tip dismiss 1
run 60
policy warm advice node cpu 50 40 20 notify
wait tip open
heat n1 0
wait tip closed
heat n2 9000
policy busy advice node cpu 50 40 20 drain
run 60
policy off busy
run 10
tip accept 3
run 10
tip accept 3
run 2
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 2000 256
     0.000 --   > policy hot advice node cpu 50 40 20 balance
     0.000 --   > heat n1 8000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 62 %: move vm0 to n2
    13.500 --   > tip dismiss 1
    13.500 --   > run 60
    13.503 n1   tip dismiss: done
    13.503 n1   | tip 1 is dismissed
    73.500 --   > policy warm advice node cpu 50 40 20 notify
    73.500 --   > wait tip open
    73.503 n1   apply: done
    73.503 n1   | definitions: 1 policy
    78.407 n1   | warning: tip 2, warm about n1: cpu of n1 is 62 %
    78.500 --   > heat n1 0
    78.500 --   > wait tip closed
    93.407 n1   | tip 2 is closed: the trouble is gone
    93.500 --   > heat n2 9000
    93.500 --   > policy busy advice node cpu 50 40 20 drain
    93.500 --   > run 60
    93.503 n1   apply: done
    93.503 n1   | definitions: 1 policy
   113.407 n1   | warning: tip 3, warm about n2: cpu of n2 is 56 %
   113.409 n1   | warning: tip 4, busy about n2: cpu of n2 is 56 %: empty n2
   153.500 --   > policy off busy
   153.500 --   > run 10
   153.503 n1   policy busy: done
   153.503 n1   | policy busy: disabled
   153.505 n1   | tip 4 is closed: its policy is disabled or removed
   163.500 --   > tip accept 3
   163.500 --   > run 10
   163.503 n1   tip accept: done
   163.503 n1   | tip 3 is accepted
   163.505 n1   | tip 3 is running
   163.508 n1   | tip 3 is done: noted
   173.500 --   > tip accept 3
   173.500 --   > run 2
   173.503 n1   tip accept: refused: tip 3 is not open any more; see: clustadm tips list
