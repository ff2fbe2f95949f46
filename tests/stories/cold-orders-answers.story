# A VM that is moved cold starts when what it starts after is up again, by the order's own condition, and not as soon as that runs.
nodes 3
vms 0
fence all
up
<clusterd>
  <vm name="db" wanted="running"><memory>1024</memory><disk volume="d0" path="a.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain><address>192.0.2.9</address></vm>
  <vm name="app" wanted="running"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain></vm>
  <vm name="web" wanted="running"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain></vm>
  <rule name="answers" kind="start-order" up="tcp:5432"><first name="db"/><then name="app"/></rule>
  <rule name="warm" kind="start-order" up="delay:15s"><first name="app"/><then name="web"/></rule>
</clusterd>
wait settle
guest silent db
node drain n1
run 60
explain app
states
guest answers db
wait settle
states
---
     0.000 --   all is well
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 3 VMs, 2 rules
     0.005 n1   | vm db: lease being written on volume d0
     0.007 n1   | vm app: lease being written on volume d0
     0.007 n1   | vm web: lease being written on volume d0
     0.020 n1   | vm db: lease written on volume d0
     0.021 n1   | vm app: lease written on volume d0
     0.023 n1   | vm web: lease written on volume d0
     0.023 n1   | vm db: placed on n1
     0.056 n1   QEMU of db starts
     0.134 n1   | vm db: runs on n1
     5.141 n1   | vm db: its TCP port 5432 answers
     5.144 n1   | vm app: placed on n1
     5.177 n1   QEMU of app starts
     5.255 n1   | vm app: runs on n1
    20.254 n1   | vm web: placed on n1
    20.288 n1   QEMU of web starts
    20.365 n1   | vm web: runs on n1
    20.500 --   > guest silent db
    20.500 --   > node drain n1
    20.500 --   > run 60
    20.503 n1   drain n1: done
    20.503 n1   | node n1: to be emptied for maintenance
    20.505 n1   | vm app: to be stopped and started in the order of the rules
    20.507 n1   | vm db: to be stopped and started in the order of the rules
    20.507 n1   | vm web: to be stopped and started in the order of the rules
    20.509 n1   | vm web: cold move from n1 to n2 (drain)
    20.512 n1   | vm app: cold move from n1 to n2 (drain)
    22.637 n1   QEMU of web ends: the guest shut down
    22.652 n1   | vm web: stopped on n1: it is moved, and starts anew elsewhere
    22.655 n1   | vm db: cold move from n1 to n3 (drain)
    24.780 n1   QEMU of app ends: the guest shut down
    24.795 n1   | vm app: stopped on n1: it is moved, and starts anew elsewhere
    26.923 n1   QEMU of db ends: the guest shut down
    26.938 n1   | vm db: stopped on n1: it is moved, and starts anew elsewhere
    26.941 n1   | node n1: drained
    26.972 n3   QEMU of db starts
    27.050 n1   | vm db: runs on n3
    80.500 --   > explain app
    80.500 --     n1: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
    80.500 --     n1, maintenance: fail: n1 is in maintenance; clustadm node maintenance n1 off
    80.500 --     n2: may have it, 2 VMs, 64512 MiB free, wishes cost 0, 0 permille
    80.500 --     n3: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    80.500 --     chosen: n3
    80.500 --     another node: nothing: app is being started
    80.500 --   > states
    80.500 --     n1: maintenance
    80.500 --     n2: online
    80.500 --     n3: online
    80.500 --     db: running
    80.500 --     app: migrating: to n2: start, after answers; db: its TCP port 5432 has not answered
    80.500 --     web: migrating: to n2: start, after warm; app does not run
    80.500 --     the view: normal
    80.500 --   > guest answers db
    80.500 --   > wait settle
    82.057 n1   | vm db: its TCP port 5432 answers
    82.091 n2   QEMU of app starts
    82.168 n1   | vm app: runs on n2
    97.200 n2   QEMU of web starts
    97.277 n1   | vm web: runs on n2
    97.500 --   > states
    97.500 --     n1: maintenance
    97.500 --     n2: online
    97.500 --     n3: online
    97.500 --     db: running
    97.500 --     app: running
    97.500 --     web: running
    97.500 --     the view: normal
