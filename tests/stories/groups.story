# VMs that are kept together are placed, saved and moved as one; the node that lacks memory for all of them gets none of them, and
# whoever leads them decides.
nodes 4
vms 0
fence all
up
host n1 memory 8192
host n2 memory 2048
host n3 memory 8192
host n4 memory 8192
<clusterd>
  <vm name="a" wanted="running"><memory>1024</memory><disk volume="d0" path="a.raw" format="raw"/><tag>shop</tag></vm>
  <vm name="b" wanted="running"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><tag>shop</tag></vm>
  <vm name="c" wanted="running"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/></vm>
  <vm name="d" wanted="running"><memory>1024</memory><disk volume="d0" path="d.raw" format="raw"/>
    <owners><possible node="n1"/><possible node="n2"/><possible node="n3"/></owners></vm>
</clusterd>
wait settle
<clusterd>
  <rule name="shop" kind="keep-together"><vm tag="shop"/></rule>
  <rule name="also" kind="keep-together"><vm name="b"/><vm name="d"/></rule>
</clusterd>
run 60
states
explain a
explain d
plan drain n1
plan drain n3
node drain n3
run 60
node drain n1
run 60
states
node undrain n1
run 30
vm migrate a to n1
run 60
explain b
vm unmanage b
run 1
explain a
plan drain n1
whatif lose n1
states
---
     0.000 --   all is well
     0.000 --   > host n1 memory 8192
     0.000 --   > host n2 memory 2048
     0.000 --   > host n3 memory 8192
     0.000 --   > host n4 memory 8192
     0.000 --   > wait settle
     0.003 n3   | definitions: 4 VMs
     0.003 n1   apply: done
     0.005 n3   | vm a: lease being written on volume d0
     0.007 n3   | vm b: lease being written on volume d0
     0.007 n3   | vm c: lease being written on volume d0
     0.007 n3   | vm d: lease being written on volume d0
     0.020 n3   | vm a: lease written on volume d0
     0.022 n3   | vm b: lease written on volume d0
     0.024 n3   | vm c: lease written on volume d0
     0.024 n3   | vm d: lease written on volume d0
     0.024 n3   | vm a: placed on n1
     0.026 n3   | vm b: placed on n2; vm c: placed on n3; vm d: placed on n1
     0.057 n1   QEMU of a starts
     0.060 n3   QEMU of c starts
     0.060 n1   QEMU of d starts
     0.060 n2   QEMU of b starts
     0.135 n3   | vm a: runs on n1
     0.137 n3   | vm b: runs on n2
     0.139 n3   | vm d: runs on n1
     0.139 n3   | vm c: runs on n3
     0.250 --   > run 60
     0.253 n3   | definitions: 2 rules
     0.253 n1   apply: done
     0.408 n3   | vm b: live migration from n2 to n1 (policy)
     0.475 n1   QEMU of b waits for it
     0.553 n3   | vm b: memory is being sent to n1
     1.408 n2   migration of b begins
     2.456 n2   QEMU of b has handed its guest over
     2.458 n1   guest of b continues
     2.711 n3   | vm b: continues on n1
     2.742 n2   QEMU of b ends: killed
     2.772 n3   | vm b: moved to n1
    60.250 --   > states
    60.250 --     n1: online
    60.250 --     n2: online
    60.250 --     n3: online
    60.250 --     n4: online
    60.250 --     a: running
    60.250 --     b: running
    60.250 --     c: running
    60.250 --     d: running
    60.250 --     the view: normal
    60.250 --   > explain a
    60.250 --     n1: may have it, 3 VMs, 6144 MiB free, wishes cost 0, 0 permille
    60.250 --     n2: may not have it, 0 VMs, 2048 MiB free, wishes cost 0, 0 permille
    60.250 --     n2, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
    60.250 --     n3: may not have it, 1 VMs, 7168 MiB free, wishes cost 0, 0 permille
    60.250 --     n3, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
    60.250 --     n4: may not have it, 0 VMs, 8192 MiB free, wishes cost 0, 0 permille
    60.250 --     n4, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
    60.250 --     chosen: n1
    60.250 --     another node: nothing: nothing asks for it
    60.250 --   > explain d
    60.250 --     n1: may have it, 3 VMs, 6144 MiB free, wishes cost 0, 0 permille
    60.250 --     n2: may not have it, 0 VMs, 2048 MiB free, wishes cost 0, 0 permille
    60.250 --     n2, keep-together: fail: rule also: others of its group are on n1; drop rule also
    60.250 --     n3: may not have it, 1 VMs, 7168 MiB free, wishes cost 0, 0 permille
    60.250 --     n3, keep-together: fail: rule also: others of its group are on n1; drop rule also
    60.250 --     n4: may not have it, 0 VMs, 8192 MiB free, wishes cost 0, 0 permille
    60.250 --     n4, possible-owner: fail: n4 is not among its possible owners; add n4 to the possible owners of d
    60.250 --     n4, keep-together: fail: rule also: others of its group are on n1; drop rule also
    60.250 --     chosen: n1
    60.250 --     another node: nothing: nothing asks for it
    60.250 --   > plan drain n1
    60.250 --     a goes to n3 (live)
    60.250 --     b goes to n3 (live)
    60.250 --     d goes to n3 (live)
    60.250 --   > plan drain n3
    60.250 --     c goes to n4 (live)
    60.250 --   > node drain n3
    60.250 --   > run 60
    60.253 n3   | node n3: to be emptied for maintenance
    60.253 n1   drain n3: done
    60.255 n3   | vm c: live migration from n3 to n4 (drain)
    60.323 n4   QEMU of c waits for it
    60.401 n3   | vm c: memory is being sent to n4
    61.255 n3   migration of c begins
    62.303 n3   QEMU of c has handed its guest over
    62.306 n4   guest of c continues
    62.559 n3   | vm c: continues on n4
    62.590 n3   QEMU of c ends: killed
    62.608 n3   | node n3: drained
    62.621 n3   | vm c: moved to n4
   120.250 --   > node drain n1
   120.250 --   > run 60
   120.250 n1   drain n1: refused: n3 is in maintenance: of 4 voters 2 would be left, and a quorum needs 3; clustadm node maintenance n3 off
   180.250 --   > states
   180.250 --     n1: online
   180.250 --     n2: online
   180.250 --     n3: maintenance
   180.250 --     n4: online
   180.250 --     a: running
   180.250 --     b: running
   180.250 --     c: running
   180.250 --     d: running
   180.250 --     the view: normal
   180.250 --   > node undrain n1
   180.250 --   > run 30
   180.253 n1   drain n1: refused: node n1 is not in maintenance
   210.250 --   > vm migrate a to n1
   210.250 --   > run 60
   210.253 n1   move a: refused: vm a runs on n1 already; name another node, or none
   270.250 --   > explain b
   270.250 --     n1: may have it, 3 VMs, 6144 MiB free, wishes cost 0, 0 permille
   270.250 --     n2: may not have it, 0 VMs, 2048 MiB free, wishes cost 0, 0 permille
   270.250 --     n2, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
   270.250 --     n3: may not have it, 0 VMs, 8192 MiB free, wishes cost 0, 0 permille
   270.250 --     n3, maintenance: fail: n3 is in maintenance; clustadm node maintenance n3 off
   270.250 --     n3, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
   270.250 --     n4: may not have it, 1 VMs, 7168 MiB free, wishes cost 0, 0 permille
   270.250 --     n4, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
   270.250 --     chosen: n1
   270.250 --     another node: nothing: nothing asks for it
   270.250 --   > vm unmanage b
   270.250 --   > run 1
   270.253 n3   | vm b: left alone
   270.253 n1   vm manage b: done
   271.250 --   > explain a
   271.250 --     n1: may have it, 3 VMs, 6144 MiB free, wishes cost 0, 0 permille
   271.250 --     n2: may not have it, 0 VMs, 2048 MiB free, wishes cost 0, 0 permille
   271.250 --     n2, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
   271.250 --     n3: may not have it, 0 VMs, 8192 MiB free, wishes cost 0, 0 permille
   271.250 --     n3, maintenance: fail: n3 is in maintenance; clustadm node maintenance n3 off
   271.250 --     n3, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
   271.250 --     n4: may not have it, 1 VMs, 7168 MiB free, wishes cost 0, 0 permille
   271.250 --     n4, keep-together: fail: rule shop: others of its group are on n1; drop rule shop
   271.250 --     chosen: n1
   271.250 --     another node: nothing: b is unmanaged
   271.250 --   > plan drain n1
   271.250 --     n1: not without need: n3 is in maintenance: of 4 voters 2 would be left, and a quorum needs 3; clustadm node maintenance n3 off
   271.250 --     a cannot leave (live): n3 is in maintenance; clustadm node maintenance n3 off
   271.250 --     b cannot leave (auto): it is unmanaged; clustadm vm manage b, or stop it yourself
   271.250 --     d cannot leave (live): n3 is in maintenance; n4 is not among its possible owners; clustadm node maintenance n3 off
   271.250 --   > whatif lose n1
   271.250 --     3 of 4 stores, 3 of 4 votes: enough
   271.250 --     node n1: lost: it left corosync's membership
   271.250 --     node n1: being fenced by n4 with fence_sim: its power must be proved off before its VMs may start elsewhere
   271.250 --     node n1: fenced, it is off: its fence device says off
   271.250 --     node n1: its claims are released
   271.250 --     a moves, n1 to n2
   271.250 --     b stays, n1 to nowhere: it is unmanaged: nothing is done about it
   271.250 --     c stays, n4 to n4
   271.250 --     d moves, n1 to n2
   271.250 --   > states
   271.250 --     n1: online
   271.250 --     n2: online
   271.250 --     n3: maintenance
   271.250 --     n4: online
   271.250 --     a: running
   271.250 --     b: unmanaged: it is unmanaged: nothing is done about it
   271.250 --     c: running
   271.250 --     d: running
   271.250 --     the view: normal
