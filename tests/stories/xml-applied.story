# What the XML reader takes is what the cluster then has: NICs get their own addresses and keep them, and what does not fit what
# is there already is refused with its place, or with what is in the way.
nodes 3
vms 1
up
<clusterd>
  <node name="n1" id="1"><attribute name="rack" value="a"/></node>
  <node name="n2" id="2"><attribute name="rack" value="b"/></node>
  <node name="n3" id="3"/>
  <volume name="fast" source="/shared/fast"/>
  <vm name="web" wanted="running">
    <memory unit="GiB">2</memory>
    <disk volume="d0" path="vms/web.raw" format="raw"/>
    <nic bridge="br0"/>
    <nic bridge="br0" mac="52:54:00:00:00:01"/>
    <tag>front</tag>
    <owners><possible node="n1"/><possible node="n2"/></owners>
  </vm>
  <vm name="db">
    <memory unit="GiB">2</memory>
    <disk volume="d0" path="vms/db.raw" format="raw"/>
    <nic bridge="br0"/>
  </vm>
</clusterd>
run 5
<vm name="web" priority="3"><memory unit="GiB">2</memory><disk volume="d0" path="vms/web.raw" format="raw"/>
  <nic bridge="br0"/><nic bridge="br0" mac="52:54:00:00:00:01"/><tag>front</tag></vm>
run 1
<vm name="web" priority="3"><memory unit="GiB">2</memory><disk volume="d0" path="vms/web.raw" format="raw"/>
  <nic bridge="br0"/><nic bridge="br0" mac="52:54:00:00:00:01"/><tag>front</tag><description>The shop</description></vm>
run 1
<vm name="web"><memory unit="GiB">4</memory><disk volume="d0" path="vms/web.raw" format="raw"/></vm>
run 1
<vm name="web"><cpu mode="host"/><memory unit="GiB">2</memory><disk volume="d0" path="vms/web.raw" format="raw"/>
  <nic bridge="br0"/><nic bridge="br0" mac="52:54:00:00:00:01"/></vm>
run 1
<vm name="db" uuid="12345678-1234-1234-1234-123456789abc"><memory unit="GiB">2</memory>
  <disk volume="d0" path="vms/db.raw" format="raw"/></vm>
run 1
<vm name="third"><memory>1024</memory><disk volume="d0" path="vms/db.raw" format="raw"/></vm>
run 1
<vm name="third"><memory>1024</memory><disk volume="none" path="vms/third.raw" format="raw"/></vm>
run 1
<vm name="third"><memory>1024</memory><disk volume="d0" path="vms/third.raw" format="raw"/><nic bridge="br0" mac="52:54:00:00:00:01"/></vm>
run 1
<node name="n2" id="7"/>
run 1
<node name="n4" id="2"/>
run 1
<volume name="d0" source="/elsewhere"/>
run 1
<volume name="fast" source="/shared/faster"/>
run 1
<volume name="fast" source="/shared/fastest"/>
run 20
<cluster name="sim"><root>/elsewhere</root></cluster>
run 1
<cluster name="sim"><migration bandwidth="80"><network>10.1.0.0/16</network><network>fd00::/64</network></migration></cluster>
run 1
explain web
---
     0.000 --   all is well
     0.000 --   > run 5
     0.003 n1   apply: done
     0.003 n1   | definitions: 3 nodes, 1 volume, 2 VMs
     0.005 n1   | volume fast: being prepared by n1
     0.007 n1   | vm web: lease being written on volume d0
     0.020 n1   | volume fast: prepared by n1
     0.021 n1   | vm web: lease written on volume d0
     0.158 n1   | node n1: volume fast online
     0.159 n1   | node n2: volume fast online
     0.159 n1   | node n3: volume fast online
     0.529 n1   | vm web: placed on n2
     0.563 n2   QEMU of web starts
     0.640 n1   | vm web: runs on n2
     5.000 --   > run 1
     5.003 n1   apply: done
     5.003 n1   | definitions: 1 vm
     6.000 --   > run 1
     6.003 n1   apply: done
     6.003 n1   | definitions: 1 vm
     7.000 --   > run 1
     7.003 n1   apply: refused: vm web runs, or may run, on n2: its hardware cannot change; stop it first: clustadm vm stop web
     8.000 --   > run 1
     8.003 n1   apply: refused: vm web runs, or may run, on n2: its guest would not survive another CPU; clustadm vm stop web, apply it again, clustadm vm start web
     9.000 --   > run 1
     9.003 n1   apply: refused: vm db has another uuid, and its leases bear it; leave the uuid out, or remove the vm first
    10.000 --   > run 1
    10.003 n1   apply: refused: disk d0:vms/db.raw is used by vm db; give third another disk, or remove db
    11.000 --   xml:1:45: there is no volume none
    11.000 --   > run 1
    12.000 --   > run 1
    12.003 n1   apply: refused: the MAC of NIC 1 of vm third is that of vm web; leave it out: it is derived
    13.000 --   > run 1
    13.003 n1   apply: refused: node n2 has id 2; keep its id, or remove the node first
    14.000 --   > run 1
    14.003 n1   apply: refused: id 2 of node n4 is that of node n2; give it the nodeid that corosync.conf gives it
    15.000 --   > run 1
    15.003 n1   apply: refused: the source of volume d0 cannot change while vm vm0 uses it; define a new volume
    16.000 --   > run 1
    16.003 n1   apply: done
    16.003 n1   | definitions: 1 volume
    16.005 n1   | volume fast: being prepared by n2
    16.020 n1   | volume fast: prepared by n2
    16.158 n1   | node n1: volume fast online
    16.159 n1   | node n2: volume fast online
    16.159 n1   | node n3: volume fast online
    17.000 --   > run 20
    17.003 n1   apply: done
    17.003 n1   | definitions: 1 volume
    17.005 n1   | volume fast: being prepared by n3
    17.020 n1   | volume fast: prepared by n3
    17.158 n1   | node n1: volume fast online
    17.159 n1   | node n2: volume fast online
    17.159 n1   | node n3: volume fast online
    37.000 --   > run 1
    37.003 n1   apply: refused: the root cannot change while vm vm0 runs, or may run; stop it first: clustadm vm stop vm0
    38.000 --   > run 1
    38.003 n1   apply: done
    38.003 n1   | definitions: 1 cluster
    39.000 --   > explain web
    39.000 --     n1: may have it, 1 VMs, 64000 MiB free, wishes cost 0, 0 permille
    39.000 --     n2: may have it, 1 VMs, 65024 MiB free, wishes cost 0, 0 permille
    39.000 --     n3: may have it, 0 VMs, 65024 MiB free, wishes cost 0, 0 permille
    39.000 --     chosen: n3
    39.000 --     another node: nothing
