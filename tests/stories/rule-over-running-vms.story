# A rule that comes over VMs that run is mended by a live move of one of them, and only of one.
nodes 3
vms 4
up
rule apart vm0 vm3
run 5
wait settle
---
     0.000 --   all is well
     0.000 --   > rule apart vm0 vm3
     0.000 --   > run 5
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 rule
     0.407 n1   | vm vm3: live migration from n1 to n2 (policy)
     0.475 n2   QEMU of vm3 waits for it
     0.552 n1   | vm vm3: memory is being sent to n2
     1.407 n1   migration of vm3 begins
     2.455 n1   QEMU of vm3 has handed its guest over
     2.457 n2   guest of vm3 continues
     2.709 n1   | vm vm3: continues on n2
     2.740 n1   QEMU of vm3 ends: killed
     2.770 n1   | vm vm3: moved to n2
     5.000 --   > wait settle
