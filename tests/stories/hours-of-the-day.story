# Hours of the day are meant in the coordinator's local time, by everybody; in UTC where the cluster is defined so. It is 8:00 in UTC.
nodes 3
vms 1
fence all
up
zone n2 -90
zone n1 120
zone n3 120
measures
load vm0 3000 256
<clusterd>
  <policy name="morning" mode="window"><condition of="node" measure="cpu" at-least="40" hold="10s"/><action do="move"/>
    <window from="09:55" to="12:00"/><limits min-gain="1" rest="1min"/></policy>
</clusterd>
heat n1 6000
run 20
tips
power-off n2
run 60
tips
<cluster name="sim"><hours>utc</hours></cluster>
run 10
heat n3 6000
run 40
tips
---
     0.000 --   all is well
     0.000 --   > zone n2 -90
     0.000 --   > zone n1 120
     0.000 --   > zone n3 120
     0.000 --   > measures
     0.000 --   > load vm0 3000 256
     0.000 --   > heat n1 6000
     0.000 --   > run 20
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
     0.005 n1   | hours of the day are meant in UTC-1:30, the local time of n2
     3.408 n1   | warning: tip 1, morning about n1: cpu of n1 is 56 %: move vm0 to n2
    20.000 --   > tips
    20.000 --     tip 1 of morning: open, prediction none
    20.000 --   > power-off n2
    20.000 n2   power off: cut
    20.000 --   > run 60
    21.981 n3   | view 2: n1, n3
    21.983 n3   | node n2: lost: it left corosync's membership
    21.985 n3   | hours of the day are meant in UTC+2:00, the local time of n1
    21.987 n3   | node n2: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
    21.988 n1   fence agent for n2 is called
    21.990 n3   | tip 1 is accepted: by its policy
    21.992 n3   | tip 1: its plan is made anew
    21.995 n3   | vm vm0: live migration from n1 to n3 (policy)
    22.062 n3   QEMU of vm0 waits for it
    22.140 n3   | vm vm0: memory is being sent to n3
    22.488 n1   fence agent for n2: off
    22.490 n3   | node n2: fenced, it is off
    22.530 n1   releases the host id of n2 on d0
    22.532 n3   | node n2: its claims are released
    22.995 n1   migration of vm0 begins
    24.043 n1   QEMU of vm0 has handed its guest over
    24.046 n3   guest of vm0 continues
    24.298 n3   | vm vm0: continues on n3
    24.329 n1   QEMU of vm0 ends: killed
    24.359 n3   | vm vm0: moved to n3
    24.361 n3   | tip 1 is done: 1 of 1 moves done
    64.364 n3   | tip 1: its prediction held: from 562 to 375, predicted 375
    80.000 --   > tips
    80.000 --     tip 1 of morning: done, prediction held
    80.000 --   > run 10
    80.002 n3   | definitions: 1 cluster
    80.003 n1   apply: done
    80.005 n3   | hours of the day are meant in UTC
    90.000 --   > heat n3 6000
    90.000 --   > run 40
   130.000 --   > tips
   130.000 --     tip 1 of morning: done, prediction held
