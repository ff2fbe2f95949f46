# What is in use is not removed, and the refusal says what uses it; what nobody uses any more is gone, with every mention of it.
nodes 4
vms 2
up
<clusterd>
  <node name="n4" id="4"/>
  <node name="n9" id="9"/>
  <volume name="spare" source="/shared/spare"/>
  <rule name="pair" kind="keep-apart"><vm name="vm0"/><vm name="vm1"/></rule>
  <policy name="busy"><condition of="node" measure="cpu" at-least="80"/><action do="notify"/></policy>
</clusterd>
run 30
remove node/n1
run 1
remove node/none
run 1
remove volume/d0
run 1
remove volume/none
run 1
remove rule/none
run 1
remove policy/none
run 1
remove none
run 1
remove vm0
run 1
remove volume/spare
remove rule/pair
remove policy/busy
remove node/n9
run 5
vm stop vm1
run 10
<vm name="vm1"><memory>1024</memory><disk volume="d0" path="vms/vm1-0.raw" format="raw"/>
  <owners><possible node="n4"/></owners></vm>
run 1
shut-down n4
run 60
remove node/n4
run 1
<vm name="vm1"><memory>1024</memory><disk volume="d0" path="vms/vm1-0.raw" format="raw"/>
  <owners><possible node="n3"/><possible node="n4"/><preferred node="n4"/></owners></vm>
run 1
remove node/n4
run 2
explain vm1
remove vm1
run 2
states
---
     0.000 --   all is well
     0.000 --   > run 30
     0.003 n3   | definitions: 2 nodes, 1 volume, 1 rule, 1 policy
     0.003 n1   apply: done
     0.005 n3   | volume spare: being prepared by n1
     0.020 n3   | volume spare: prepared by n1
     0.024 n3   | node n2: volume spare online
     0.026 n3   | node n3: volume spare online
     0.026 n3   | node n1: volume spare online
     0.026 n3   | node n4: volume spare online
    30.000 --   > remove node/n1
    30.000 --   > run 1
    30.003 n1   remove n1: refused: node n1 is in the cluster, or may still run VMs; stop clusterd on it, or have it fenced, first
    31.000 --   > remove node/none
    31.000 --   > run 1
    31.003 n1   remove none: refused: there is no node none; name one of: clustadm node list
    32.000 --   > remove volume/d0
    32.000 --   > run 1
    32.003 n1   remove d0: refused: volume d0 is used by vm vm0; remove vm0, or move its files, first
    33.000 --   > remove volume/none
    33.000 --   > run 1
    33.003 n1   remove none: refused: there is no volume none; name one of: clustadm volume list
    34.000 --   > remove rule/none
    34.000 --   > run 1
    34.003 n1   remove none: refused: there is no rule none; name one of: clustadm dump rule
    35.000 --   > remove policy/none
    35.000 --   > run 1
    35.003 n1   remove none: refused: there is no policy none; name one of: clustadm policy list
    36.000 --   > remove none
    36.000 --   > run 1
    36.003 n1   remove none: refused: there is no vm none; name one of: clustadm vm list
    37.000 --   > remove vm0
    37.000 --   > run 1
    37.003 n1   remove vm0: refused: vm vm0 runs, or may run, on n1; stop it first: clustadm vm stop vm0
    38.000 --   > remove volume/spare
    38.000 --   > remove rule/pair
    38.000 --   > remove policy/busy
    38.000 --   > remove node/n9
    38.000 --   > run 5
    38.003 n3   | volume spare: removed
    38.003 n1   remove spare: done
    38.005 n3   | rule pair: removed
    38.005 n3   | policy busy: removed
    38.005 n3   | node n9: removed
    38.005 n1   remove pair: done
    38.005 n1   remove busy: done
    38.005 n1   remove n9: done
    43.000 --   > vm stop vm1
    43.000 --   > run 10
    43.003 n3   | vm vm1: wanted stopped
    43.003 n1   want vm1: done
    45.130 n2   QEMU of vm1 ends: the guest shut down
    45.146 n3   | vm vm1: stopped on n2: it is wanted stopped
    53.000 --   > run 1
    53.003 n3   | definitions: 1 vm
    53.003 n1   apply: done
    54.000 --   > shut-down n4
    54.000 n4   the host shuts down
    54.000 --   > run 60
    54.002 n3   | node n4: going down
    54.004 n3   | node n4: leaves
    54.005 n4   clusterd ends
    54.005 n4   power off: shut down
    55.987 n3   | view 2: n1, n2, n3
   114.000 --   > remove node/n4
   114.000 --   > run 1
   114.003 n1   remove n4: refused: node n4 is the only possible owner of vm vm1; give the vm other possible owners first
   115.000 --   > run 1
   115.003 n3   | definitions: 1 vm
   115.003 n1   apply: done
   116.000 --   > remove node/n4
   116.000 --   > run 2
   116.003 n3   | node n4: removed
   116.003 n1   remove n4: done
   116.005 n3   | voters: n1, n2, n3
   118.000 --   > explain vm1
   118.000 --     n1: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
   118.000 --     n1, possible-owner: fail: n1 is not among its possible owners; add n1 to the possible owners of vm1
   118.000 --     n2: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   118.000 --     n2, possible-owner: fail: n2 is not among its possible owners; add n2 to the possible owners of vm1
   118.000 --     n3: may have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   118.000 --     chosen: n3
   118.000 --     another node: nothing
   118.000 --   > remove vm1
   118.000 --   > run 2
   118.002 n2   | vm vm1: removed
   118.003 n1   remove vm1: done
   120.000 --   > states
   120.000 --     n1: online
   120.000 --     n2: online
   120.000 --     n3: online
   120.000 --     vm0: running
   120.000 --     the view: normal
