# Whether the cluster stands the loss of one node, or of two, is proved over every constraint, or there is a counter-example by
# name; what would break it is refused where the cluster says so.
nodes 3
vms 2
fence all
up
host n1 memory 4096
host n2 memory 4096
host n3 memory 4096
run 1
capacity 1
capacity 2
<cluster name="sim"><policies tolerate-failures="1" strict="yes"/></cluster>

<vm name="db" wanted="running"><memory unit="GiB">3</memory><disk volume="d0" path="db.raw" format="raw"/></vm>
wait settle
capacity 1
capacity 2
node drain n2
run 2
node drain n2 anyway
run 60
capacity 1
whatif lose n1
whatif lose n1 n3
whatif drain n3
power-off n1
run 30
states
capacity 1
---
     0.000 --   all is well
     0.000 --   > host n1 memory 4096
     0.000 --   > host n2 memory 4096
     0.000 --   > host n3 memory 4096
     0.000 --   > run 1
     1.000 --   > capacity 1
     1.000 --     tolerates any 1 of 3 tried
     1.000 --   > capacity 2
     1.000 --     tolerates any 2 of 3 tried
     1.000 --   > wait settle
     1.003 n1   apply: done
     1.003 n1   | definitions: 1 cluster
     1.004 n1   apply: done
     1.004 n1   | definitions: 1 vm
     1.007 n1   | vm db: lease being written on volume d0
     1.021 n1   | vm db: lease written on volume d0
     1.024 n1   | vm db: placed on n3
     1.058 n3   QEMU of db starts
     1.135 n1   | vm db: runs on n3
     1.250 --   > capacity 1
     1.250 --     tolerates any 1 of 3 tried
     1.250 --   > capacity 2
     1.250 --     if n1 and n2 fail, vm1 has no home: needs 1024 MiB, 0 MiB free on n3; free 1024 MiB on n3
     1.250 --   > node drain n2
     1.250 --   > run 2
     1.253 n1   drain n2: done
     1.253 n1   | node n2: to be emptied for maintenance
     1.255 n1   | vm vm1: live migration from n2 to n1 (drain)
     1.323 n1   QEMU of vm1 waits for it
     1.400 n1   | vm vm1: memory is being sent to n1
     2.255 n2   migration of vm1 begins
     3.250 --   > node drain n2 anyway
     3.250 --   > run 60
     3.253 n1   drain n2: done
     3.253 n1   | node n2: to be emptied for maintenance
     3.303 n2   QEMU of vm1 has handed its guest over
     3.306 n1   guest of vm1 continues
     3.559 n1   | vm vm1: continues on n1
     3.590 n2   QEMU of vm1 ends: killed
     3.607 n1   | node n2: drained
     3.619 n1   | vm vm1: moved to n1
    63.250 --   > capacity 1
    63.250 --     if n1 fails, vm1 has no home: n2 is in maintenance; needs 1024 MiB, 0 MiB free on n3; clustadm node maintenance n2 off
    63.250 --   > whatif lose n1
    63.250 --     2 of 3 stores, 2 of 3 votes: enough
    63.250 --     node n1: lost: it left corosync's membership
    63.250 --     node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    63.250 --     node n1: fenced, it is off: its fence device says off
    63.250 --     node n1: its claims are released
    63.250 --     vm0 moves, n1 to n3
    63.250 --     vm1 waits, n1 to nowhere: n1 is off; n2 is in maintenance; needs 1024 MiB, 0 MiB free on n3; clustadm node maintenance n2 off
    63.250 --     db stays, n3 to n3
    63.250 --   > whatif lose n1 n3
    63.250 --     1 of 3 stores, 1 of 3 votes: not enough
    63.250 --     vm0 waits, n1 to n1: the nodes that are left have no quorum; bring back enough nodes for a majority
    63.250 --     vm1 waits, n1 to n1: the nodes that are left have no quorum; bring back enough nodes for a majority
    63.250 --     db waits, n3 to n3: the nodes that are left have no quorum; bring back enough nodes for a majority
    63.250 --   > whatif drain n3
    63.250 --     node n3: to be emptied for maintenance
    63.250 --     node n3: stuck: db: needs 3072 MiB, 2048 MiB free on n1; n2 is in maintenance
    63.250 --     vm0 stays, n1 to n1
    63.250 --     vm1 stays, n1 to n1
    63.250 --     db waits, n3 to n3: needs 3072 MiB, 2048 MiB free on n1; n2 is in maintenance; clustadm node maintenance n2 off
    63.250 --   > power-off n1
    63.250 n1   power off: cut
    63.250 --   > run 30
    65.231 n3   | view 2: n2, n3
    65.233 n3   | node n1: lost: it left corosync's membership
    65.236 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    65.236 n2   fence agent for n1 is called
    65.736 n2   fence agent for n1: off
    65.738 n3   | node n1: fenced, it is off
    65.779 n2   releases the host id of n1 on d0
    65.781 n3   | node n1: its claims are released
    65.783 n3   | vm vm0: placed on n3
    65.817 n3   QEMU of vm0 starts
    65.894 n3   | vm vm0: runs on n3
    93.250 --   > states
    93.250 --     n1: offline
    93.250 --     n2: maintenance
    93.250 --     n3: online
    93.250 --     vm0: running
    93.250 --     vm1: waiting: n1 is off; n2 is in maintenance; needs 1024 MiB, 0 MiB free on n3
    93.250 --     db: running
    93.250 --     the view: normal
    93.250 --   > capacity 1
    93.250 --     if n3 fails, db has no home: n1 is off; n2 is in maintenance; clustadm node maintenance n2 off
