# Each strategy of placement fills the nodes in its own way: fewest VMs, most free memory, lowest share promised, lowest share
# measured, and the fullest that still has room.
nodes 3
vms 0
up
host n1 memory 8192
host n2 memory 16384
host n3 memory 32768
host n3 cpus 4
measures
heat n2 9000
run 60
<cluster name="sim"><policies placement="most-free"/></cluster>

<vm name="free1" wanted="running"><memory>4096</memory><disk volume="d0" path="a.raw" format="raw"/></vm>

<vm name="free2" wanted="running"><memory>4096</memory><disk volume="d0" path="b.raw" format="raw"/></vm>

run 5
<cluster name="sim"><policies placement="configured"/></cluster>

<vm name="share1" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="c.raw" format="raw"/></vm>

<vm name="share2" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="d.raw" format="raw"/></vm>

run 5
explain share1
<cluster name="sim"><policies placement="measured"/></cluster>

<vm name="real1" wanted="running"><memory>1024</memory><disk volume="d0" path="e.raw" format="raw"/></vm>

run 20
<vm name="real2" wanted="running"><memory>1024</memory><disk volume="d0" path="f.raw" format="raw"/></vm>

run 5
explain real1
mute n2 on
run 60
explain real1
<cluster name="sim"><policies placement="pack" cpu-overcommit="100"/></cluster>

<vm name="pack1" wanted="running"><memory>2048</memory><disk volume="d0" path="g.raw" format="raw"/></vm>

<vm name="pack2" wanted="running"><memory>4096</memory><disk volume="d0" path="h.raw" format="raw"/></vm>

<vm name="pack3" wanted="running"><memory>1024</memory><cpus>6</cpus><disk volume="d0" path="i.raw" format="raw"/></vm>

