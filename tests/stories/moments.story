# What states say in passing: a node that is being fenced, that joins, whose drain is paused; VMs bound to a host that went down on
# purpose, VMs that lack a volume.
nodes 5
vms 3
volumes 2
fence n1
shutdown freeze
up
fence-device n1 slow
power-off n1
run 4
states
run 30
node drain n2
node pause n2
run 1
states
node resume n2
run 20
node undrain n2
shut-down n3
run 20
states
power-on n3
run 9
states
run 30
storage lose n2 d1
storage lose n3 d1
storage lose n4 d1
storage lose n5 d1
run 60
states
<clusterd><volume name="late" source="/shared/late"/>
  <vm name="late" wanted="running"><memory>512</memory><disk volume="late" path="l.raw" format="raw"/></vm></clusterd>
run 0.004
states
explain late
whatif lose n4
remove volume/late
<volume name="late" source="/shared/later"/>
run 5
---
     0.000 --   all is well
     0.000 --   > fence-device n1 slow
     0.000 --   > power-off n1
     0.000 n1   power off: cut
     0.000 --   > run 4
     1.981 n4   | view 2: n2, n3, n4, n5
     1.984 n4   | node n1: lost: it left corosync's membership
     1.986 n4   | node n1: being fenced by n4 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.986 n4   fence agent for n1 is called
     4.000 --   > states
     4.000 --     n1: fencing: its power must be proved off before its VMs may start elsewhere
     4.000 --     n2: online
     4.000 --     n3: online
     4.000 --     n4: online
     4.000 --     n5: online
     4.000 --     vm0: blocked: it may still run on n1
     4.000 --     vm1: running
     4.000 --     vm2: running
     4.000 --     the view: normal
     4.000 --   > run 30
    23.486 n4   fence agent for n1: off
    23.489 n4   | node n1: fenced, it is off
    23.529 n2   releases the host id of n1 on d0
    23.529 n2   releases the host id of n1 on d1
    23.531 n4   | node n1: its claims are released
    23.534 n4   | vm vm0: placed on n4
    23.567 n4   QEMU of vm0 starts
    23.645 n4   | vm vm0: runs on n4
    34.000 --   > node drain n2
    34.000 --   > node pause n2
    34.000 --   > run 1
    34.003 n4   | node n2: to be emptied for maintenance
    34.003 n2   drain n2: done
    34.004 n4   | node n2: its drain is paused
    34.004 n2   drain n2: done
    34.006 n4   | vm vm1: live migration from n2 to n5 (drain)
    34.073 n5   QEMU of vm1 waits for it
    34.151 n4   | vm vm1: memory is being sent to n5
    35.000 --   > states
    35.000 --     n1: offline
    35.000 --     n2: draining: its drain is paused
    35.000 --     n3: online
    35.000 --     n4: online
    35.000 --     n5: online
    35.000 --     vm0: running
    35.000 --     vm1: migrating: to n5: transfer
    35.000 --     vm2: running
    35.000 --     the view: normal
    35.000 --   > node resume n2
    35.000 --   > run 20
    35.003 n4   | node n2: its drain goes on
    35.003 n2   drain n2: done
    35.006 n2   migration of vm1 begins
    36.054 n2   QEMU of vm1 has handed its guest over
    36.056 n5   guest of vm1 continues
    36.309 n4   | vm vm1: continues on n5
    36.340 n2   QEMU of vm1 ends: killed
    36.358 n4   | node n2: drained
    36.370 n4   | vm vm1: moved to n5
    55.000 --   > node undrain n2
    55.000 --   > shut-down n3
    55.000 n3   the host shuts down
    55.000 --   > run 20
    55.002 n4   | node n3: going down
    55.004 n4   | node n2: maintenance is over; its VMs come back
    55.004 n2   drain n2: done
    55.007 n4   | vm vm1: live migration from n5 to n2 (return)
    55.075 n2   QEMU of vm1 waits for it
    55.152 n4   | vm vm1: memory is being sent to n2
    56.007 n5   migration of vm1 begins
    57.055 n5   QEMU of vm1 has handed its guest over
    57.057 n2   guest of vm1 continues
    57.130 n3   QEMU of vm2 ends: the guest shut down
    57.146 n4   | vm vm2: stopped on n3: its host shuts down
    57.149 n4   | node n3: leaves
    57.150 n3   clusterd ends
    57.150 n3   power off: shut down
    59.131 n5   | vm vm1: continues on n2
    59.131 n5   | view 3: n2, n4, n5
    59.162 n5   QEMU of vm1 ends: killed
    59.192 n5   | vm vm1: moved to n2
    75.000 --   > states
    75.000 --     n1: offline
    75.000 --     n2: online
    75.000 --     n3: offline
    75.000 --     n4: online
    75.000 --     n5: online
    75.000 --     vm0: running
    75.000 --     vm1: running
    75.000 --     vm2: waiting: it is bound to this host, which went down on purpose: n3
    75.000 --     the view: normal
    75.000 --   > power-on n3
    75.000 --   > run 9
    82.000 n3   booted
    82.425 n3   sanlock runs
    82.550 n3   corosync runs
    82.800 n3   clusterd starts
    83.405 n4   | view 4: n2, n3, n4, n5
    83.408 n3   | node n3: back: it takes part again
    83.411 n2   | node n3: no watchdog guards its leases
    84.000 --   > states
    84.000 --     n1: offline
    84.000 --     n2: online
    84.000 --     n3: online
    84.000 --     n4: online
    84.000 --     n5: online
    84.000 --     vm0: running
    84.000 --     vm1: running
    84.000 --     vm2: waiting: it is bound to this host, which went down on purpose: n3
    84.000 --     the view: normal
    84.000 --   > run 30
    86.460 n3   | vm vm2: placed on n3
    86.493 n3   QEMU of vm2 starts
    86.571 n3   | vm vm2: runs on n3
   114.000 --   > storage lose n2 d1
   114.000 n2   storage d1 is lost
   114.000 --   > storage lose n3 d1
   114.000 n3   storage d1 is lost
   114.000 --   > storage lose n4 d1
   114.000 n4   storage d1 is lost
   114.000 --   > storage lose n5 d1
   114.000 n5   storage d1 is lost
   114.000 --   > run 60
   116.252 n4   | node n2: volume d1 lost: probes fail
   116.254 n4   | node n3: volume d1 lost: probes fail
   116.254 n4   | node n4: volume d1 lost: probes fail
   116.254 n4   | node n5: volume d1 lost: probes fail
   120.953 n3   lockspace of d1 fails: sanlock kills its processes
   120.983 n3   QEMU of vm2 ends: killed
   120.999 n4   | vm vm2: died on n3: killed
   122.031 n2   lockspace of d1 fails: sanlock kills its processes
   122.031 n4   lockspace of d1 fails: sanlock kills its processes
   122.031 n5   lockspace of d1 fails: sanlock kills its processes
   122.061 n2   QEMU of vm1 ends: killed
   122.077 n4   | vm vm1: died on n2: killed
   174.000 --   > states
   174.000 --     n1: offline
   174.000 --     n2: online
   174.000 --     n3: online
   174.000 --     n4: online
   174.000 --     n5: online
   174.000 --     d1 on n2: lost
   174.000 --     d1 on n3: lost
   174.000 --     d1 on n4: lost
   174.000 --     d1 on n5: lost
   174.000 --     vm0: running
   174.000 --     vm1: waiting: n1 is off; volume d1 is not online on n2: probes fail; volume d1 is not online on n3: probes fail; volume d1 is not online on n4: probes fail; volume d1 is not online on n5: probes fail
   174.000 --     vm2: waiting: n1 is off; volume d1 is not online on n2: probes fail; volume d1 is not online on n3: probes fail; volume d1 is not online on n4: probes fail; volume d1 is not online on n5: probes fail
   174.000 --     the view: normal
   174.000 --   > run 0.004
   174.003 n4   | definitions: 1 volume, 1 vm
   174.003 n2   apply: done
   174.004 --   > states
   174.004 --     n1: offline
   174.004 --     n2: online
   174.004 --     n3: online
   174.004 --     n4: online
   174.004 --     n5: online
   174.004 --     d1 on n2: lost
   174.004 --     d1 on n3: lost
   174.004 --     d1 on n4: lost
   174.004 --     d1 on n5: lost
   174.004 --     late on n1: offline
   174.004 --     late on n2: offline
   174.004 --     late on n3: offline
   174.004 --     late on n4: offline
   174.004 --     late on n5: offline
   174.004 --     vm0: running
   174.004 --     vm1: waiting: n1 is off; volume d1 is not online on n2: probes fail; volume d1 is not online on n3: probes fail; volume d1 is not online on n4: probes fail; volume d1 is not online on n5: probes fail
   174.004 --     vm2: waiting: n1 is off; volume d1 is not online on n2: probes fail; volume d1 is not online on n3: probes fail; volume d1 is not online on n4: probes fail; volume d1 is not online on n5: probes fail
   174.004 --     late: waiting: its volume is not prepared yet: late
   174.004 --     the view: normal
   174.004 --   > explain late
   174.004 --     n1: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   174.004 --     n1, online: fail: n1 is off; bring back n1
   174.004 --     n1, volumes: fail: volume late is not prepared yet; see: clustadm volume show late
   174.004 --     n2: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   174.004 --     n2, volumes: fail: volume late is not prepared yet; see: clustadm volume show late
   174.004 --     n3: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   174.004 --     n3, volumes: fail: volume late is not prepared yet; see: clustadm volume show late
   174.004 --     n4: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
   174.004 --     n4, volumes: fail: volume late is not prepared yet; see: clustadm volume show late
   174.004 --     n5: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
   174.004 --     n5, volumes: fail: volume late is not prepared yet; see: clustadm volume show late
   174.004 --     chosen: nowhere: n1 is off; volume late is not prepared yet; see: clustadm volume show late
   174.004 --     another node: nothing
   174.004 --   > whatif lose n4
   174.004 --     3 of 5 stores, 3 of 5 votes: enough
   174.004 --     node n4: lost: it left corosync's membership
   174.004 --     volume late: being prepared by n2
   174.004 --     volume late: prepared by n2
   174.004 --     n4: it has neither a fence device nor a watchdog: nothing proves that it is off; once you know that it is, say so: clustadm node confirm-dead
   174.004 --     vm0 waits, n4 to n4: n4: it has neither a fence device nor a watchdog: nothing proves that it is off; once you know that it is, say so: clustadm node confirm-dead; clustadm node confirm-dead n4
   174.004 --     vm1 waits, nowhere to nowhere: n1 is off; volume d1 is not online on n2: probes fail; volume d1 is not online on n3: probes fail; n4 is lost; volume d1 is not online on n5: probes fail; bring d1 back on n2
   174.004 --     vm2 waits, nowhere to nowhere: n1 is off; volume d1 is not online on n2: probes fail; volume d1 is not online on n3: probes fail; n4 is lost; volume d1 is not online on n5: probes fail; bring d1 back on n2
   174.004 --     late starts, nowhere to n2
   174.004 --   > remove volume/late
   174.004 --   > run 5
   174.005 n4   | volume late: being prepared by n2
   174.007 n2   remove late: refused: volume late is used by vm late; remove late, or move its files, first
   174.007 n2   apply: refused: the source of volume late cannot change while vm late uses it; define a new volume
   174.158 n4   | node n2: volume late lost: probes fail
   174.159 n4   | node n4: volume late lost: probes fail
   174.159 n4   | node n3: volume late lost: probes fail
   174.159 n4   | node n5: volume late lost: probes fail
   174.260 n4   | volume late: could not be prepared by n2: I/O error
