# Why a VM may not be on a node is said for every reason that there is, each with the smallest change that would alter it.
nodes 6
vms 2
volumes 2
up
host n1 memory 4096
host n2 qemu none
host n3 cpus 2
<cluster name="sim"><policies health="leave-on-red" cpu-limit="hard" cpu-overcommit="100"/></cluster>

<clusterd>
  <node name="n4" id="4" health="yellow"><attribute name="rack" value="a"/></node>
  <node name="n5" id="5" health="red"><attribute name="rack" value="b"/></node>
  <node name="n6" id="6"><attribute name="rack" value="b"/></node>
</clusterd>
run 2
<vm name="large" wanted="running"><memory unit="GiB">30</memory><cpus>4</cpus><disk volume="d0" path="large.raw" format="raw"/>
  <owners><possible node="n1"/><possible node="n2"/><possible node="n3"/><possible node="n4"/><possible node="n5"/></owners></vm>
run 2
explain large
states
node unmanage n6
node drain n3
storage lose n4 d0
run 30
explain vm0
node manage n6
node undrain n3
storage restore n4 d0
run 5
<clusterd>
  <vm name="a" wanted="running"><memory>512</memory><disk volume="d0" path="a.raw" format="raw"/></vm>
  <vm name="b"><memory>512</memory><disk volume="d0" path="b.raw" format="raw"/></vm>
  <vm name="c"><memory>512</memory><disk volume="d0" path="c.raw" format="raw"/></vm>
</clusterd>
run 5
<clusterd>
  <rule name="near" kind="keep-together" weight="50"><vm name="a"/><vm name="b"/></rule>
  <rule name="far" kind="keep-apart"><vm name="a"/><vm name="c"/></rule>
  <rule name="after" kind="follow" weight="10"><leader name="a"/><vm name="c"/></rule>
  <rule name="racks" kind="same-attribute" attribute="rack"><leader name="a"/><vm name="b"/></rule>
  <rule name="even" kind="spread" attribute="rack" weight="5"><vm name="vm0"/><vm name="vm1"/><vm name="c"/></rule>
  <rule name="later" kind="start-order"><first name="b"/><then name="c"/></rule>
