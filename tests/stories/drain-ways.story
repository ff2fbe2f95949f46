# How VMs leave a node that is emptied: live, saved, cold, shut down until it is back, or not at all, as each is defined; and a
# drain for a time ends by itself.
nodes 3
vms 0
fence all
up
<clusterd>
  <vm name="live" wanted="running"><memory>1024</memory><disk volume="d0" path="a.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="low" wanted="running" priority="-1"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="quick" wanted="running"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>quick</on-drain></vm>
  <vm name="cold" wanted="running"><memory>1024</memory><disk volume="d0" path="d.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>cold</on-drain></vm>
  <vm name="down" wanted="running"><memory>1024</memory><disk volume="d0" path="e.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>shutdown</on-drain></vm>
  <vm name="stays" wanted="running"><memory>1024</memory><disk volume="d0" path="f.raw" format="raw"/><owners><preferred node="n1"/></owners>
    <on-drain>stay</on-drain></vm>
  <vm name="alone" wanted="running"><memory>1024</memory><disk volume="d0" path="g.raw" format="raw"/><owners><possible node="n1"/></owners></vm>
</clusterd>
wait settle
vm unmanage live
run 1
plan drain n1
node drain n1
run 2
states
run 60
states
explain down
vm manage live
run 20
node drain n1 stop for 60
run 30
states
plan drain n1
run 60
wait settle
states
moves
---
     0.000 --   all is well
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 7 VMs
     0.005 n1   | vm live: lease being written on volume d0
     0.007 n1   | vm low: lease being written on volume d0
     0.007 n1   | vm quick: lease being written on volume d0
     0.007 n1   | vm cold: lease being written on volume d0
     0.007 n1   | vm down: lease being written on volume d0
     0.007 n1   | vm stays: lease being written on volume d0
     0.007 n1   | vm alone: lease being written on volume d0
     0.020 n1   | vm live: lease written on volume d0
     0.021 n1   | vm low: lease written on volume d0
     0.023 n1   | vm quick: lease written on volume d0
     0.023 n1   | vm cold: lease written on volume d0
     0.023 n1   | vm down: lease written on volume d0
     0.023 n1   | vm stays: lease written on volume d0
     0.023 n1   | vm alone: lease written on volume d0
     0.023 n1   | vm live: placed on n1
     0.025 n1   | vm alone: placed on n1; vm cold: placed on n1; vm down: placed on n1; vm quick: placed on n1; vm stays: placed on n1; vm low: placed on n1
     0.056 n1   QEMU of live starts
     0.059 n1   QEMU of low starts
     0.059 n1   QEMU of quick starts
     0.059 n1   QEMU of cold starts
     0.059 n1   QEMU of down starts
     0.059 n1   QEMU of stays starts
     0.059 n1   QEMU of alone starts
     0.134 n1   | vm live: runs on n1
     0.136 n1   | vm low: runs on n1
     0.138 n1   | vm quick: runs on n1
     0.138 n1   | vm cold: runs on n1
     0.138 n1   | vm down: runs on n1
     0.138 n1   | vm stays: runs on n1
     0.138 n1   | vm alone: runs on n1
     0.250 --   > vm unmanage live
     0.250 --   > run 1
     0.253 n1   vm manage live: done
     0.253 n1   | vm live: left alone
     1.250 --   > plan drain n1
     1.250 --     alone cannot leave (live): n2 is not among its possible owners; n3 is not among its possible owners; add n2 to the possible owners of alone
     1.250 --     cold goes to n2 (cold): it is to be moved cold
     1.250 --     down is shut down until the node is back (cold): it is to be shut down
     1.250 --     live cannot leave (auto): it is unmanaged; clustadm vm manage live, or stop it yourself
     1.250 --     quick goes to n3 (quick): it is to be moved quickly
     1.250 --     stays cannot leave (auto): it is defined to stay (on-drain="stay"); clustadm vm migrate stays, or stop it
     1.250 --     low goes to n2 (quick): its priority is low
     1.250 --   > node drain n1
     1.250 --   > run 2
     1.253 n1   drain n1: done
     1.253 n1   | node n1: to be emptied for maintenance
     1.255 n1   | vm cold: cold move from n1 to n2 (drain)
     1.257 n1   | vm down: being shut down for the maintenance of its node
     3.250 --   > states
     3.250 --     n1: draining
     3.250 --     n2: online
     3.250 --     n3: online
     3.250 --     live: unmanaged: it is unmanaged: nothing is done about it
     3.250 --     low: running
     3.250 --     quick: running
     3.250 --     cold: migrating: to n2: stop
     3.250 --     down: migrating: it is being shut down for the maintenance of its node
     3.250 --     stays: running
     3.250 --     alone: running
     3.250 --     the view: normal
     3.250 --   > run 60
     3.383 n1   QEMU of cold ends: the guest shut down
     3.384 n1   QEMU of down ends: the guest shut down
     3.398 n1   | vm cold: stopped on n1: it is moved, and starts anew elsewhere
     3.400 n1   | vm down: stopped on n1: its node is being emptied, and it is to be shut down for that
     3.401 n1   | vm quick: quick migration from n1 to n3 (drain)
     3.401 n1   saving of quick begins
     3.404 n1   | vm low: quick migration from n1 to n2 (drain)
     3.404 n1   saving of low begins
     3.432 n2   QEMU of cold starts
     3.509 n1   | vm cold: runs on n2
     4.434 n1   state of quick is saved
     4.436 n1   state of low is saved
     4.464 n1   QEMU of quick ends: killed
     4.467 n1   QEMU of low ends: killed
     4.480 n1   | vm quick: saved on n1
     4.482 n1   | vm low: saved on n1
     4.485 n1   | node n1: stuck: alone: n2 is not among its possible owners; n3 is not among its possible owners; and 2 more
     4.514 n3   QEMU of quick restores it
     4.516 n2   QEMU of low restores it
     6.616 n1   | vm quick: continues from its saved state on n3
     6.618 n3   guest of quick continues
     6.618 n1   | vm low: continues from its saved state on n2
     6.620 n2   guest of low continues
     6.620 n1   | vm quick: runs on n3
     6.622 n1   | vm low: runs on n2
    63.250 --   > states
    63.250 --     n1: draining: alone: n2 is not among its possible owners; n3 is not among its possible owners; and 2 more
    63.250 --     n2: online
    63.250 --     n3: online
    63.250 --     live: unmanaged: it is unmanaged: nothing is done about it
    63.250 --     low: running
    63.250 --     quick: running
    63.250 --     cold: running
    63.250 --     down: stopped: shut down until the maintenance is over of n1
    63.250 --     stays: running
    63.250 --     alone: running
    63.250 --     the view: normal
    63.250 --   > explain down
    63.250 --     n1: may not have it, 3 VMs, 62464 MiB free, wishes cost 0, 0 permille
    63.250 --     n1, maintenance: fail: n1 is in maintenance; clustadm node maintenance n1 off
    63.250 --     n2: may have it, 2 VMs, 63488 MiB free, wishes cost 0, 0 permille
    63.250 --     n3: may have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    63.250 --     chosen: n3
    63.250 --     another node: nothing
    63.250 --   > vm manage live
    63.250 --   > run 20
    63.253 n1   vm manage live: done
    63.253 n1   | vm live: managed again
    63.255 n1   | vm live: live migration from n1 to n3 (drain)
    63.257 n1   | node n1: draining
    63.323 n3   QEMU of live waits for it
    63.400 n1   | vm live: memory is being sent to n3
    64.255 n1   migration of live begins
    65.303 n1   QEMU of live has handed its guest over
    65.306 n3   guest of live continues
    65.558 n1   | vm live: continues on n3
    65.589 n1   QEMU of live ends: killed
    65.607 n1   | node n1: stuck: alone: n2 is not among its possible owners; n3 is not among its possible owners; and 1 more
    65.619 n1   | vm live: moved to n3
    83.250 --   > node drain n1 stop for 60
    83.250 --   > run 30
    83.253 n1   drain n1: done
    83.253 n1   | node n1: to be emptied for maintenance
    83.255 n1   | vm alone: being shut down for the maintenance of its node
    83.257 n1   | vm stays: being shut down for the maintenance of its node
    83.257 n1   | node n1: draining
    85.383 n1   QEMU of alone ends: the guest shut down
    85.384 n1   QEMU of stays ends: the guest shut down
    85.398 n1   | vm alone: stopped on n1: its node is being emptied, and it is to be shut down for that
    85.400 n1   | vm stays: stopped on n1: its node is being emptied, and it is to be shut down for that
    85.402 n1   | vm stays: placed on n2
    85.405 n1   | node n1: drained
    85.436 n2   QEMU of stays starts
    85.513 n1   | vm stays: runs on n2
   113.250 --   > states
   113.250 --     n1: maintenance
   113.250 --     n2: online
   113.250 --     n3: online
   113.250 --     live: running
   113.250 --     low: running
   113.250 --     quick: running
   113.250 --     cold: running
   113.250 --     down: stopped: shut down until the maintenance is over of n1
   113.250 --     stays: running
   113.250 --     alone: waiting: n1 is in maintenance; n2 is not among its possible owners; n3 is not among its possible owners
   113.250 --     the view: normal
   113.250 --   > plan drain n1
   113.250 --   > run 60
   143.252 n1   | node n1: maintenance is over; its VMs come back
   143.254 n1   | vm alone: placed on n1; vm down: placed on n1
   143.257 n1   | vm live: live migration from n3 to n1 (return)
   143.258 n1   | vm low: quick migration from n2 to n1 (return)
   143.259 n2   saving of low begins
   143.288 n1   QEMU of down starts
   143.288 n1   QEMU of alone starts
   143.325 n1   QEMU of live waits for it
   143.365 n1   | vm down: runs on n1
   143.367 n1   | vm alone: runs on n1
   143.402 n1   | vm live: memory is being sent to n1
   144.257 n3   migration of live begins
   144.291 n2   state of low is saved
   144.322 n2   QEMU of low ends: killed
   144.337 n1   | vm low: saved on n2
   144.370 n1   QEMU of low restores it
   145.305 n3   QEMU of live has handed its guest over
   145.308 n1   guest of live continues
   145.560 n1   | vm live: continues on n1
   145.563 n1   | vm quick: quick migration from n3 to n1 (return)
   145.563 n3   saving of quick begins
   145.591 n3   QEMU of live ends: killed
   145.621 n1   | vm live: moved to n1
   146.473 n1   | vm low: continues from its saved state on n1
   146.474 n1   guest of low continues
   146.477 n1   | vm low: runs on n1
   146.479 n1   | vm cold: cold move from n2 to n1 (return)
   146.595 n3   state of quick is saved
   146.626 n3   QEMU of quick ends: killed
   146.641 n1   | vm quick: saved on n3
   146.675 n1   QEMU of quick restores it
   148.607 n2   QEMU of cold ends: the guest shut down
   148.622 n1   | vm cold: stopped on n2: it is moved, and starts anew elsewhere
   148.625 n1   | vm stays: live migration from n2 to n1 (return)
   148.656 n1   QEMU of cold starts
   148.692 n1   QEMU of stays waits for it
   148.733 n1   | vm cold: runs on n1
   148.770 n1   | vm stays: memory is being sent to n1
   148.777 n1   | vm quick: continues from its saved state on n1
   148.779 n1   guest of quick continues
   148.781 n1   | vm quick: runs on n1
   149.625 n2   migration of stays begins
   150.673 n2   QEMU of stays has handed its guest over
   150.676 n1   guest of stays continues
   150.929 n1   | vm stays: continues on n1
   150.960 n2   QEMU of stays ends: killed
   150.989 n1   | vm stays: moved to n1
   173.250 --   > wait settle
   173.500 --   > states
   173.500 --     n1: online
   173.500 --     n2: online
   173.500 --     n3: online
   173.500 --     live: running
   173.500 --     low: running
   173.500 --     quick: running
   173.500 --     cold: running
   173.500 --     down: running
   173.500 --     stays: running
   173.500 --     alone: running
   173.500 --     the view: normal
   173.500 --   > moves
   173.500 --     move 2: cold, drain, ended
   173.500 --     move 1: cold, drain, done
   173.500 --     move 3: quick, drain, done
   173.500 --     move 4: quick, drain, done
   173.500 --     move 5: live, drain, done
   173.500 --     move 6: cold, drain, ended
   173.500 --     move 7: cold, drain, ended
   173.500 --     move 8: live, return, done
   173.500 --     move 9: quick, return, done
   173.500 --     move 11: cold, return, done
   173.500 --     move 10: quick, return, done
   173.500 --     move 12: live, return, done
