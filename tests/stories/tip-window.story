# A policy that acts within its hours alone advises outside of them; one that goes by the rate waits until it gets worse fast enough.
nodes 3
vms 3
up
measures
heat n1 9000
<clusterd>
  <policy name="night" mode="window"><condition of="node" measure="cpu" at-least="50" hold="20s"/><action do="notify"/>
    <window from="22:00" to="05:00"/></policy>
  <policy name="morning" mode="window"><condition of="node" measure="cpu" at-least="50" hold="20s"/><action do="notify"/>
    <window from="08:00" to="12:00"/></policy>
  <policy name="rising"><condition of="node" measure="cpu" at-least="20" rate="10" hold="40s"/><action do="notify"/></policy>
  <policy name="emptying"><condition of="volume" measure="free" at-most="100000000" hold="10s"/><action do="notify"/></policy>
</clusterd>
run 60
tips
heat n2 3000
run 20
heat n2 7000
run 20
heat n2 11000
run 40
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > heat n1 9000
     0.000 --   > run 60
     0.003 n1   apply: done
     0.003 n1   | definitions: 4 policies
    13.407 n1   | warning: tip 1, night about n1: cpu of n1 is 56 %
    13.408 n1   | warning: tip 2, morning about n1: cpu of n1 is 56 %
    13.408 n1   | warning: tip 3, emptying about d0: free of d0 is 1048576 MiB
    60.000 --   > tips
    60.000 --     tip 1 of night: open, prediction none
    60.000 --     tip 2 of morning: open, prediction none
    60.000 --     tip 3 of emptying: open, prediction none
    60.000 --   > heat n2 3000
    60.000 --   > run 20
    80.000 --   > heat n2 7000
    80.000 --   > run 20
   100.000 --   > heat n2 11000
   100.000 --   > run 40
   113.407 n1   | warning: tip 4, night about n2: cpu of n2 is 68 %
   113.409 n1   | warning: tip 5, morning about n2: cpu of n2 is 68 %
   113.409 n1   | warning: tip 6, rising about n2: cpu of n2 is 68 %
   140.000 --   > tips
   140.000 --     tip 1 of night: open, prediction none
   140.000 --     tip 2 of morning: open, prediction none
   140.000 --     tip 3 of emptying: open, prediction none
   140.000 --     tip 4 of night: open, prediction none
   140.000 --     tip 5 of morning: open, prediction none
   140.000 --     tip 6 of rising: open, prediction none
