# The words for states are a promise to whoever reads them by a program: here they all are, and no two of a kind are alike. Beside
# them the arithmetic of a lease's death.
nodes 2
vms 0
up
words
timing 10
timing 1
---
     0.000 --   all is well
     0.000 --   > words
     0.000 --     VMs: running, stopped, waiting, error, blocked, starting, stopping, migrating, unmanaged, disabled, saved, ?
     0.000 --     nodes: online, offline, lost, fencing, maintenance, draining, isolated, quarantined, unmanaged, joining, ?
     0.000 --     volumes: offline, online, slow, lost, ?
     0.000 --     measures: cpu, cpu-pressure, memory, memory-pressure, io-pressure, vm-cpu, vm-memory, vm-read, vm-write, vm-received, vm-sent, volume-latency, ?
     0.000 --     cpu in permille
     0.000 --     cpu-pressure in permille
     0.000 --     memory in permille
     0.000 --     memory-pressure in permille
     0.000 --     io-pressure in permille
     0.000 --     vm-cpu in permille
     0.000 --     vm-memory in MiB
     0.000 --     vm-read in KiB/s
     0.000 --     vm-write in KiB/s
     0.000 --     vm-received in KiB/s
     0.000 --     vm-sent in KiB/s
     0.000 --     volume-latency in us
     0.000 --     ? in ?
     0.000 --     a VM's life on its host: offline, spawning, leasing, waiting for its lease, leased, starting, waiting for its guest, restoring, restored, continuing, running, handed over, stopping, ending, releasing, ended, ?
     0.000 --     kinds of moves: auto, live, quick, cold, save, ?
     0.000 --     stages: asked, prepare, transfer, hand-over, clean-up, undo, save, restore, stop, start, ?
     0.000 --     outcomes: done, stayed, cancelled, refused, restarted, saved, ended, ?
     0.000 --     causes: request, drain, return, policy, ?
     0.000 --     drains: none, draining, paused, stuck, drained, ?
     0.000 --     a source: preparing, sending, switching, cancelling, handed over, resuming, failed, taking, stayed, ending, gone, ?
     0.000 --     a target: preparing, listening, continuing, runs, owns, ending, gone, ?
     0.000 --     a saving: waiting, saving, saved, gone, failed, ended, ?
     0.000 --     preflight: vm, node, possible-owner, emulator, qemu-version, machine, architecture, accelerator, cpu-vendor, cpu-model, cpu-features, cpus, memory, huge-pages, volumes, images, leases, bridges, devices, network, tls, space, ?
     0.000 --     placement: online, managed, maintenance, possible-owner, emulator, volumes, memory, failures, cpus, health, keep-together, keep-apart, follow, same-attribute, spread, start-order, ?
     0.000 --     another node: nothing, must, failback, wish, ?
     0.000 --     dimensions: memory, CPUs, number of VMs, ?
     0.000 --     tips: open, accepted, running, done, dismissed, closed, ?
     0.000 --     predictions: none, pending, held, failed, unknown, ?
     0.000 --     what if: stays, moves, starts, stops, waits, ?
     0.000 --   > timing 10
     0.000 --     renewed every 20 s, warned at 60 s, unfed at 70 s, failed at 80 s, killed at 120 s, reset from 120 s, dead at 140 s
     0.000 --     65 s: warned
     0.000 --     75 s: warned unfed
     0.000 --     85 s: warned unfed failed asked
     0.000 --     85 s, and a VM is deaf: warned unfed failed asked killed
     0.000 --     85 s, and a VM cannot be killed: warned unfed failed asked killed reset
     0.000 --     130 s, and sanlock sleeps: warned unfed failed killed reset
     0.000 --   > timing 1
     0.000 --     renewed every 2 s, warned at 6 s, unfed at 2 s, failed at 8 s, killed at 48 s, reset from 60 s, dead at 68 s
     0.000 --     65 s: warned unfed failed asked
     0.000 --     75 s: warned unfed failed asked
     0.000 --     85 s: warned unfed failed asked
     0.000 --     85 s, and a VM is deaf: warned unfed failed asked killed
     0.000 --     85 s, and a VM cannot be killed: warned unfed failed asked killed reset
     0.000 --     130 s, and sanlock sleeps: warned unfed failed killed reset
