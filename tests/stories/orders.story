# What starts after others waits for them, or for one of them; an order without symmetry lets them end as they like, a wish lets
# them start without, and one that follows its leader goes where that goes.
nodes 3
vms 5
up
vm stop vm0
vm stop vm1
vm stop vm2
vm stop vm3
run 10
<clusterd>
  <rule name="any" kind="any-of-first"><first name="vm0"/><first name="vm1"/><then name="vm2"/></rule>
  <rule name="loose" kind="start-order" symmetric="no"><first name="vm2"/><then name="vm3"/></rule>
  <rule name="wish" kind="start-order" weight="10"><first name="vm1"/><then name="vm4"/></rule>
</clusterd>
vm start vm2
vm start vm3
run 5
states
vm start vm1
wait settle
vm stop vm2
run 10
states
vm start vm2
vm start vm0
wait settle
vm stop vm1
run 10
states
remove rule/any
remove rule/loose
remove rule/wish
run 1
<clusterd>
  <rule name="delay" kind="start-order" up="delay:10s"><first name="vm0"/><then name="vm1"/></rule>
  <rule name="one" kind="one-at-a-time" at-once="1"><vm name="vm0"/><vm name="vm2"/><vm name="vm3"/></rule>
</clusterd>
vm stop vm0
run 10
vm start vm1
vm start vm0
run 5
explain vm1
run 20
states
<rule name="alone" kind="keep-apart"><vm name="vm0"/><vm name="vm1"/><vm name="vm2"/></rule>

<rule name="near" kind="follow"><leader name="vm0"/><vm name="vm4"/></rule>

