# What is measured of a node beyond its CPUs: waiting for memory and for I/O, health as defined, and that it came in; and of a
# volume how slow it is at its slowest node.
nodes 3
vms 3
up
measures
<clusterd>
  <policy name="cpus"><condition of="node" measure="cpu-pressure" at-least="20" hold="20s"/><action do="drain"/></policy>
  <policy name="memory"><condition of="node" measure="memory-pressure" at-least="20" hold="20s"/><action do="save"/></policy>
  <policy name="io"><condition of="node" measure="io-pressure" at-least="30" hold="20s"/><action do="notify"/></policy>
  <policy name="sick"><condition of="node" measure="health" at-least="1" hold="10s"/><action do="drain"/></policy>
  <policy name="slow"><condition of="volume" measure="latency" at-least="500" hold="20s"/><action do="notify"/></policy>
  <policy name="came"><condition of="node" measure="joined" hold="10s"/><action do="balance"/></policy>
</clusterd>
run 20
heat n1 30000
pressure n2 300 0
pressure n3 0 500
storage slow n3 d0
<node name="n2" id="2" health="red"/>
run 80
tips
tip accept 1
run 60
power-off n3
run 100
power-on n3
run 100
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > run 20
     0.003 n1   apply: done
     0.003 n1   | definitions: 6 policies
    20.000 --   > heat n1 30000
    20.000 --   > pressure n2 300 0
    20.000 --   > pressure n3 0 500
    20.000 --   > storage slow n3 d0
    20.000 n3   storage d0 is slow
    20.000 --   > run 80
    20.003 n1   apply: done
    20.003 n1   | definitions: 1 node
    22.252 n1   | node n3: volume d0 slow: a probe took more than a second
    33.408 n1   | warning: tip 1, cpus about n1: cpu-pressure of n1 is 46 %: empty n1
    33.409 n1   | warning: tip 2, memory about n2: memory-pressure of n2 is 30 %: save vm1, the least important of its VMs
    33.409 n1   | warning: tip 3, io about n3: io-pressure of n3 is 50 %
    33.409 n1   | warning: tip 4, sick about n2: health of n2 is red: empty n2
    33.409 n1   | warning: tip 5, slow about d0: latency of d0 is 800 ms
    73.407 n1   | warning: tip 6, volume-latency about d0: latency of d0 is 800 ms
    83.407 n1   | error: tip 7, node-health about n2: health of n2 is red: empty n2
   100.000 --   > tips
   100.000 --     tip 1 of cpus: open, prediction none
   100.000 --     tip 2 of memory: open, prediction none
   100.000 --     tip 3 of io: open, prediction none
   100.000 --     tip 4 of sick: open, prediction none
   100.000 --     tip 5 of slow: open, prediction none
   100.000 --     tip 6 of volume-latency: open, prediction none
   100.000 --     tip 7 of node-health: open, prediction none
   100.000 --   > tip accept 1
   100.000 --   > run 60
   100.003 n1   tip accept: done
   100.003 n1   | tip 1 is accepted
   100.005 n1   | tip 1 is running
   100.008 n1   | vm vm0: live migration from n1 to n3 (drain)
   102.213 n3   QEMU of vm0 waits for it
   102.291 n1   | vm vm0: memory is being sent to n3
   102.291 n1   migration of vm0 begins
   103.339 n1   QEMU of vm0 has handed its guest over
   103.342 n3   guest of vm0 continues
   103.594 n1   | vm vm0: continues on n3
   103.625 n1   QEMU of vm0 ends: killed
   103.643 n1   | node n1: drained
   103.645 n1   | tip 1 is done: the node is empty
   105.793 n1   | vm vm0: moved to n3
   160.000 --   > power-off n3
   160.000 n3   power off: cut
   160.000 --   > run 100
   161.981 n2   | view 2: n1, n2
   161.983 n2   | node n3: lost: it left corosync's membership
   161.987 n2   | tip 5 is closed: the trouble is gone
   161.989 n2   | tip 6 is closed: the trouble is gone
   260.000 --   > power-on n3
   260.000 --   > run 100
   267.000 n3   booted
   267.425 n3   sanlock runs
   267.550 n3   corosync runs
   267.800 n3   clusterd starts
   268.405 n2   | view 3: n1, n2, n3
   268.408 n2   | node n3: back: it takes part again
   268.409 n2   | vm vm0: stopped on n3: it was gone when its host came back
   268.409 n2   | vm vm2: stopped on n3: it was gone when its host came back
   268.411 n2   | node n3: no watchdog guards its leases
   268.412 n2   | vm vm0: placed on n2; vm vm2: placed on n2
   268.446 n2   QEMU of vm0 starts
   268.446 n2   QEMU of vm2 starts
   268.523 n2   | vm vm0: runs on n2
   268.525 n2   | vm vm2: runs on n2
   281.987 n2   | warning: tip 8, came about n3: n3 came in: move vm1 to n3
   360.000 --   > tips
   360.000 --     tip 1 of cpus: done, prediction none
   360.000 --     tip 2 of memory: open, prediction none
   360.000 --     tip 3 of io: open, prediction none
   360.000 --     tip 4 of sick: open, prediction none
   360.000 --     tip 5 of slow: closed, prediction none
   360.000 --     tip 6 of volume-latency: closed, prediction none
   360.000 --     tip 7 of node-health: open, prediction none
   360.000 --     tip 8 of came: open, prediction none