run 5
plan balance
plan balance measured
states
---
     0.000 --   all is well
     0.000 --   > host n1 memory 8192
     0.000 --   > host n2 memory 16384
     0.000 --   > host n3 memory 32768
     0.000 --   > host n3 cpus 4
     0.000 --   > measures
     0.000 --   > heat n2 9000
     0.000 --   > run 60
    60.000 --   > run 5
    60.003 n1   apply: done
    60.003 n1   | definitions: 1 cluster
    60.004 n1   apply: done
    60.004 n1   | definitions: 1 vm
    60.004 n1   apply: done
    60.004 n1   | definitions: 1 vm
    60.007 n1   | vm free1: lease being written on volume d0
    60.008 n1   | vm free2: lease being written on volume d0
    60.021 n1   | vm free1: lease written on volume d0
    60.023 n1   | vm free2: lease written on volume d0
    60.024 n1   | vm free1: placed on n3
    60.027 n1   | vm free2: placed on n3
    60.058 n3   QEMU of free1 starts
    60.061 n3   QEMU of free2 starts
    60.136 n1   | vm free1: runs on n3
    60.138 n1   | vm free2: runs on n3
    65.000 --   > run 5
    65.003 n1   apply: done
    65.003 n1   | definitions: 1 cluster
    65.004 n1   apply: done
    65.004 n1   | definitions: 1 vm
    65.004 n1   apply: done
    65.004 n1   | definitions: 1 vm
    65.007 n1   | vm share1: lease being written on volume d0
    65.008 n1   | vm share2: lease being written on volume d0
    65.021 n1   | vm share1: lease written on volume d0
    65.023 n1   | vm share2: lease written on volume d0
    65.024 n1   | vm share1: placed on n2
    65.027 n1   | vm share2: placed on n1
    65.058 n2   QEMU of share1 starts
    65.060 n1   QEMU of share2 starts
    65.135 n1   | vm share1: runs on n2
    65.138 n1   | vm share2: runs on n1
    70.000 --   > explain share1
    70.000 --     n1: may have it, 1 VMs, 7168 MiB free, wishes cost 0, 250 permille
    70.000 --     n2: may have it, 1 VMs, 16384 MiB free, wishes cost 0, 125 permille
    70.000 --     n3: may have it, 2 VMs, 24576 MiB free, wishes cost 0, 1000 permille
    70.000 --     chosen: n2
    70.000 --     another node: nothing
    70.000 --   > run 20
    70.003 n1   apply: done
    70.003 n1   | definitions: 1 cluster
    70.004 n1   apply: done
    70.004 n1   | definitions: 1 vm
    70.007 n1   | vm real1: lease being written on volume d0
    70.021 n1   | vm real1: lease written on volume d0
    70.024 n1   | vm real1: placed on n1
    70.057 n1   QEMU of real1 starts
    70.135 n1   | vm real1: runs on n1
    90.000 --   > run 5
    90.003 n1   apply: done
    90.003 n1   | definitions: 1 vm
    90.005 n1   | vm real2: lease being written on volume d0
    90.020 n1   | vm real2: lease written on volume d0
    90.022 n1   | vm real2: placed on n1
    90.056 n1   QEMU of real2 starts
    90.133 n1   | vm real2: runs on n1
    95.000 --   > explain real1
    95.000 --     n1: may have it, 3 VMs, 6144 MiB free, wishes cost 0, 2 permille measured
    95.000 --     n2: may have it, 1 VMs, 15360 MiB free, wishes cost 0, 624 permille measured
    95.000 --     n3: may have it, 2 VMs, 24576 MiB free, wishes cost 0, 250 permille measured
    95.000 --     chosen: n1
    95.000 --     another node: nothing
    95.000 --   > mute n2 on
    95.000 --   > run 60
   155.000 --   > explain real1
   155.000 --     n1: may have it, 3 VMs, 6144 MiB free, wishes cost 0, 7 permille measured
   155.000 --     n2: may have it, 1 VMs, 15360 MiB free, wishes cost 0, 187 permille
   155.000 --     n3: may have it, 2 VMs, 24576 MiB free, wishes cost 0, 250 permille measured
   155.000 --     chosen: n1
   155.000 --     another node: nothing
   155.000 --   > run 5
   155.003 n1   apply: done
   155.003 n1   | definitions: 1 cluster
   155.004 n1   apply: done
   155.004 n1   | definitions: 1 vm
   155.004 n1   apply: done
   155.004 n1   | definitions: 1 vm
   155.004 n1   apply: done
   155.004 n1   | definitions: 1 vm
   155.007 n1   | vm pack1: lease being written on volume d0
   155.008 n1   | vm pack2: lease being written on volume d0
   155.008 n1   | vm pack3: lease being written on volume d0
   155.021 n1   | vm pack1: lease written on volume d0
   155.023 n1   | vm pack2: lease written on volume d0
   155.024 n1   | vm pack3: lease written on volume d0
   155.024 n1   | vm pack1: placed on n1
   155.027 n1   | vm pack2: placed on n2; vm pack3: placed on n1
   155.058 n1   QEMU of pack1 starts
   155.060 n1   QEMU of pack3 starts
   155.061 n2   QEMU of pack2 starts
   155.135 n1   | vm pack1: runs on n1
   155.138 n1   | vm pack3: runs on n1
   155.139 n1   | vm pack2: runs on n2
   160.000 --   > plan balance
   160.000 --     pack1 from n1 to n2: memory of n1 75.0 % to 50.0 %, of n2 31.3 % to 43.8 %
   160.000 --     share2 from n1 to n2: CPUs of n1 62.5 % to 50.0 %, of n2 25.0 % to 37.5 %
   160.000 --     no further move is worth its cost
   160.000 --   > plan balance measured
   160.000 --     pack1 from n1 to n3: memory of n1 46.9 % to 21.9 %, of n3 1.6 % to 7.8 %
   160.000 --     real1 from n1 to n3: memory of n1 21.9 % to 18.8 %, of n3 7.8 % to 8.6 %
   160.000 --     real2 from n1 to n3: memory of n1 18.8 % to 15.6 %, of n3 8.6 % to 9.4 %
   160.000 --     share2 from n1 to n3: memory of n1 15.6 % to 12.5 %, of n3 9.4 % to 10.2 %
   160.000 --     no further move is worth its cost; 2 VMs are on nodes that take no part
   160.000 --   > states
   160.000 --     n1: online
   160.000 --     n2: online
   160.000 --     n3: online
   160.000 --     free1: running
   160.000 --     free2: running
   160.000 --     share1: running
   160.000 --     share2: running
   160.000 --     real1: running
   160.000 --     real2: running
   160.000 --     pack1: running
   160.000 --     pack2: running
   160.000 --     pack3: running
   160.000 --     the view: normal
