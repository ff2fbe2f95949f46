# Within its hours a policy does what it advises; outside of them, also over midnight, it waits for an answer.
nodes 3
vms 3
up
measures
load vm0 3000 256
<clusterd>
  <policy name="night" mode="window"><condition of="node" measure="cpu" at-least="50" hold="10s"/><action do="drain"/>
    <window from="22:00" to="05:00"/></policy>
  <policy name="morning" mode="window"><condition of="node" measure="cpu" at-least="40" hold="10s"/><action do="move"/>
    <window from="07:00" to="12:00"/><limits min-gain="1"/></policy>
</clusterd>
heat n1 6000
run 60
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 3000 256
     0.000 --   > heat n1 6000
     0.000 --   > run 60
     0.003 n1   apply: done
     0.003 n1   | definitions: 2 policies
     3.407 n1   | warning: tip 1, night about n1: cpu of n1 is 56 %: empty n1
     3.408 n1   | warning: tip 2, morning about n1: cpu of n1 is 56 %: move vm0 to n2
     3.411 n1   | tip 2 is accepted: by its policy
     3.413 n1   | vm vm0: live migration from n1 to n2 (policy)
     3.481 n2   QEMU of vm0 waits for it
     3.558 n1   | vm vm0: memory is being sent to n2
     4.413 n1   migration of vm0 begins
     5.461 n1   QEMU of vm0 has handed its guest over
     5.464 n2   guest of vm0 continues
     5.716 n1   | vm vm0: continues on n2
     5.747 n1   QEMU of vm0 ends: killed
     5.777 n1   | vm vm0: moved to n2
     5.779 n1   | tip 2 is done: 1 of 1 moves done
    23.407 n1   | tip 1 is closed: the trouble is gone
    45.782 n1   | tip 2: its prediction held: from 562 to 375, predicted 375
    60.000 --   > tips
    60.000 --     tip 1 of night: closed, prediction none
    60.000 --     tip 2 of morning: done, prediction held
