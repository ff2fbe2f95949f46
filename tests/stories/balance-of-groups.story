# What balances the nodes leaves alone what is to stay: sticky VMs, those that are not to be moved live, a group whose member may not
# move; and moves a group as one, the leader first.
nodes 3
vms 0
up
host n1 memory 16384
host n2 memory 16384
host n3 memory 16384
<clusterd>
  <vm name="a" wanted="running"><memory>2048</memory><disk volume="d0" path="a.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="b" wanted="running"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="c" wanted="running"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="d" wanted="running"><memory>1024</memory><disk volume="d0" path="d.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="e" wanted="running"><memory>1024</memory><disk volume="d0" path="e.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <stickiness>infinite</stickiness></vm>
  <vm name="f" wanted="running"><memory>1024</memory><disk volume="d0" path="f.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>stay</on-drain></vm>
  <vm name="g" wanted="running"><memory>3072</memory><disk volume="d0" path="g.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="h" wanted="running"><memory>512</memory><disk volume="d0" path="h.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <rule name="pair" kind="keep-together"><vm name="a"/><vm name="b"/></rule>
  <rule name="tail" kind="follow"><leader name="c"/><vm name="d"/></rule>
</clusterd>
wait settle
<clusterd>
  <vm name="a"><memory>2048</memory><disk volume="d0" path="a.raw" format="raw"/></vm>
  <vm name="b"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/></vm>
  <vm name="c"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/></vm>
  <vm name="d"><memory>1024</memory><disk volume="d0" path="d.raw" format="raw"/></vm>
  <vm name="e"><memory>1024</memory><disk volume="d0" path="e.raw" format="raw"/><stickiness>infinite</stickiness></vm>
  <vm name="f"><memory>1024</memory><disk volume="d0" path="f.raw" format="raw"/><on-drain>stay</on-drain></vm>
  <vm name="g"><memory>3072</memory><disk volume="d0" path="g.raw" format="raw"/></vm>
  <vm name="h"><memory>512</memory><disk volume="d0" path="h.raw" format="raw"/></vm>