</clusterd>
run 2
explain b
explain c
explain vm0
vm start c
run 5
states
---
     0.000 --   all is well
     0.000 --   > host n1 memory 4096
     0.000 --   > host n2 qemu none
     0.000 --   > host n3 cpus 2
     0.000 --   > run 2
     0.003 n4   | definitions: 1 cluster
     0.003 n1   apply: done
     0.005 n4   | definitions: 3 nodes
     0.005 n1   apply: done
     0.028 n4   | node n2: no emulator is installed
     2.000 --   > run 2
     2.003 n4   | definitions: 1 vm
     2.003 n1   apply: done
     2.005 n4   | vm large: lease being written on volume d0
     2.020 n4   | vm large: lease written on volume d0
     4.000 --   > explain large
     4.000 --     n1: may not have it, 1 VMs, 3072 MiB free, wishes cost 0, 0 permille
     4.000 --     n1, memory: fail: needs 30720 MiB, 3072 MiB free on n1; add 27648 MiB of memory to n1
     4.000 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
     4.000 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2
     4.000 --     n3: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
     4.000 --     n3, cpus: fail: would promise 4 CPUs of 2 on n3; raise cpu-overcommit, or give fewer CPUs to large
     4.000 --     n4: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
     4.000 --     n4, health: fail: n4 is yellow; set health="green" on node n4, or change the health policy
     4.000 --     n5: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
     4.000 --     n5, health: fail: n5 is red; set health="green" on node n5, or change the health policy
     4.000 --     n6: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
     4.000 --     n6, possible-owner: fail: n6 is not among its possible owners; add n6 to the possible owners of large
     4.000 --     chosen: nowhere: needs 30720 MiB, 3072 MiB free on n1; n2 has no QEMU; would promise 4 CPUs of 2 on n3; n4 is yellow; n5 is red; n6 is not among its possible owners; install qemu-system-x86 on n2
     4.000 --     another node: nothing
     4.000 --   > states
     4.000 --     n1: online
     4.000 --     n2: online
     4.000 --     n3: online
     4.000 --     n4: online
     4.000 --     n5: online
     4.000 --     n6: online
     4.000 --     vm0: running
     4.000 --     vm1: running
     4.000 --     large: waiting: needs 30720 MiB, 3072 MiB free on n1; n2 has no QEMU; would promise 4 CPUs of 2 on n3; n4 is yellow; n5 is red; n6 is not among its possible owners
     4.000 --     the view: normal
     4.000 --   > node unmanage n6
     4.000 --   > node drain n3
     4.000 --   > storage lose n4 d0
     4.000 n4   storage d0 is lost
     4.000 --   > run 30
     4.003 n4   | node n6: left alone
     4.003 n1   node manage n6: done
     4.005 n4   | node n3: to be emptied for maintenance
     4.005 n1   drain n3: done
     4.007 n4   | node n3: drained
     6.252 n4   | node n4: volume d0 lost: probes fail
    12.029 n4   lockspace of d0 fails: sanlock kills its processes
    34.000 --   > explain vm0
    34.000 --     n1: may have it, 1 VMs, 4096 MiB free, wishes cost 0, 0 permille
    34.000 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    34.000 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2
    34.000 --     n3: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
    34.000 --     n3, maintenance: fail: n3 is in maintenance; clustadm node maintenance n3 off
    34.000 --     n4: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    34.000 --     n4, volumes: fail: volume d0 is not online on n4: probes fail; bring d0 back on n4
    34.000 --     n4, health: fail: n4 is yellow; set health="green" on node n4, or change the health policy
    34.000 --     n5: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    34.000 --     n5, health: fail: n5 is red; set health="green" on node n5, or change the health policy
    34.000 --     n6: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    34.000 --     n6, managed: fail: n6 is unmanaged; clustadm node manage n6
    34.000 --     chosen: n1
    34.000 --     another node: nothing
    34.000 --   > node manage n6
    34.000 --   > node undrain n3
    34.000 --   > storage restore n4 d0
    34.000 n4   storage d0 is well
    34.000 --   > run 5
    34.003 n4   | node n6: managed again
    34.003 n1   node manage n6: done
    34.005 n4   | node n3: maintenance is over; its VMs come back
    34.005 n1   drain n3: done
    36.252 n4   | node n4: volume d0 online
    39.000 --   > run 5
    39.003 n4   | definitions: 3 VMs
    39.003 n1   apply: done
    39.005 n4   | vm a: lease being written on volume d0
    39.020 n4   | vm a: lease written on volume d0
    39.023 n4   | vm a: placed on n3
    39.056 n3   QEMU of a starts
    39.134 n4   | vm a: runs on n3
    44.000 --   > run 2
    44.003 n4   | definitions: 6 rules
    44.003 n1   apply: done
    46.000 --   > explain b
    46.000 --     n1: may have it, 1 VMs, 3072 MiB free, wishes cost 50, 0 permille
    46.000 --     n1, keep-together: warn: rule near: others of its group are on n3; a wish of weight 50; drop rule near
    46.000 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 50, 0 permille
    46.000 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2
    46.000 --     n2, keep-together: warn: rule near: others of its group are on n3; a wish of weight 50; drop rule near
    46.000 --     n3: may have it, 1 VMs, 65024 MiB free, wishes cost 0, 0 permille
    46.000 --     n4: may not have it, 0 VMs, 65024 MiB free, wishes cost 50, 0 permille
    46.000 --     n4, health: fail: n4 is yellow; set health="green" on node n4, or change the health policy
    46.000 --     n4, keep-together: warn: rule near: others of its group are on n3; a wish of weight 50; drop rule near
    46.000 --     n4, same-attribute: fail: rule racks: its leader's rack is another one, on n3; drop rule racks
    46.000 --     n5: may not have it, 0 VMs, 65024 MiB free, wishes cost 50, 0 permille
    46.000 --     n5, health: fail: n5 is red; set health="green" on node n5, or change the health policy
    46.000 --     n5, keep-together: warn: rule near: others of its group are on n3; a wish of weight 50; drop rule near
    46.000 --     n5, same-attribute: fail: rule racks: its leader's rack is another one, on n3; drop rule racks
    46.000 --     n6: may not have it, 0 VMs, 65024 MiB free, wishes cost 50, 0 permille
    46.000 --     n6, keep-together: warn: rule near: others of its group are on n3; a wish of weight 50; drop rule near
    46.000 --     n6, same-attribute: fail: rule racks: its leader's rack is another one, on n3; drop rule racks
    46.000 --     chosen: n3
    46.000 --     another node: nothing
    46.000 --   > explain c
    46.000 --     n1: may not have it, 1 VMs, 3072 MiB free, wishes cost 20, 0 permille
    46.000 --     n1, follow: warn: rule after: its leader is on n3; a wish of weight 10; drop rule after
    46.000 --     n1, spread: warn: rule even: fewer are on the rack of n4; a wish of weight 10; drop rule even
    46.000 --     n1, start-order: fail: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 20, 0 permille
    46.000 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2
    46.000 --     n2, follow: warn: rule after: its leader is on n3; a wish of weight 10; drop rule after
    46.000 --     n2, spread: warn: rule even: fewer are on the rack of n4; a wish of weight 10; drop rule even
    46.000 --     n2, start-order: fail: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     n3: may not have it, 1 VMs, 65024 MiB free, wishes cost 10, 0 permille
    46.000 --     n3, keep-apart: fail: rule far: one that it is kept apart from is on n3; drop rule far
    46.000 --     n3, spread: warn: rule even: fewer are on the rack of n4; a wish of weight 10; drop rule even
    46.000 --     n3, start-order: fail: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     n4: may not have it, 0 VMs, 65024 MiB free, wishes cost 10, 0 permille
    46.000 --     n4, health: fail: n4 is yellow; set health="green" on node n4, or change the health policy
    46.000 --     n4, follow: warn: rule after: its leader is on n3; a wish of weight 10; drop rule after
    46.000 --     n4, start-order: fail: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     n5: may not have it, 0 VMs, 65024 MiB free, wishes cost 10, 0 permille
    46.000 --     n5, health: fail: n5 is red; set health="green" on node n5, or change the health policy
    46.000 --     n5, follow: warn: rule after: its leader is on n3; a wish of weight 10; drop rule after
    46.000 --     n5, start-order: fail: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     n6: may not have it, 0 VMs, 65024 MiB free, wishes cost 10, 0 permille
    46.000 --     n6, follow: warn: rule after: its leader is on n3; a wish of weight 10; drop rule after
    46.000 --     n6, start-order: fail: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     chosen: nowhere: rule later: it starts after another one, which is not up; b does not run; clustadm vm start b, or drop rule later
    46.000 --     another node: nothing
    46.000 --   > explain vm0
    46.000 --     n1: may have it, 1 VMs, 4096 MiB free, wishes cost 5, 0 permille
    46.000 --     n1, spread: warn: rule even: fewer are on the rack of n4; a wish of weight 5; drop rule even
    46.000 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 5, 0 permille
    46.000 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2
    46.000 --     n2, spread: warn: rule even: fewer are on the rack of n4; a wish of weight 5; drop rule even
    46.000 --     n3: may have it, 1 VMs, 65024 MiB free, wishes cost 5, 0 permille
    46.000 --     n3, spread: warn: rule even: fewer are on the rack of n4; a wish of weight 5; drop rule even
    46.000 --     n4: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    46.000 --     n4, health: fail: n4 is yellow; set health="green" on node n4, or change the health policy
    46.000 --     n5: may not have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    46.000 --     n5, health: fail: n5 is red; set health="green" on node n5, or change the health policy
    46.000 --     n6: may have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    46.000 --     chosen: n6
    46.000 --     another node: wish: on n6 its wishes cost 0, here 5
    46.000 --   > vm start c
    46.000 --   > run 5
    46.003 n4   | vm c: wanted running
    46.003 n1   want c: done
    46.005 n4   | vm c: lease being written on volume d0
    46.020 n4   | vm c: lease written on volume d0
    51.000 --   > states
    51.000 --     n1: online
    51.000 --     n2: online
    51.000 --     n3: online
    51.000 --     n4: online
    51.000 --     n5: online
    51.000 --     n6: online
    51.000 --     vm0: running
    51.000 --     vm1: running
    51.000 --     large: waiting: needs 30720 MiB, 3072 MiB free on n1; n2 has no QEMU; would promise 5 CPUs of 2 on n3; n4 is yellow; n5 is red; n6 is not among its possible owners
    51.000 --     a: running
    51.000 --     b: stopped
    51.000 --     c: waiting: rule later: it starts after another one, which is not up; b does not run
    51.000 --     the view: normal
