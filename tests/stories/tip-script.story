# A script runs once, on the coordinator's host. One that hangs is killed at its limit; and one whose daemon dies is not run again
# by anybody: how it ended is then not known.
vms 1
up
measures
policy call automatic node cpu 50 40 20 script tell.sh
heat n2 9000
wait tip done
heat n2 0
run 60
scripts hang
policy off call
policy call2 automatic node cpu 50 40 20 script tell.sh
heat n3 9000
wait tip running
wait tip done
heat n3 0
run 60
policy off call2
policy call3 automatic node cpu 50 40 20 script tell.sh
heat n1 9000
wait tip running
kill clusterd n2
run 5
start clusterd n2
wait tip done
run 10
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > policy call automatic node cpu 50 40 20 script tell.sh
     0.000 --   > heat n2 9000
     0.000 --   > wait tip done
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.408 n1   | warning: tip 1, call about n2: cpu of n2 is 56 %: run tell.sh
    13.410 n1   | tip 1 is accepted: by its policy
    13.413 n1   | tip 1 is running
    13.413 n2   script tell.sh of tip 1 begins
    13.713 n2   script of tip 1 ends
    13.715 n1   | tip 1 is done: its script ended: all is well
    13.800 --   > heat n2 0
    13.800 --   > run 60
    73.800 --   > scripts hang
    73.800 --   > policy off call
    73.800 --   > policy call2 automatic node cpu 50 40 20 script tell.sh
    73.800 --   > heat n3 9000
    73.800 --   > wait tip running
    73.803 n1   policy call: done
    73.803 n1   | policy call: disabled
    73.804 n1   apply: done
    73.804 n1   | definitions: 1 policy
    93.407 n1   | warning: tip 2, call2 about n3: cpu of n3 is 56 %: run tell.sh
    93.410 n1   | tip 2 is accepted: by its policy
    93.412 n1   | tip 2 is running
    93.413 n2   script tell.sh of tip 2 begins
    93.500 --   > wait tip done
   113.413 n2   script of tip 2 ends: killed
   113.415 n1   | tip 2 is done: its script failed: killed at its limit
   113.500 --   > heat n3 0
   113.500 --   > run 60
   173.500 --   > policy off call2
   173.500 --   > policy call3 automatic node cpu 50 40 20 script tell.sh
   173.500 --   > heat n1 9000
   173.500 --   > wait tip running
   173.503 n1   policy call2: done
   173.503 n1   | policy call2: disabled
   173.504 n1   apply: done
   173.504 n1   | definitions: 1 policy
   193.407 n1   | warning: tip 3, call3 about n1: cpu of n1 is 56 %: run tell.sh
   193.410 n1   | tip 3 is accepted: by its policy
   193.412 n1   | tip 3 is running
   193.413 n2   script tell.sh of tip 3 begins
   193.500 --   > kill clusterd n2
   193.500 --   > run 5
   193.505 n3   | view 2: n1, n3
   193.508 n3   | tip 3 is done: the node that ran it is gone: how it ended is not known
   198.500 --   > start clusterd n2
   198.500 n2   clusterd starts
   198.500 --   > wait tip done
   198.500 --   > run 10
   198.547 n2   | view 3: n1, n2, n3
   198.605 n2   | node n2: volume d0 offline
   198.654 n2   | node n2: volume d0 online
