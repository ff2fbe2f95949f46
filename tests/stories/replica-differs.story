# Replicas compare themselves. One that differs from the majority puts its store aside and begins anew from the others, and no VM is
# touched; when no majority agrees changes are refused, loudly, and VMs still run.
nodes 3
vms 2
up
replica n3
run 150
states
replica n1
replica n3
run 150
states
vm stop vm0
run 5
kill clusterd n1 n2 n3
start clusterd n1 n2 n3
run 60
states
vm stop vm0
run 10
---
     0.000 --   all is well
     0.000 --   > replica n3
     0.000 --   > run 150
    28.408 n3   | error: this node's replica differs from the majority's: its store is put aside and made anew from the others
    28.408 n3   store is reset
    28.450 n3   leaves the group and joins again
    28.456 n2   | view 2: n1, n2
    29.356 n2   | view 3: n1, n2, n3
    29.359 n2   | voters: n1, n2, n3
    29.360 n2   | node n3: volume d0 offline
    29.507 n1   | node n3: volume d0 online
   150.000 --   > states
   150.000 --     n1: online
   150.000 --     n2: online
   150.000 --     n3: online
   150.000 --     vm0: running
   150.000 --     vm1: running
   150.000 --     the view: normal
   150.000 --   > replica n1
   150.000 --   > replica n3
   150.000 --   > run 150
   178.460 n1   | error: the replicas differ and no majority of them could go on alone: changes are refused
   300.000 --   > states
   300.000 --     n1: online
   300.000 --     n2: online
   300.000 --     n3: online
   300.000 --     vm0: running
   300.000 --     vm1: running
   300.000 --     the view: normal: the replicas differ and no majority of them agrees: changes are refused
   300.000 --   > vm stop vm0
   300.000 --   > run 5
   300.000 n1   want vm0: refused: the replicas differ and no majority agrees: changes are refused; see clustadm quorum, and restart the nodes whose digest differs
   305.000 --   > kill clusterd n1 n2 n3
   305.000 --   > start clusterd n1 n2 n3
   305.000 n1   clusterd starts
   305.000 --   > run 60
   305.005 n3   | view 4: n2, n3
   305.047 n2   | view 5: n1, n2, n3
   305.048 n2   | the replicas agree again
   305.048 n3   | error: this node's replica differs from the majority's: its store is put aside and made anew from the others
   305.048 n3   store is reset
   305.090 n3   leaves the group and joins again
   305.096 n2   | view 6: n1, n2
   305.102 n1   QEMU of vm0 is found
   305.104 n2   | node n1: volume d0 offline
   305.153 n2   | node n1: volume d0 online
   305.996 n2   | view 7: n1, n2, n3
   305.999 n2   | voters: n1, n2, n3
   306.000 n2   | node n3: volume d0 offline
   306.147 n2   | node n3: volume d0 online
   365.000 --   > states
   365.000 --     n1: online
   365.000 --     n2: online
   365.000 --     n3: online
   365.000 --     vm0: running
   365.000 --     vm1: running
   365.000 --     the view: normal
   365.000 --   > vm stop vm0
   365.000 --   > run 10
   365.002 n2   | vm vm0: wanted stopped
   365.003 n1   want vm0: done
   367.130 n1   QEMU of vm0 ends: the guest shut down
   367.145 n2   | vm vm0: stopped on n1: it is wanted stopped
