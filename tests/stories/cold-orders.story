# VMs that start after others and leave their node cold end in the reverse of their order and start in it again where they go; one
# that is saved has room for its state, or is not saved.
nodes 3
vms 0
fence all
up
<clusterd>
  <vm name="db" wanted="running"><memory>1024</memory><disk volume="d0" path="a.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain></vm>
  <vm name="app" wanted="running"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain></vm>
  <vm name="web" wanted="running"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain></vm>
  <vm name="big" wanted="running"><memory unit="TiB">2</memory><disk volume="d0" path="d.raw" format="raw"/></vm>
  <vm name="half" wanted="running"><memory unit="GiB">900</memory><disk volume="d0" path="e.raw" format="raw"/></vm>
  <rule name="first" kind="start-order"><first name="db"/><then name="app"/></rule>
  <rule name="second" kind="start-order"><first name="app"/><then name="web"/></rule>
</clusterd>
host n3 memory 4000000
wait settle
preflight big save
preflight half save
vm save big
run 2
vm save half
run 2
vm cancel half
plan drain n1
node drain n1
run 5
states
plan drain n1
run 40
states
node undrain n1
run 60
vm stop db
run 3
states
vm migrate app
vm migrate web
run 60
states
moves
---
     0.000 --   all is well
     0.000 --   > host n3 memory 4000000
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 5 VMs, 2 rules
     0.005 n1   | vm db: lease being written on volume d0
     0.007 n1   | vm app: lease being written on volume d0
     0.007 n1   | vm web: lease being written on volume d0
     0.007 n1   | vm big: lease being written on volume d0
     0.007 n1   | vm half: lease being written on volume d0
     0.020 n1   | vm db: lease written on volume d0
     0.021 n1   | vm app: lease written on volume d0
     0.023 n1   | vm web: lease written on volume d0
     0.023 n1   | vm big: lease written on volume d0
     0.023 n1   | vm half: lease written on volume d0
     0.023 n1   | vm db: placed on n1
     0.030 n1   | vm big: placed on n3; vm half: placed on n3
     0.056 n1   QEMU of db starts
     0.064 n3   QEMU of big starts
     0.064 n3   QEMU of half starts
     0.134 n1   | vm db: runs on n1
     0.136 n1   | vm app: placed on n1
     0.141 n1   | vm big: runs on n3
     0.143 n1   | vm half: runs on n3
     0.170 n1   QEMU of app starts
     0.247 n1   | vm app: runs on n1
     0.250 n1   | vm web: placed on n1
     0.283 n1   QEMU of web starts
     0.361 n1   | vm web: runs on n1
     0.500 --   > preflight big save
     0.500 --     n1, space: fail: its saved state takes up to 2202073 MiB, 1048576 MiB are free on volume d0; free space on volume d0 (found 1048576 MiB, needed 2202073 MiB)
     0.500 --     n2, space: fail: its saved state takes up to 2202073 MiB, 1048576 MiB are free on volume d0; free space on volume d0 (found 1048576 MiB, needed 2202073 MiB)
     0.500 --   > preflight half save
     0.500 --     n1, space: warn: its saved state takes up to 967744 MiB, 1048576 MiB are free on volume d0; free space on volume d0 (found 1048576 MiB, needed 967744 MiB)
     0.500 --     n2, space: warn: its saved state takes up to 967744 MiB, 1048576 MiB are free on volume d0; free space on volume d0 (found 1048576 MiB, needed 967744 MiB)
     0.500 --   > vm save big
     0.500 --   > run 2
     0.500 n1   move big: refused: vm big cannot be saved: its saved state takes up to 2202073 MiB, 1048576 MiB are free on volume d0; free space on volume d0
     2.500 --   > vm save half
     2.500 --   > run 2
     2.503 n1   move half: done
     2.503 n1   | vm half: to be saved
     2.505 n1   | vm half: being saved on n3
     2.505 n3   saving of half begins
     4.500 --   > vm cancel half
     4.500 --   > plan drain n1
     4.500 --     app goes to n2 (cold): it is to be moved cold
     4.500 --     db goes to n2 (cold): it is to be moved cold
     4.500 --     web goes to n3 (cold): it is to be moved cold
     4.500 --   > node drain n1
     4.500 --   > run 5
     4.503 n1   cancel half: done
     4.503 n1   | vm half: its move is cancelled
     4.503 n3   saving of half ends: cancelled
     4.504 n1   drain n1: done
     4.504 n1   | node n1: to be emptied for maintenance
     4.506 n1   | vm half: could not be saved: cancelled
     4.508 n1   | vm app: to be stopped and started in the order of the rules
     4.510 n1   | vm db: to be stopped and started in the order of the rules
     4.510 n1   | vm web: to be stopped and started in the order of the rules
     4.512 n1   | vm web: cold move from n1 to n3 (drain)
     4.515 n1   | vm app: cold move from n1 to n2 (drain)
     6.640 n1   QEMU of web ends: the guest shut down
     6.655 n1   | vm web: stopped on n1: it is moved, and starts anew elsewhere
     6.658 n1   | vm db: cold move from n1 to n2 (drain)
     8.783 n1   QEMU of app ends: the guest shut down
     8.798 n1   | vm app: stopped on n1: it is moved, and starts anew elsewhere
     9.500 --   > states
     9.500 --     n1: draining
     9.500 --     n2: online
     9.500 --     n3: online
     9.500 --     db: migrating: to n2: stop
     9.500 --     app: migrating: to n2: start, after first
     9.500 --     web: migrating: to n3: start, after second; app does not run
     9.500 --     big: running
     9.500 --     half: running
     9.500 --     the view: normal
     9.500 --   > plan drain n1
     9.500 --     db is waited for (auto): it is being moved
     9.500 --   > run 40
    10.926 n1   QEMU of db ends: the guest shut down
    10.941 n1   | vm db: stopped on n1: it is moved, and starts anew elsewhere
    10.944 n1   | node n1: drained
    10.975 n2   QEMU of db starts
    11.052 n1   | vm db: runs on n2
    11.086 n2   QEMU of app starts
    11.163 n1   | vm app: runs on n2
    11.197 n3   QEMU of web starts
    11.275 n1   | vm web: runs on n3
    49.500 --   > states
    49.500 --     n1: maintenance
    49.500 --     n2: online
    49.500 --     n3: online
    49.500 --     db: running
    49.500 --     app: running
    49.500 --     web: running
    49.500 --     big: running
    49.500 --     half: running
    49.500 --     the view: normal
    49.500 --   > node undrain n1
    49.500 --   > run 60
    49.503 n1   drain n1: done
    49.503 n1   | node n1: maintenance is over; its VMs come back
    49.505 n1   | vm db: to be stopped and started in the order of the rules
    49.507 n1   | vm app: to be stopped and started in the order of the rules
    49.507 n1   | vm web: to be stopped and started in the order of the rules
    49.509 n1   | vm web: cold move from n3 to n1 (return)
    49.512 n1   | vm app: cold move from n2 to n1 (return)
    51.637 n3   QEMU of web ends: the guest shut down
    51.653 n1   | vm web: stopped on n3: it is moved, and starts anew elsewhere
    51.655 n1   | vm db: cold move from n2 to n1 (return)
    53.781 n2   QEMU of app ends: the guest shut down
    53.796 n1   | vm app: stopped on n2: it is moved, and starts anew elsewhere
    55.924 n2   QEMU of db ends: the guest shut down
    55.939 n1   | vm db: stopped on n2: it is moved, and starts anew elsewhere
    55.972 n1   QEMU of db starts
    56.050 n1   | vm db: runs on n1
    56.083 n1   QEMU of app starts
    56.161 n1   | vm app: runs on n1
    56.194 n1   QEMU of web starts
    56.272 n1   | vm web: runs on n1
   109.500 --   > vm stop db
   109.500 --   > run 3
   109.503 n1   want db: done
   109.503 n1   | vm db: wanted stopped
   111.630 n1   QEMU of web ends: the guest shut down
   111.646 n1   | vm web: stopped on n1: what it starts after is stopped
   112.500 --   > states
   112.500 --     n1: online
   112.500 --     n2: online
   112.500 --     n3: online
   112.500 --     db: stopping
   112.500 --     app: stopping: what it starts after is stopped
   112.500 --     web: waiting: rule second: it starts after another one, which is not up; app does not run
   112.500 --     big: running
   112.500 --     half: running
   112.500 --     the view: normal
   112.500 --   > vm migrate app
   112.500 --   > vm migrate web
   112.500 --   > run 60
   112.503 n1   move app: done
   112.503 n1   | vm app: to be moved (live)
   112.504 n1   move web: refused: vm web does not run; start it: clustadm vm start web
   112.506 n1   | vm app: live migration from n1 to n2
   113.773 n1   QEMU of app ends: the guest shut down
   113.789 n1   | vm app: stopped on n1: what it starts after is stopped
   115.919 n1   QEMU of db ends: the guest shut down
   115.934 n1   | vm db: stopped on n1: it is wanted stopped
   172.500 --   > states
   172.500 --     n1: online
   172.500 --     n2: online
   172.500 --     n3: online
   172.500 --     db: stopped: it is wanted stopped
   172.500 --     app: waiting: rule first: it starts after another one, which is not up; db does not run
   172.500 --     web: waiting: rule second: it starts after another one, which is not up; app does not run
   172.500 --     big: running
   172.500 --     half: running
   172.500 --     the view: normal
   172.500 --   > moves
   172.500 --     move 1: save, request, cancelled
   172.500 --     move 3: cold, drain, done
   172.500 --     move 2: cold, drain, done
   172.500 --     move 4: cold, drain, done
   172.500 --     move 5: cold, return, done
   172.500 --     move 6: cold, return, done
   172.500 --     move 7: cold, return, done
   172.500 --     move 8: live, request, restarted