</clusterd>
run 2
plan balance
vm unmanage g
run 1
plan balance
whatif drain n1
vm manage g
balance
run 90
plan balance
tips
quorum
---
     0.000 --   all is well
     0.000 --   > host n1 memory 16384
     0.000 --   > host n2 memory 16384
     0.000 --   > host n3 memory 16384
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 8 VMs, 2 rules
     0.005 n1   | vm a: lease being written on volume d0
     0.007 n1   | vm b: lease being written on volume d0
     0.007 n1   | vm c: lease being written on volume d0
     0.007 n1   | vm d: lease being written on volume d0
     0.007 n1   | vm e: lease being written on volume d0
     0.007 n1   | vm f: lease being written on volume d0
     0.007 n1   | vm g: lease being written on volume d0
     0.007 n1   | vm h: lease being written on volume d0
     0.020 n1   | vm a: lease written on volume d0
     0.021 n1   | vm b: lease written on volume d0
     0.023 n1   | vm c: lease written on volume d0
     0.023 n1   | vm d: lease written on volume d0
     0.023 n1   | vm e: lease written on volume d0
     0.023 n1   | vm f: lease written on volume d0
     0.023 n1   | vm g: lease written on volume d0
     0.023 n1   | vm h: lease written on volume d0
     0.023 n1   | vm a: placed on n1
     0.025 n1   | vm b: placed on n1; vm c: placed on n1; vm d: placed on n1; vm e: placed on n1; vm f: placed on n1; vm g: placed on n1; vm h: placed on n1
     0.056 n1   QEMU of a starts
     0.059 n1   QEMU of b starts
     0.059 n1   QEMU of c starts
     0.059 n1   QEMU of d starts
     0.059 n1   QEMU of e starts
     0.059 n1   QEMU of f starts
     0.059 n1   QEMU of g starts
     0.059 n1   QEMU of h starts
     0.134 n1   | vm a: runs on n1
     0.136 n1   | vm b: runs on n1
     0.138 n1   | vm c: runs on n1
     0.138 n1   | vm d: runs on n1
     0.138 n1   | vm e: runs on n1
     0.138 n1   | vm f: runs on n1
     0.138 n1   | vm g: runs on n1
     0.138 n1   | vm h: runs on n1
     0.250 --   > run 2
     0.253 n1   apply: done
     0.253 n1   | definitions: 8 VMs
     2.250 --   > plan balance
     2.250 --     a from n1 to n2: memory of n1 65.6 % to 46.9 %, of n2 0.0 % to 18.8 %
     2.250 --     b from n1 to n2: memory of n1 65.6 % to 46.9 %, of n2 0.0 % to 18.8 %; kept together with the one before it
     2.250 --     g from n1 to n3: memory of n1 46.9 % to 28.1 %, of n3 0.0 % to 18.8 %
     2.250 --     h from n1 to n3: CPUs of n1 31.3 % to 25.0 %, of n3 6.3 % to 12.5 %
     2.250 --     no further move is worth its cost; 1 VM is not to be moved live (on-drain); 1 VM is to stay where it is (stickiness)
     2.250 --   > vm unmanage g
     2.250 --   > run 1
     2.253 n1   vm manage g: done
     2.253 n1   | vm g: left alone
     3.250 --   > plan balance
     3.250 --     a from n1 to n2: memory of n1 65.6 % to 46.9 %, of n2 0.0 % to 18.8 %
     3.250 --     b from n1 to n2: memory of n1 65.6 % to 46.9 %, of n2 0.0 % to 18.8 %; kept together with the one before it
     3.250 --     c from n1 to n3: memory of n1 46.9 % to 34.4 %, of n3 0.0 % to 12.5 %
     3.250 --     d from n1 to n3: memory of n1 46.9 % to 34.4 %, of n3 0.0 % to 12.5 %; kept together with the one before it
     3.250 --     h from n1 to n3: CPUs of n1 25.0 % to 18.8 %, of n3 12.5 % to 18.8 %
     3.250 --     no further move is worth its cost; 1 VM is unmanaged; 1 VM is not to be moved live (on-drain); 1 VM is to stay where it is (stickiness)
     3.250 --   > whatif drain n1
     3.250 --     node n1: to be emptied for maintenance
     3.250 --     node n1: stuck: f: it is defined to stay (on-drain="stay"); and 1 more
     3.250 --     a moves, n1 to n2
     3.250 --     b moves, n1 to n2
     3.250 --     c moves, n1 to n3
     3.250 --     d moves, n1 to n3
     3.250 --     e moves, n1 to n3
     3.250 --     f waits, n1 to n1: it is defined to stay (on-drain="stay"); clustadm vm migrate f, or stop it
     3.250 --     g waits, n1 to n1: it is unmanaged; clustadm vm manage g, or stop it yourself
     3.250 --     h moves, n1 to n2
     3.250 --   > vm manage g
     3.250 --   > balance
     3.250 --   > run 90
     3.253 n1   vm manage g: done
     3.253 n1   | vm g: managed again
     3.254 n1   policy run: done
     3.254 n1   | a balance is asked for
     3.257 n1   | warning: tip 1 (accepted), balance: move a to n2, b to n2, g to n3, h to n3; left out, for want of measurements: n1, n2, n3
     3.259 n1   | vm a: live migration from n1 to n2 (policy)
     3.261 n1   | vm b: live migration from n1 to n2 (policy)
     3.327 n2   QEMU of a waits for it
     3.329 n2   QEMU of b waits for it
     3.404 n1   | vm a: memory is being sent to n2
     3.406 n1   | vm b: memory is being sent to n2
     4.259 n1   migration of a begins
     4.261 n1   migration of b begins
     5.309 n1   QEMU of b has handed its guest over
     5.311 n2   guest of b continues
     5.563 n1   | vm b: continues on n2
     5.594 n1   QEMU of b ends: killed
     5.624 n1   | vm b: moved to n2
     5.626 n1   | vm g: live migration from n1 to n3 (policy)
     5.694 n3   QEMU of g waits for it
     5.772 n1   | vm g: memory is being sent to n3
     6.407 n1   QEMU of a has handed its guest over
     6.410 n2   guest of a continues
     6.626 n1   migration of g begins
     6.662 n1   | vm a: continues on n2
     6.692 n1   QEMU of a ends: killed
     6.722 n1   | vm a: moved to n2
     6.725 n1   | vm h: live migration from n1 to n3 (policy)
     6.793 n3   QEMU of h waits for it
     6.870 n1   | vm h: memory is being sent to n3
     7.725 n1   migration of h begins
     8.273 n1   QEMU of h has handed its guest over
     8.276 n3   guest of h continues
     8.528 n1   | vm h: continues on n3
     8.559 n1   QEMU of h ends: killed
     8.589 n1   | vm h: moved to n3
     9.774 n1   QEMU of g has handed its guest over
     9.777 n3   guest of g continues
    10.030 n1   | vm g: continues on n3
    10.060 n1   QEMU of g ends: killed
    10.091 n1   | vm g: moved to n3
    10.093 n1   | tip 1 is done: 4 of 4 moves done
    40.096 n1   | tip 1: its prediction held: from 272530 to 42220, predicted 42220
    93.250 --   > plan balance
    93.250 --     no move is worth its cost; 4 VMs rest after their last move; 1 VM is not to be moved live (on-drain); 1 VM is to stay where it is (stickiness)
    93.250 --   > tips
    93.250 --     tip 1 of : done, prediction held
    93.250 --   > quorum
    93.250 --     view 1, coordinator n2, 0 entries behind, 0 messages dropped, 0 measurements
    93.250 --     n1: a voter, up, synchronised, intact, asked
    93.250 --     n2: a voter, up, synchronised
    93.250 --     n3: a voter, up, synchronised
