# VMs that ask for more than the usual of a host (huge pages, a CPU model, the host's own CPU, many CPUs) go only where that is,
# and it is said what lacks where.
nodes 4
vms 0
up
host n1 hugepages 4096
host n2 hugepages 512
host n3 hugepages 4096
host n3 hugepage-size 1048576
host n1 model Haswell
host n1 processor EPYC
host n2 processor Opteron
host n1 other-features new-one
<clusterd>
  <vm name="pages" wanted="running"><memory unit="GiB">2</memory><disk volume="d0" path="p.raw" format="raw"/><hugepages/>
    <owners><preferred node="n1"/></owners></vm>
  <vm name="model" wanted="running"><memory unit="GiB">2</memory><disk volume="d0" path="m.raw" format="raw"/>
    <cpu mode="model" name="Haswell"/><owners><preferred node="n1"/></owners></vm>
  <vm name="own" wanted="running"><memory unit="GiB">2</memory><cpus>12</cpus><disk volume="d0" path="o.raw" format="raw"/>
    <cpu mode="host"/><owners><preferred node="n1"/></owners></vm>
  <vm name="many" wanted="running"><memory unit="GiB">2</memory><cpus>8</cpus><disk volume="d0" path="y.raw" format="raw"/>
    <machine>pc-q35-7.2</machine><owners><preferred node="n1"/></owners></vm>
</clusterd>
wait settle
preflight pages live
preflight model live
preflight own live
preflight many live
vm migrate model to n2
run 1
vm move own
run 30
moves
---
     0.000 --   all is well
     0.000 --   > host n1 hugepages 4096
     0.000 --   > host n2 hugepages 512
     0.000 --   > host n3 hugepages 4096
     0.000 --   > host n3 hugepage-size 1048576
     0.000 --   > host n1 model Haswell
     0.000 --   > host n1 processor EPYC
     0.000 --   > host n2 processor Opteron
     0.000 --   > host n1 other-features new-one
     0.000 --   > wait settle
     0.003 n3   | definitions: 4 VMs
     0.003 n1   apply: done
     0.005 n3   | vm pages: lease being written on volume d0
     0.007 n3   | vm model: lease being written on volume d0
     0.007 n3   | vm own: lease being written on volume d0
     0.007 n3   | vm many: lease being written on volume d0
     0.020 n3   | vm pages: lease written on volume d0
     0.022 n3   | vm model: lease written on volume d0
     0.024 n3   | vm own: lease written on volume d0
     0.024 n3   | vm many: lease written on volume d0
     0.024 n3   | vm pages: placed on n1
     0.026 n3   | vm many: placed on n1; vm model: placed on n1; vm own: placed on n1
     0.057 n1   QEMU of pages starts
     0.060 n1   model: -cpu Haswell
     0.060 n1   QEMU of model starts
     0.060 n1   own: -cpu host
     0.060 n1   QEMU of own starts
     0.060 n1   QEMU of many starts
     0.135 n3   | vm pages: runs on n1
     0.138 n3   | vm model: runs on n1
     0.139 n3   | vm own: runs on n1
     0.139 n3   | vm many: runs on n1
     0.250 --   > preflight pages live
     0.250 --     n2, huge-pages: fail: needs 2048 MiB of huge pages, 1024 MiB are free on n2; set aside 1024 MiB more on n2 (vm.nr_hugepages) (found 1024 MiB, needed 2048 MiB)
     0.250 --     n3, huge-pages: warn: huge pages are of another size on n3; set the same size on n3 (found 4194304 MiB, needed 2048 MiB)
     0.250 --     n4, huge-pages: fail: needs 2048 MiB of huge pages, 0 MiB are free on n4; set aside 2048 MiB more on n4 (vm.nr_hugepages) (found 0 MiB, needed 2048 MiB)
     0.250 --   > preflight model live
     0.250 --     n2, cpu-model: fail: the QEMU of n2 has no CPU model Haswell; <cpu mode="compatible"/> for model (found not known, needed Haswell)
     0.250 --     n2, cpu-features: warn: features that clusterd does not know differ: new-one here, not known on n2; <cpu mode="compatible"/> at its next start (found 6 features, needed 6 features)
     0.250 --     n3, cpu-model: fail: the QEMU of n3 has no CPU model Haswell; <cpu mode="compatible"/> for model (found not known, needed Haswell)
     0.250 --     n3, cpu-features: warn: features that clusterd does not know differ: new-one here, not known on n3; <cpu mode="compatible"/> at its next start (found 6 features, needed 6 features)
     0.250 --     n4, cpu-model: fail: the QEMU of n4 has no CPU model Haswell; <cpu mode="compatible"/> for model (found not known, needed Haswell)
     0.250 --     n4, cpu-features: warn: features that clusterd does not know differ: new-one here, not known on n4; <cpu mode="compatible"/> at its next start (found 6 features, needed 6 features)
     0.250 --   > preflight own live
     0.250 --     n2, cpu-model: warn: its guest sees the processor of n1 itself, and n2 has another one: Opteron; <cpu mode="compatible"/> at its next start (found Opteron, needed EPYC)
     0.250 --     n2, cpu-features: warn: features that clusterd does not know differ: new-one here, not known on n2; <cpu mode="compatible"/> at its next start (found 6 features, needed 6 features)
     0.250 --     n3, cpu-model: warn: its guest sees the processor of n1 itself, and n3 has another one: not known; <cpu mode="compatible"/> at its next start (found not known, needed EPYC)
     0.250 --     n3, cpu-features: warn: features that clusterd does not know differ: new-one here, not known on n3; <cpu mode="compatible"/> at its next start (found 6 features, needed 6 features)
     0.250 --     n4, cpu-model: warn: its guest sees the processor of n1 itself, and n4 has another one: not known; <cpu mode="compatible"/> at its next start (found not known, needed EPYC)
     0.250 --     n4, cpu-features: warn: features that clusterd does not know differ: new-one here, not known on n4; <cpu mode="compatible"/> at its next start (found 6 features, needed 6 features)
     0.250 --   > preflight many live
     0.250 --     n2: ok
     0.250 --     n3: ok
     0.250 --     n4: ok
     0.250 --   > vm migrate model to n2
     0.250 --   > run 1
     0.250 n1   move model: refused: vm model cannot be moved: the QEMU of n2 has no CPU model Haswell; <cpu mode="compatible"/> for model
     1.250 --   > vm move own
     1.250 --   > run 30
     1.253 n3   | vm own: to be moved
     1.253 n1   move own: done
     1.255 n3   | vm own: live migration from n1 to n2
     1.323 n2   QEMU of own waits for it
     1.401 n3   | vm own: memory is being sent to n2
     2.253 n1   migration of own begins
     4.401 n1   QEMU of own has handed its guest over
     4.404 n2   guest of own continues
     4.656 n3   | vm own: continues on n2
     4.687 n1   QEMU of own ends: killed
     4.717 n3   | vm own: moved to n2
    31.250 --   > moves
    31.250 --     move 1: live, request, done
