# Where the cluster says so, a VM without room has less important ones make room for it: they move where they fit, or end.
nodes 3
vms 0
fence all
up
host n1 memory 4096
host n2 memory 4096
host n3 memory 4096
run 1
<cluster name="sim"><policies displace="yes"/></cluster>

<clusterd>
  <vm name="low1" wanted="running" priority="-1"><memory unit="GiB">2</memory><disk volume="d0" path="l1.raw" format="raw"/></vm>
  <vm name="low2" wanted="running" priority="-2"><memory unit="GiB">2</memory><disk volume="d0" path="l2.raw" format="raw"/></vm>
  <vm name="low3" wanted="running" priority="-3"><memory unit="GiB">2</memory><disk volume="d0" path="l3.raw" format="raw"/></vm>
</clusterd>
wait settle
<vm name="big" wanted="running" priority="5"><memory unit="GiB">4</memory><disk volume="d0" path="b.raw" format="raw"/></vm>
run 60
states
<vm name="bigger" wanted="running" priority="4"><memory unit="GiB">3</memory><disk volume="d0" path="c.raw" format="raw"/></vm>
run 60
states
explain low3
---
     0.000 --   all is well
     0.000 --   > host n1 memory 4096
     0.000 --   > host n2 memory 4096
     0.000 --   > host n3 memory 4096
     0.000 --   > run 1
     1.000 --   > wait settle
     1.003 n1   apply: done
     1.003 n1   | definitions: 1 cluster
     1.004 n1   apply: done
     1.004 n1   | definitions: 3 VMs
     1.007 n1   | vm low1: lease being written on volume d0
     1.008 n1   | vm low2: lease being written on volume d0
     1.008 n1   | vm low3: lease being written on volume d0
     1.021 n1   | vm low1: lease written on volume d0
     1.023 n1   | vm low2: lease written on volume d0
     1.024 n1   | vm low3: lease written on volume d0
     1.024 n1   | vm low1: placed on n1
     1.027 n1   | vm low2: placed on n2; vm low3: placed on n3
     1.058 n1   QEMU of low1 starts
     1.061 n2   QEMU of low2 starts
     1.061 n3   QEMU of low3 starts
     1.135 n1   | vm low1: runs on n1
     1.138 n1   | vm low2: runs on n2
     1.139 n1   | vm low3: runs on n3
     1.250 --   > run 60
     1.253 n1   apply: done
     1.253 n1   | definitions: 1 vm
     1.255 n1   | vm big: lease being written on volume d0
     1.270 n1   | vm big: lease written on volume d0
     1.272 n1   | vm low3: live migration from n3 to n1 (policy)
     1.340 n1   QEMU of low3 waits for it
     1.417 n1   | vm low3: memory is being sent to n1
     2.272 n3   migration of low3 begins
     4.420 n3   QEMU of low3 has handed its guest over
     4.423 n1   guest of low3 continues
     4.676 n1   | vm low3: continues on n1
     4.707 n3   QEMU of low3 ends: killed
     4.725 n1   | vm big: placed on n3
     4.737 n1   | vm low3: moved to n1
     4.759 n3   QEMU of big starts
     4.836 n1   | vm big: runs on n3
    61.250 --   > states
    61.250 --     n1: online
    61.250 --     n2: online
    61.250 --     n3: online
    61.250 --     low1: running
    61.250 --     low2: running
    61.250 --     low3: running
    61.250 --     big: running
    61.250 --     the view: normal
    61.250 --   > run 60
    61.253 n1   apply: done
    61.253 n1   | definitions: 1 vm
    61.255 n1   | vm bigger: lease being written on volume d0
    61.270 n1   | vm bigger: lease written on volume d0
    61.272 n1   | vm low2: being stopped: it yields to a more important vm
    63.400 n2   QEMU of low2 ends: the guest shut down
    63.415 n1   | vm low2: stopped on n2: it yields to a more important vm
    63.418 n1   | vm bigger: placed on n2
    63.420 n1   | vm low3: being stopped: it yields to a more important vm
    63.451 n2   QEMU of bigger starts
    63.529 n1   | vm bigger: runs on n2
    65.548 n1   QEMU of low3 ends: the guest shut down
    65.563 n1   | vm low3: stopped on n1: it yields to a more important vm
    65.566 n1   | vm low2: placed on n1
    65.599 n1   QEMU of low2 starts
    65.677 n1   | vm low2: runs on n1
   121.250 --   > states
   121.250 --     n1: online
   121.250 --     n2: online
   121.250 --     n3: online
   121.250 --     low1: running
   121.250 --     low2: running
   121.250 --     low3: waiting: needs 2048 MiB, 0 MiB free on n1; needs 2048 MiB, 1024 MiB free on n2; needs 2048 MiB, 0 MiB free on n3
   121.250 --     big: running
   121.250 --     bigger: running
   121.250 --     the view: normal
   121.250 --   > explain low3
   121.250 --     n1: may not have it, 2 VMs, 0 MiB free, wishes cost 0, 0 permille
   121.250 --     n1, memory: fail: needs 2048 MiB, 0 MiB free on n1; free 2048 MiB on n1
   121.250 --     n2: may not have it, 1 VMs, 1024 MiB free, wishes cost 0, 0 permille
   121.250 --     n2, memory: fail: needs 2048 MiB, 1024 MiB free on n2; free 1024 MiB on n2
   121.250 --     n3: may not have it, 1 VMs, 0 MiB free, wishes cost 0, 0 permille
   121.250 --     n3, memory: fail: needs 2048 MiB, 0 MiB free on n3; free 2048 MiB on n3
   121.250 --     chosen: nowhere: needs 2048 MiB, 0 MiB free on n1; needs 2048 MiB, 1024 MiB free on n2; needs 2048 MiB, 0 MiB free on n3; free 1024 MiB on n2
   121.250 --     another node: nothing
