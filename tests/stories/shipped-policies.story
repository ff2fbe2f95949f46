# The policies that every cluster begins with, untouched: they advise when CPUs or memory are short for five minutes, and ten minutes
# after a node came in; the one about CPUs closes by itself when the trouble is gone.
nodes 3
vms 4
up
measures
load vm0 3000 256
load vm3 3000 256
heat n1 8000
run 330
tips
heat n1 0
load vm0 100 256
load vm3 100 256
run 60
tips
<vm name="big" wanted="running"><memory unit="MiB">16000</memory>
<owners><preferred node="n2" tier="1"/><preferred node="n3" tier="1"/></owners><disk volume="d0" path="big.raw" format="raw"/></vm>
wait settle
load big 100 16000
heat n2 0 42000
heat n3 0 1000
run 400
tips
heat n2 0 0
vm stop big
run 60
power-off n3
run 120
power-on n3
run 700
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 3000 256
     0.000 --   > load vm3 3000 256
     0.000 --   > heat n1 8000
     0.000 --   > run 330
   293.407 n1   | warning: tip 1, cpu-balance about n1: cpu of n1 is 87 %: move vm0 to n2, vm3 to n3
   330.000 --   > tips
   330.000 --     tip 1 of cpu-balance: open, prediction none
   330.000 --   > heat n1 0
   330.000 --   > load vm0 100 256
   330.000 --   > load vm3 100 256
   330.000 --   > run 60
   343.407 n1   | tip 1 is closed: the trouble is gone
   390.000 --   > tips
   390.000 --     tip 1 of cpu-balance: closed, prediction none
   390.000 --   > wait settle
   390.003 n1   apply: done
   390.003 n1   | definitions: 1 vm
   390.005 n1   | vm big: lease being written on volume d0
   390.020 n1   | vm big: lease written on volume d0
   390.022 n1   | vm big: placed on n2
   390.056 n2   QEMU of big starts
   390.133 n1   | vm big: runs on n2
   390.250 --   > load big 100 16000
   390.250 --   > heat n2 0 42000
   390.250 --   > heat n3 0 1000
   390.250 --   > run 400
   683.408 n1   | warning: tip 2, memory-balance about n2: memory of n2 is 88 %: move big to n3, vm1 to n1, vm2 to n1
   790.250 --   > tips
   790.250 --     tip 1 of cpu-balance: closed, prediction none
   790.250 --     tip 2 of memory-balance: open, prediction none
   790.250 --   > heat n2 0 0
   790.250 --   > vm stop big
   790.250 --   > run 60
   790.253 n1   want big: done
   790.253 n1   | vm big: wanted stopped
   792.380 n2   QEMU of big ends: the guest shut down
   792.396 n1   | vm big: stopped on n2: it is wanted stopped
   803.407 n1   | tip 2 is closed: the trouble is gone
   850.250 --   > power-off n3
   850.250 n3   power off: cut
   850.250 --   > run 120
   852.231 n2   | view 2: n1, n2
   852.233 n2   | node n3: lost: it left corosync's membership
   970.250 --   > power-on n3
   970.250 --   > run 700
   977.250 n3   booted
   977.675 n3   sanlock runs
   977.800 n3   corosync runs
   978.050 n3   clusterd starts
   978.651 n3   | view 2: n1, n2
   978.651 n3   | node n3: lost: it left corosync's membership
   978.655 n2   | view 3: n1, n2, n3
   978.658 n2   | node n3: back: it takes part again
   978.659 n2   | vm vm2: stopped on n3: it was gone when its host came back
   978.661 n2   | node n3: no watchdog guards its leases
   978.662 n2   | vm vm2: placed on n2
   978.696 n2   QEMU of vm2 starts
   978.773 n2   | vm vm2: runs on n2
  1582.237 n2   | tip 3, node-joined about n3: n3 came in: move vm0 to n2, vm1 to n1
  1670.250 --   > tips
  1670.250 --     tip 1 of cpu-balance: closed, prediction none
  1670.250 --     tip 2 of memory-balance: closed, prediction none
  1670.250 --     tip 3 of node-joined: open, prediction none
