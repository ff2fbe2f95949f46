# A move whose source is lost in the middle, with nothing to prove it dead: the VM may still run there, so it is neither removed nor
# changed, and the refusal says what proves it.
nodes 5
vms 2
up
vm migrate vm0 to n2
wait stage vm0 transfer
power-off n1
run 30
states
remove vm0
remove node/n1
<vm name="vm0"><memory>2048</memory><disk volume="d0" path="vms/vm0-0.raw" format="raw"/></vm>

run 1
node confirm-dead n1
run 30
states
vm quick vm0
wait stage vm0 save
power-off n2
run 30
states
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait stage vm0 transfer
     0.003 n3   | vm vm0: to be moved to n2 (live)
     0.003 n1   move vm0: done
     0.005 n3   | vm vm0: live migration from n1 to n2
     0.073 n2   QEMU of vm0 waits for it
     0.151 n3   | vm vm0: memory is being sent to n2
     0.151 --   > power-off n1
     0.151 n1   power off: cut
     0.151 --   > run 30
     2.133 n4   | view 2: n2, n3, n4, n5
     2.135 n4   | node n1: lost: it left corosync's membership
     2.166 n2   QEMU of vm0 ends: killed
    30.151 --   > states
    30.151 --     n1: lost: it left corosync's membership
    30.151 --     n2: online
    30.151 --     n3: online
    30.151 --     n4: online
    30.151 --     n5: online
    30.151 --     vm0: blocked: it may still run on n1
    30.151 --     vm1: running
    30.151 --     the view: normal
    30.151 --   > remove vm0
    30.151 --   > remove node/n1
    30.151 --   > run 1
    30.154 n2   remove vm0: refused: vm vm0 runs, or may run, on n1; stop it first: clustadm vm stop vm0
    30.156 n2   remove n1: refused: node n1 is in the cluster, or may still run VMs; stop clusterd on it, or have it fenced, first
    30.156 n2   apply: refused: vm vm0 runs, or may run, on n1: its hardware cannot change; stop it first: clustadm vm stop vm0
    31.151 --   > node confirm-dead n1
    31.151 --   > run 30
    35.252 n2   checked host id 1: not renewed
    35.254 n4   | node n1: confirmed dead by the administrator
    35.254 n2   confirm-dead n1: done
    35.294 n2   releases the host id of n1 on d0
    35.297 n4   | node n1: its claims are released
    35.299 n4   | vm vm0: placed on n3
    35.333 n3   QEMU of vm0 starts
    35.410 n4   | vm vm0: runs on n3
    61.151 --   > states
    61.151 --     n1: offline
    61.151 --     n2: online
    61.151 --     n3: online
    61.151 --     n4: online
    61.151 --     n5: online
    61.151 --     vm0: running
    61.151 --     vm1: running
    61.151 --     the view: normal
    61.151 --   > vm quick vm0
    61.151 --   > wait stage vm0 save
    61.154 n4   | vm vm0: to be moved (quick)
    61.154 n2   move vm0: done
    61.157 n4   | vm vm0: quick migration from n3 to n4
    61.157 n3   saving of vm0 begins
    61.157 --   > power-off n2
    61.157 n2   power off: cut
    61.157 --   > run 30
    62.189 n3   state of vm0 is saved
    62.220 n3   QEMU of vm0 ends: killed
    63.139 n5   | view 3: n3, n4, n5
    63.141 n5   | vm vm0: saved on n3
    63.143 n5   | node n2: lost: it left corosync's membership
    63.175 n4   QEMU of vm0 restores it
    65.277 n5   | vm vm0: continues from its saved state on n4
    65.279 n4   guest of vm0 continues
    65.282 n5   | vm vm0: runs on n4
    91.157 --   > states
    91.157 --     n1: offline
    91.157 --     n2: lost: it left corosync's membership
    91.157 --     n3: online
    91.157 --     n4: online
    91.157 --     n5: online
    91.157 --     vm0: running
    91.157 --     vm1: blocked: it may still run on n2
    91.157 --     the view: normal
