# A VM goes back to a better preferred owner as its failback says: at once, within its hours, or never; explain says what it waits for.
nodes 3
vms 0
fence all
up
<clusterd>
  <vm name="soon" wanted="running"><memory>1024</memory><disk volume="d0" path="a.raw" format="raw"/>
    <owners><preferred node="n1"/><preferred node="n2" tier="2"/></owners><failback>immediate</failback></vm>
  <vm name="night" wanted="running"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/>
    <owners><preferred node="n1"/></owners><failback after="1min" within="22:00-05:00">delayed</failback></vm>
  <vm name="day" wanted="running"><memory>1024</memory><disk volume="d0" path="e.raw" format="raw"/>
    <owners><preferred node="n1"/></owners><failback after="0s" within="08:10-08:20">delayed</failback></vm>
  <vm name="never" wanted="running"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/>
    <owners><preferred node="n1"/></owners></vm>
  <vm name="sticky" wanted="running"><memory>1024</memory><disk volume="d0" path="d.raw" format="raw"/>
    <owners><preferred node="n1"/></owners><failback>immediate</failback><stickiness>infinite</stickiness></vm>
</clusterd>
wait settle
power-off n1
run 30
states
power-on n1
run 40
explain night
explain day
explain never
explain sticky
run 1200
explain soon
explain day
moves
---
     0.000 --   all is well
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 5 VMs
     0.005 n1   | vm soon: lease being written on volume d0
     0.007 n1   | vm night: lease being written on volume d0
     0.007 n1   | vm day: lease being written on volume d0
     0.007 n1   | vm never: lease being written on volume d0
     0.007 n1   | vm sticky: lease being written on volume d0
     0.020 n1   | vm soon: lease written on volume d0
     0.021 n1   | vm night: lease written on volume d0
     0.023 n1   | vm day: lease written on volume d0
     0.023 n1   | vm never: lease written on volume d0
     0.023 n1   | vm sticky: lease written on volume d0
     0.023 n1   | vm soon: placed on n1
     0.025 n1   | vm day: placed on n1; vm never: placed on n1; vm night: placed on n1; vm sticky: placed on n1
     0.056 n1   QEMU of soon starts
     0.059 n1   QEMU of night starts
     0.059 n1   QEMU of day starts
     0.059 n1   QEMU of never starts
     0.059 n1   QEMU of sticky starts
     0.134 n1   | vm soon: runs on n1
     0.136 n1   | vm night: runs on n1
     0.138 n1   | vm day: runs on n1
     0.138 n1   | vm never: runs on n1
     0.138 n1   | vm sticky: runs on n1
     0.250 --   > power-off n1
     0.250 n1   power off: cut
     0.250 --   > run 30
     2.231 n3   | view 2: n2, n3
     2.233 n3   | node n1: lost: it left corosync's membership
     2.236 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
     2.236 n2   fence agent for n1 is called
     2.736 n2   fence agent for n1: off
     2.738 n3   | node n1: fenced, it is off
     2.779 n2   releases the host id of n1 on d0
     2.781 n3   | node n1: its claims are released
     2.783 n3   | vm day: placed on n2; vm never: placed on n3; vm night: placed on n2; vm soon: placed on n2; vm sticky: placed on n3
     2.817 n3   QEMU of never starts
     2.817 n3   QEMU of sticky starts
     2.817 n2   QEMU of soon starts
     2.817 n2   QEMU of night starts
     2.817 n2   QEMU of day starts
     2.894 n3   | vm never: runs on n3
     2.896 n3   | vm sticky: runs on n3
     2.896 n3   | vm soon: runs on n2
     2.896 n3   | vm night: runs on n2
     2.896 n3   | vm day: runs on n2
    30.250 --   > states
    30.250 --     n1: offline
    30.250 --     n2: online
    30.250 --     n3: online
    30.250 --     soon: running
    30.250 --     night: running
    30.250 --     day: running
    30.250 --     never: running
    30.250 --     sticky: running
    30.250 --     the view: normal
    30.250 --   > power-on n1
    30.250 --   > run 40
    37.250 n1   booted
    37.675 n1   sanlock runs
    37.800 n1   corosync runs
    38.050 n1   clusterd starts
    38.655 n2   | view 3: n1, n2, n3
    38.658 n1   | node n1: back: it takes part again
    38.661 n1   | node n1: no watchdog guards its leases
    49.661 n2   | vm soon: live migration from n2 to n1 (policy)
    49.729 n1   QEMU of soon waits for it
    49.806 n2   | vm soon: memory is being sent to n1
    50.661 n2   migration of soon begins
    51.709 n2   QEMU of soon has handed its guest over
    51.712 n1   guest of soon continues
    51.964 n2   | vm soon: continues on n1
    51.994 n2   QEMU of soon ends: killed
    52.024 n2   | vm soon: moved to n1
    70.250 --   > explain night
    70.250 --     n1: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     n2: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     n3: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
    70.250 --     chosen: n1
    70.250 --     another node: nothing: its better owner may have it in 50321 s
    70.250 --   > explain day
    70.250 --     n1: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     n2: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     n3: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
    70.250 --     chosen: n1
    70.250 --     another node: nothing: its better owner may have it in 521 s
    70.250 --   > explain never
    70.250 --     n1: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     n2: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
    70.250 --     n3: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     chosen: n1
    70.250 --     another node: nothing: it does not go back (failback)
    70.250 --   > explain sticky
    70.250 --     n1: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     n2: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
    70.250 --     n3: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
    70.250 --     chosen: n1
    70.250 --     another node: nothing: its stickiness is infinite
    70.250 --   > run 1200
   590.002 n2   | vm day: live migration from n2 to n1 (policy)
   590.070 n1   QEMU of day waits for it
   590.147 n2   | vm day: memory is being sent to n1
   591.002 n2   migration of day begins
   592.050 n2   QEMU of day has handed its guest over
   592.052 n1   guest of day continues
   592.304 n2   | vm day: continues on n1
   592.335 n2   QEMU of day ends: killed
   592.365 n2   | vm day: moved to n1
  1270.250 --   > explain soon
  1270.250 --     n1: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
  1270.250 --     n2: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
  1270.250 --     n3: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
  1270.250 --     chosen: n1
  1270.250 --     another node: nothing: nothing asks for it
  1270.250 --   > explain day
  1270.250 --     n1: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
  1270.250 --     n2: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
  1270.250 --     n3: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
  1270.250 --     chosen: n1
  1270.250 --     another node: nothing: nothing asks for it
  1270.250 --   > moves
  1270.250 --     move 1: live, policy, done
  1270.250 --     move 2: live, policy, done
