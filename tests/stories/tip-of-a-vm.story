# A policy may be about VMs: one that is busy is moved when somebody says so, what its disks and network carry and its memory is
# told; a tip whose VM is gone closes by itself.
nodes 3
vms 4
up
measures
load vm0 900 256
heat n1 6000
<clusterd>
  <policy name="busy"><condition of="vm" measure="cpu" at-least="80" hold="20s"/><action do="move"/><limits min-gain="1"/></policy>
  <policy name="disk" severity="info"><condition of="vm" measure="disk" at-least="10000" hold="10s"/><action do="notify"/></policy>
  <policy name="net"><condition of="vm" measure="network" at-least="5000" hold="10s"/><action do="notify"/></policy>
  <policy name="fat" severity="critical"><condition of="vm" measure="memory" at-least="90" hold="10s"/><action do="notify"/></policy>
</clusterd>
run 60
tips
tip accept 1
run 60
load vm1 100 256 8000 0
load vm2 100 256 0 4000
load vm3 100 1000
run 60
tips
vm stop vm3
run 60
remove vm3
load vm1 100 256
run 120
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 900 256
     0.000 --   > heat n1 6000
     0.000 --   > run 60
     0.003 n1   apply: done
     0.003 n1   | definitions: 4 policies
    13.407 n1   | warning: tip 1, busy about vm0: cpu of vm0 is 90 %: move vm0 to n2
    60.000 --   > tips
    60.000 --     tip 1 of busy: open, prediction none
    60.000 --   > tip accept 1
    60.000 --   > run 60
    60.003 n1   tip accept: done
    60.003 n1   | tip 1 is accepted
    60.005 n1   | vm vm0: live migration from n1 to n2 (policy)
    60.073 n2   QEMU of vm0 waits for it
    60.150 n1   | vm vm0: memory is being sent to n2
    61.005 n1   migration of vm0 begins
    62.053 n1   QEMU of vm0 has handed its guest over
    62.056 n2   guest of vm0 continues
    62.308 n1   | vm vm0: continues on n2
    62.338 n1   QEMU of vm0 ends: killed
    62.368 n1   | vm vm0: moved to n2
    62.371 n1   | tip 1 is done: 1 of 1 moves done
   102.373 n1   | tip 1: its prediction held: from 431 to 375, predicted 375
   120.000 --   > load vm1 100 256 8000 0
   120.000 --   > load vm2 100 256 0 4000
   120.000 --   > load vm3 100 1000
   120.000 --   > run 60
   123.407 n1   | tip 2, disk about vm1: disk of vm1 is 16000 KiB/s
   123.409 n1   | warning: tip 3, net about vm2: network of vm2 is 8000 KiB/s
   123.409 n1   | error: tip 4, fat about vm3: memory of vm3 is 97 %
   180.000 --   > tips
   180.000 --     tip 1 of busy: done, prediction held
   180.000 --     tip 2 of disk: open, prediction none
   180.000 --     tip 3 of net: open, prediction none
   180.000 --     tip 4 of fat: open, prediction none
   180.000 --   > vm stop vm3
   180.000 --   > run 60
   180.003 n1   want vm3: done
   180.003 n1   | vm vm3: wanted stopped
   182.130 n1   QEMU of vm3 ends: the guest shut down
   182.146 n1   | vm vm3: stopped on n1: it is wanted stopped
   240.000 --   > remove vm3
   240.000 --   > load vm1 100 256
   240.000 --   > run 120
   240.003 n1   remove vm3: done
   240.003 n1   | vm vm3: removed
   240.005 n1   | tip 4 is closed: what it is about is gone
   253.408 n1   | tip 2 is closed: the trouble is gone
   360.000 --   > tips
   360.000 --     tip 1 of busy: done, prediction held
   360.000 --     tip 2 of disk: closed, prediction none
   360.000 --     tip 3 of net: open, prediction none
   360.000 --     tip 4 of fat: closed, prediction none
