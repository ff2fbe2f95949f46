# A node that is red is left, one that is yellow gets nothing new; with only-green both are left. What cannot leave says why.
nodes 3
vms 2
up
<vm name="bound" wanted="running"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><owners><possible node="n1"/></owners></vm>

<cluster name="sim"><policies health="leave-on-red"/></cluster>

wait settle
<node name="n1" id="1" health="yellow"/>
run 20
<node name="n1" id="1" health="red"/>
run 30
explain bound
explain vm0
<cluster name="sim"><policies health="only-green"/></cluster>

<clusterd><node name="n1" id="1"/><node name="n2" id="2" health="yellow"/></clusterd>
run 60
states
explain vm1
---
     0.000 --   all is well
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 vm
     0.004 n1   apply: done
     0.004 n1   | definitions: 1 cluster
     0.006 n1   | vm bound: lease being written on volume d0
     0.020 n1   | vm bound: lease written on volume d0
     0.023 n1   | vm bound: placed on n1
     0.056 n1   QEMU of bound starts
     0.134 n1   | vm bound: runs on n1
     0.250 --   > run 20
     0.253 n1   apply: done
     0.253 n1   | definitions: 1 node
    20.250 --   > run 30
    20.253 n1   apply: done
    20.253 n1   | definitions: 1 node
    20.255 n1   | vm vm0: live migration from n1 to n3 (policy)
    20.323 n3   QEMU of vm0 waits for it
    20.400 n1   | vm vm0: memory is being sent to n3
    21.255 n1   migration of vm0 begins
    22.303 n1   QEMU of vm0 has handed its guest over
    22.306 n3   guest of vm0 continues
    22.558 n1   | vm vm0: continues on n3
    22.589 n1   QEMU of vm0 ends: killed
    22.619 n1   | vm vm0: moved to n3
    50.250 --   > explain bound
    50.250 --     n1: may not have it, 1 VMs, 65024 MiB free, wishes cost 0, 0 permille
    50.250 --     n1, health: fail: n1 is red; set health="green" on node n1, or change the health policy
    50.250 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    50.250 --     n2, possible-owner: fail: n2 is not among its possible owners; add n2 to the possible owners of bound
    50.250 --     n3: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    50.250 --     n3, possible-owner: fail: n3 is not among its possible owners; add n3 to the possible owners of bound
    50.250 --     chosen: nowhere: n1 is red; n2 is not among its possible owners; n3 is not among its possible owners; set health="green" on node n1, or change the health policy
    50.250 --     another node: must: n1 is red; no other node can have it: n2 is not among its possible owners; n3 is not among its possible owners; add n2 to the possible owners of bound
    50.250 --   > explain vm0
    50.250 --     n1: may not have it, 1 VMs, 64000 MiB free, wishes cost 0, 0 permille
    50.250 --     n1, health: fail: n1 is red; set health="green" on node n1, or change the health policy
    50.250 --     n2: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    50.250 --     n3: may have it, 1 VMs, 65536 MiB free, wishes cost 0, 0 permille
    50.250 --     chosen: n3
    50.250 --     another node: nothing
    50.250 --   > run 60
    50.253 n1   apply: done
    50.253 n1   | definitions: 1 cluster
    50.254 n1   apply: done
    50.254 n1   | definitions: 2 nodes
    51.255 n1   | vm vm1: live migration from n2 to n3 (policy)
    51.323 n3   QEMU of vm1 waits for it
    51.400 n1   | vm vm1: memory is being sent to n3
    52.255 n2   migration of vm1 begins
    53.303 n2   QEMU of vm1 has handed its guest over
    53.306 n3   guest of vm1 continues
    53.558 n1   | vm vm1: continues on n3
    53.589 n2   QEMU of vm1 ends: killed
    53.619 n1   | vm vm1: moved to n3
   110.250 --   > states
   110.250 --     n1: online
   110.250 --     n2: online
   110.250 --     n3: online
   110.250 --     vm0: running
   110.250 --     vm1: running
   110.250 --     bound: running
   110.250 --     the view: normal
   110.250 --   > explain vm1
   110.250 --     n1: may have it, 1 VMs, 64000 MiB free, wishes cost 0, 0 permille
   110.250 --     n2: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
   110.250 --     n2, health: fail: n2 is yellow; set health="green" on node n2, or change the health policy
   110.250 --     n3: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
   110.250 --     chosen: n1
   110.250 --     another node: nothing
