# More is asked for at once than logs have room for, and the stores are slow: proposals wait for room in their order, a node that
# falls behind joins again, what there is no room for is refused, and every request has its answer.
nodes 3
vms 2
up
store slow n1,n2,n3 800
flood 60
run 30
store slow n1,n2,n3 0
run 60
states
store slow n3 20000
flood 60
run 5
flood 60
run 60
store slow n3 0
run 60
states
vm stop vm0
run 10
---
     0.000 --   all is well
     0.000 --   > store slow n1,n2,n3 800
     0.000 --   > flood 60
     0.000 --   > run 30
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.000 n1   apply spoiled: refused: too many changes are under way; try again
     0.000 n2   apply spoiled: refused: too many changes are under way; try again
     0.000 n3   apply spoiled: refused: too many changes are under way; try again
     0.403 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     0.804 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.008 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
     2.410 n3   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    30.000 --   > store slow n1,n2,n3 0
    30.000 --   > run 60
    90.000 --   > states
    90.000 --     n1: online
    90.000 --     n2: online
    90.000 --     n3: online
    90.000 --     vm0: running
    90.000 --     vm1: running
    90.000 --     the view: normal
    90.000 --   > store slow n3 20000
    90.000 --   > flood 60
    90.000 --   > run 5
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.000 n1   apply spoiled: refused: too many changes are under way; try again
    90.000 n2   apply spoiled: refused: too many changes are under way; try again
    90.000 n3   apply spoiled: refused: too many changes are under way; try again
    90.003 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.006 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.022 n3   | warning: the store is too slow: this node falls behind, and joins again when it has caught up
    90.023 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    90.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.000 --   > flood 60
    95.000 --   > run 60
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.000 n3   apply spoiled: refused: too many changes are under way; try again
    95.000 n1   apply spoiled: refused: too many changes are under way; try again
    95.000 n2   apply spoiled: refused: too many changes are under way; try again
    95.003 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.004 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.006 n2   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.023 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    95.025 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
   100.002 n3   leaves the group and joins again
   100.008 n2   | view 2: n1, n2
   100.908 n2   | view 3: n1, n2, n3
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   110.000 n3   apply spoiled: refused: the cluster lost its quorum before the change was confirmed: it may yet happen; look at clustadm status once there is quorum again
   155.000 --   > store slow n3 0
   155.000 --   > run 60
   215.000 --   > states
   215.000 --     n1: online
   215.000 --     n2: online
   215.000 --     n3: online
   215.000 --     vm0: running
   215.000 --     vm1: running
   215.000 --     the view: normal
   215.000 --   > vm stop vm0
   215.000 --   > run 10
   215.002 n2   | vm vm0: wanted stopped
   215.003 n1   want vm0: done
   217.130 n1   QEMU of vm0 ends: the guest shut down
   217.145 n2   | vm vm0: stopped on n1: it is wanted stopped
