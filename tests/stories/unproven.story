# What may still run on a node that nobody proved dead is not removed, changed, moved or started elsewhere, and each refusal says what
# proves it; so is what was saved, what is blocked, and what is in error.
nodes 3
vms 2
up
vm save vm1
run 30
states
<vm name="vm1"><memory>2048</memory><disk volume="d0" path="vms/vm1-0.raw" format="raw"/></vm>
run 1
vm migrate vm1
run 2
power-off n1
run 30
states
remove vm0
run 1
<vm name="vm0"><memory>2048</memory><disk volume="d0" path="vms/vm0-0.raw" format="raw"/></vm>
run 1
vm migrate vm0
vm clear vm0
vm stop vm0
run 5
preflight vm0 live
remove node/n1
run 1
states
node confirm-dead n1
run 60
states
remove node/n1
run 2
vm start vm0
run 20
qemu refuse vm0
qemu die vm0
run 120
states
explain vm0
qemu refuse never
vm clear vm0
run 20
capacity 1
capacity n2
capacity 1 settled
---
     0.000 --   all is well
     0.000 --   > vm save vm1
     0.000 --   > run 30
     0.003 n1   move vm1: done
     0.003 n1   | vm vm1: to be saved
     0.005 n1   | vm vm1: being saved on n2
     0.005 n2   saving of vm1 begins
     1.038 n2   state of vm1 is saved
     1.068 n2   QEMU of vm1 ends: killed
     1.084 n1   | vm vm1: saved on n2
    30.000 --   > states
    30.000 --     n1: online
    30.000 --     n2: online
    30.000 --     n3: online
    30.000 --     vm0: running
    30.000 --     vm1: saved
    30.000 --     the view: normal
    30.000 --   > run 1
    30.003 n1   apply: refused: vm vm1 is saved, and its state fits the hardware that it was saved with; restore it: clustadm vm restore vm1, or drop the saved state: clustadm vm stop --force vm1
    31.000 --   > vm migrate vm1
    31.000 --   > run 2
    31.003 n1   move vm1: refused: vm vm1 does not run; start it: clustadm vm start vm1
    33.000 --   > power-off n1
    33.000 n1   power off: cut
    33.000 --   > run 30
    34.981 n3   | view 2: n2, n3
    34.983 n3   | node n1: lost: it left corosync's membership
    63.000 --   > states
    63.000 --     n1: lost: it left corosync's membership
    63.000 --     n2: online
    63.000 --     n3: online
    63.000 --     vm0: blocked: it may still run on n1
    63.000 --     vm1: saved
    63.000 --     the view: normal
    63.000 --   > remove vm0
    63.000 --   > run 1
    63.003 n2   remove vm0: refused: vm vm0 runs, or may run, on n1; stop it first: clustadm vm stop vm0
    64.000 --   > run 1
    64.003 n2   apply: refused: vm vm0 runs, or may run, on n1: its hardware cannot change; stop it first: clustadm vm stop vm0
    65.000 --   > vm migrate vm0
    65.000 --   > vm clear vm0
    65.000 --   > vm stop vm0
    65.000 --   > run 5
    65.000 n2   move vm0: refused: vm vm0 cannot be moved: where it runs, on n1, no clusterd answers; start clusterd on n1
    65.002 n3   | vm vm0: failures forgotten
    65.003 n2   clear vm0: done
    65.004 n3   | vm vm0: wanted stopped
    65.004 n2   want vm0: done
    70.000 --   > preflight vm0 live
    70.000 --     n2, vm: fail: where it runs, on n1, no clusterd answers; start clusterd on n1 (found running, needed running)
    70.000 --     n3, vm: fail: where it runs, on n1, no clusterd answers; start clusterd on n1 (found running, needed running)
    70.000 --   > remove node/n1
    70.000 --   > run 1
    70.003 n2   remove n1: refused: node n1 is in the cluster, or may still run VMs; stop clusterd on it, or have it fenced, first
    71.000 --   > states
    71.000 --     n1: lost: it left corosync's membership
    71.000 --     n2: online
    71.000 --     n3: online
    71.000 --     vm0: blocked: it may still run on n1
    71.000 --     vm1: saved
    71.000 --     the view: normal
    71.000 --   > node confirm-dead n1
    71.000 --   > run 60
    75.100 n2   checked host id 1: not renewed
    75.102 n3   | node n1: confirmed dead by the administrator
    75.103 n2   confirm-dead n1: done
    75.143 n2   releases the host id of n1 on d0
    75.145 n3   | node n1: its claims are released
   131.000 --   > states
   131.000 --     n1: offline
   131.000 --     n2: online
   131.000 --     n3: online
   131.000 --     vm0: stopped: n1 was lost
   131.000 --     vm1: saved
   131.000 --     the view: normal
   131.000 --   > remove node/n1
   131.000 --   > run 2
   131.002 n3   | node n1: removed
   131.003 n2   remove n1: done
   131.005 n3   | voters: n2, n3
   133.000 --   > vm start vm0
   133.000 --   > run 20
   133.002 n3   | vm vm0: wanted running
   133.003 n2   want vm0: done
   133.005 n3   | vm vm0: placed on n2
   133.039 n2   QEMU of vm0 starts
   133.116 n3   | vm vm0: runs on n2
   153.000 --   > qemu refuse vm0
   153.000 --   > qemu die vm0
   153.000 --   > run 120
   153.000 n2   QEMU of vm0 ends: signal 11
   153.015 n3   | vm vm0: died on n2: signal 11
   153.017 n3   | vm vm0: placed on n2
   153.051 n2   QEMU of vm0 starts
   153.206 n2   QEMU of vm0 ends: qemu: could not open disk
   153.221 n3   | vm vm0: could not be started on n2: qemu: could not open disk
   153.224 n3   | vm vm0: placed on n3
   153.257 n3   QEMU of vm0 starts
   153.412 n3   QEMU of vm0 ends: qemu: could not open disk
   153.428 n3   | vm vm0: could not be started on n3: qemu: could not open disk
   153.430 n3   | vm vm0: placed on n3
   153.464 n3   QEMU of vm0 starts
   153.619 n3   QEMU of vm0 ends: qemu: could not open disk
   153.634 n3   | vm vm0: could not be started on n3: qemu: could not open disk
   153.637 n3   | vm vm0: given up: qemu: could not open disk
   273.000 --   > states
   273.000 --     n2: online
   273.000 --     n3: online
   273.000 --     vm0: error: qemu: could not open disk
   273.000 --     vm1: saved
   273.000 --     the view: normal
   273.000 --   > explain vm0
   273.000 --     n2: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   273.000 --     n2, failures: fail: it failed too often on n2; clustadm vm clear vm0
   273.000 --     n3: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   273.000 --     n3, failures: fail: it failed too often on n3; clustadm vm clear vm0
   273.000 --     chosen: nowhere: it failed too often on n2; it failed too often on n3; clustadm vm clear vm0
   273.000 --     another node: nothing
   273.000 --   > qemu refuse never
   273.000 --   > vm clear vm0
   273.000 --   > run 20
   273.002 n3   | vm vm0: failures forgotten
   273.003 n2   clear vm0: done
   273.005 n3   | vm vm0: placed on n2
   273.039 n2   QEMU of vm0 starts
   273.116 n3   | vm vm0: runs on n2
   293.000 --   > capacity 1
   293.000 --     tolerates any 1 of 2 tried
   293.000 --   > capacity n2
   293.000 --     tolerates any 1 of 1 tried
   293.000 --   > capacity 1 settled
   293.000 --     tolerates any 1 of 2 tried