run 60
vm migrate vm0
run 60
states
---
     0.000 --   all is well
     0.000 --   > vm stop vm0
     0.000 --   > vm stop vm1
     0.000 --   > vm stop vm2
     0.000 --   > vm stop vm3
     0.000 --   > run 10
     0.003 n1   want vm0: done
     0.003 n1   | vm vm0: wanted stopped
     0.004 n1   want vm1: done
     0.004 n1   | vm vm1: wanted stopped
     0.004 n1   want vm2: done
     0.004 n1   | vm vm2: wanted stopped
     0.004 n1   want vm3: done
     0.004 n1   | vm vm3: wanted stopped
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.132 n1   QEMU of vm3 ends: the guest shut down
     2.132 n2   QEMU of vm1 ends: the guest shut down
     2.132 n3   QEMU of vm2 ends: the guest shut down
     2.146 n1   | vm vm0: stopped on n1: it is wanted stopped
     2.147 n1   | vm vm3: stopped on n1: it is wanted stopped
     2.149 n1   | vm vm1: stopped on n2: it is wanted stopped
     2.149 n1   | vm vm2: stopped on n3: it is wanted stopped
    10.000 --   > vm start vm2
    10.000 --   > vm start vm3
    10.000 --   > run 5
    10.003 n1   apply: done
    10.003 n1   | definitions: 3 rules
    10.004 n1   want vm2: done
    10.004 n1   | vm vm2: wanted running
    10.004 n1   want vm3: done
    10.004 n1   | vm vm3: wanted running
    15.000 --   > states
    15.000 --     n1: online
    15.000 --     n2: online
    15.000 --     n3: online
    15.000 --     vm0: stopped: it is wanted stopped
    15.000 --     vm1: stopped: it is wanted stopped
    15.000 --     vm2: waiting: rule any: it starts after another one, which is not up; vm0 does not run
    15.000 --     vm3: waiting: rule loose: it starts after another one, which is not up; vm2 does not run
    15.000 --     vm4: running
    15.000 --     the view: normal
    15.000 --   > vm start vm1
    15.000 --   > wait settle
    15.003 n1   want vm1: done
    15.003 n1   | vm vm1: wanted running
    15.005 n1   | vm vm1: placed on n1
    15.039 n1   QEMU of vm1 starts
    15.116 n1   | vm vm1: runs on n1
    15.119 n1   | vm vm2: placed on n3
    15.152 n3   QEMU of vm2 starts
    15.230 n1   | vm vm2: runs on n3
    15.232 n1   | vm vm3: placed on n1
    15.266 n1   QEMU of vm3 starts
    15.343 n1   | vm vm3: runs on n1
    15.500 --   > vm stop vm2
    15.500 --   > run 10
    15.503 n1   want vm2: done
    15.503 n1   | vm vm2: wanted stopped
    17.630 n3   QEMU of vm2 ends: the guest shut down
    17.646 n1   | vm vm2: stopped on n3: it is wanted stopped
    25.500 --   > states
    25.500 --     n1: online
    25.500 --     n2: online
    25.500 --     n3: online
    25.500 --     vm0: stopped: it is wanted stopped
    25.500 --     vm1: running
    25.500 --     vm2: stopped: it is wanted stopped
    25.500 --     vm3: running
    25.500 --     vm4: running
    25.500 --     the view: normal
    25.500 --   > vm start vm2
    25.500 --   > vm start vm0
    25.500 --   > wait settle
    25.503 n1   want vm2: done
    25.503 n1   | vm vm2: wanted running
    25.504 n1   want vm0: done
    25.504 n1   | vm vm0: wanted running
    25.506 n1   | vm vm2: placed on n3
    25.508 n1   | vm vm0: placed on n2
    25.540 n3   QEMU of vm2 starts
    25.542 n2   QEMU of vm0 starts
    25.617 n1   | vm vm2: runs on n3
    25.619 n1   | vm vm0: runs on n2
    25.750 --   > vm stop vm1
    25.750 --   > run 10
    25.753 n1   want vm1: done
    25.753 n1   | vm vm1: wanted stopped
    27.880 n1   QEMU of vm1 ends: the guest shut down
    27.896 n1   | vm vm1: stopped on n1: it is wanted stopped
    35.750 --   > states
    35.750 --     n1: online
    35.750 --     n2: online
    35.750 --     n3: online
    35.750 --     vm0: running
    35.750 --     vm1: stopped: it is wanted stopped
    35.750 --     vm2: running
    35.750 --     vm3: running
    35.750 --     vm4: running
    35.750 --     the view: normal
    35.750 --   > remove rule/any
    35.750 --   > remove rule/loose
    35.750 --   > remove rule/wish
    35.750 --   > run 1
    35.753 n1   remove any: done
    35.753 n1   | rule any: removed
    35.754 n1   remove loose: done
    35.754 n1   | rule loose: removed
    35.754 n1   remove wish: done
    35.754 n1   | rule wish: removed
    36.750 --   > vm stop vm0
    36.750 --   > run 10
    36.753 n1   apply: done
    36.753 n1   | definitions: 2 rules
    36.754 n1   want vm0: done
    36.754 n1   | vm vm0: wanted stopped
    38.882 n2   QEMU of vm0 ends: the guest shut down
    38.897 n1   | vm vm0: stopped on n2: it is wanted stopped
    46.750 --   > vm start vm1
    46.750 --   > vm start vm0
    46.750 --   > run 5
    46.753 n1   want vm1: done
    46.753 n1   | vm vm1: wanted running
    46.754 n1   want vm0: done
    46.754 n1   | vm vm0: wanted running
    46.757 n1   | vm vm0: placed on n1
    46.790 n1   QEMU of vm0 starts
    46.868 n1   | vm vm0: runs on n1
    51.750 --   > explain vm1
    51.750 --     n1: may not have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
    51.750 --     n1, start-order: fail: rule delay: it starts after another one, which is not up; vm0 has not run for 10 s; drop rule delay
    51.750 --     n2: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    51.750 --     n2, start-order: fail: rule delay: it starts after another one, which is not up; vm0 has not run for 10 s; drop rule delay
    51.750 --     n3: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    51.750 --     n3, start-order: fail: rule delay: it starts after another one, which is not up; vm0 has not run for 10 s; drop rule delay
    51.750 --     chosen: nowhere: rule delay: it starts after another one, which is not up; vm0 has not run for 10 s; drop rule delay
    51.750 --     another node: nothing
    51.750 --   > run 20
    56.867 n1   | vm vm1: placed on n2
    56.901 n2   QEMU of vm1 starts
    56.978 n1   | vm vm1: runs on n2
    71.750 --   > states
    71.750 --     n1: online
    71.750 --     n2: online
    71.750 --     n3: online
    71.750 --     vm0: running
    71.750 --     vm1: running
    71.750 --     vm2: running
    71.750 --     vm3: running
    71.750 --     vm4: running
    71.750 --     the view: normal
    71.750 --   > run 60
    71.753 n1   apply: done
    71.753 n1   | definitions: 1 rule
    71.754 n1   apply: done
    71.754 n1   | definitions: 1 rule
    72.755 n1   | vm vm4: live migration from n2 to n1 (policy)
    72.822 n1   QEMU of vm4 waits for it
    72.900 n1   | vm vm4: memory is being sent to n1
    73.755 n2   migration of vm4 begins
    74.803 n2   QEMU of vm4 has handed its guest over
    74.806 n1   guest of vm4 continues
    75.058 n1   | vm vm4: continues on n1
    75.089 n2   QEMU of vm4 ends: killed
    75.119 n1   | vm vm4: moved to n1
   131.750 --   > vm migrate vm0
   131.750 --   > run 60
   131.750 n1   move vm0: refused: vm vm0 cannot be moved: rule alone: one that it is kept apart from is on n2; rule alone: one that it is kept apart from is on n3; drop rule alone
   191.750 --   > states
   191.750 --     n1: online
   191.750 --     n2: online
   191.750 --     n3: online
   191.750 --     vm0: running
   191.750 --     vm1: running
   191.750 --     vm2: running
   191.750 --     vm3: running
   191.750 --     vm4: running
   191.750 --     the view: normal
