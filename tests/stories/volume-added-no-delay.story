# A volume that is added while a node cannot join anything holds up no failover: only a cluster that starts cold waits for its nodes.
nodes 3
vms 3
volumes 1
fence all
up
run 60
kill sanlock n2
run 1
<volume name="d1" source="/srv/d1"/>

run 1
power-off n3
run 30
states
---
     0.000 --   all is well
     0.000 --   > run 60
    60.000 --   > kill sanlock n2
    60.000 n2   sanlock is killed
    60.000 --   > run 1
    60.025 n2   | warning: sanlock is gone: the leases of this host count for nothing, so its VMs are ended
    60.056 n2   QEMU of vm1 ends: killed
    60.071 n1   | vm vm1: stopped on n2: sanlock died on its host, and its lease with it
    60.073 n1   | vm vm1: placed on n1
    61.000 --   > run 1
    61.003 n1   apply: done
    61.003 n1   | definitions: 1 volume
    61.005 n1   | volume d1: being prepared by n1
    61.020 n1   | volume d1: prepared by n1
    61.158 n1   | node n1: volume d1 online
    61.159 n1   | node n2: volume d1 online
    61.159 n1   | node n3: volume d1 online
    61.895 n1   | vm vm1: waits for its lease on n1: a living host holds it
    62.000 --   > power-off n3
    62.000 n3   power off: cut
    62.000 --   > run 30
    63.981 n2   | view 2: n1, n2
    63.983 n2   | node n3: lost: it left corosync's membership
    63.987 n2   | node n3: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
    63.988 n1   fence agent for n3 is called
    64.488 n1   fence agent for n3: off
    64.490 n2   | node n3: fenced, it is off
    64.530 n1   releases the host id of n3 on d0
    64.530 n1   releases the host id of n3 on d1
    64.532 n2   | node n3: its claims are released
    64.535 n2   | vm vm2: placed on n1
    64.569 n1   QEMU of vm2 starts
    64.646 n2   | vm vm2: runs on n1
    92.000 --   > states
    92.000 --     n1: online
    92.000 --     n2: online
    92.000 --     n3: offline
    92.000 --     vm0: running
    92.000 --     vm1: starting: its holder may be dead
    92.000 --     vm2: running
    92.000 --     the view: normal
