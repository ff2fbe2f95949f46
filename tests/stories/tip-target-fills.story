# Between the decision and the move the target's memory is given away: preflight refuses it, and the plan is made anew, for another node.
vms 4
up
measures
load vm0 2000 256
load vm3 2000 256
policy hot advice node cpu 50 40 20 move
heat n1 8000
heat n2 1000
heat n3 2000
wait tip open
<vm name="big" wanted="running"><memory unit="MiB">64000</memory>
<owners><possible node="n2"/></owners><disk volume="d0" path="big.raw" format="raw"/></vm>
wait settle
tip accept 1
wait tip done
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 2000 256
     0.000 --   > load vm3 2000 256
     0.000 --   > policy hot advice node cpu 50 40 20 move
     0.000 --   > heat n1 8000
     0.000 --   > heat n2 1000
     0.000 --   > heat n3 2000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 75 %: move vm0 to n2
    13.500 --   > wait settle
    13.503 n1   apply: done
    13.503 n1   | definitions: 1 vm
    13.505 n1   | vm big: lease being written on volume d0
    13.520 n1   | vm big: lease written on volume d0
    13.522 n1   | vm big: placed on n2
    13.556 n2   QEMU of big starts
    13.633 n1   | vm big: runs on n2
    13.750 --   > tip accept 1
    13.750 --   > wait tip done
    13.753 n1   tip accept: done
    13.753 n1   | tip 1 is accepted
    13.755 n1   | tip 1: its plan is made anew
    13.758 n1   | vm vm0: live migration from n1 to n3 (policy)
    13.825 n3   QEMU of vm0 waits for it
    13.903 n1   | vm vm0: memory is being sent to n3
    14.758 n1   migration of vm0 begins
    15.806 n1   QEMU of vm0 has handed its guest over
    15.808 n3   guest of vm0 continues
    16.061 n1   | vm vm0: continues on n3
    16.091 n1   QEMU of vm0 ends: killed
    16.122 n1   | vm vm0: moved to n3
    16.124 n1   | tip 1 is done: 1 of 1 moves done
