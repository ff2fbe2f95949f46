# What keeps a VM from moving to a node is found before anything is touched, and said with what mends it: hardware, QEMU,
# certificates, networks, bridges, memory.
nodes 4
vms 0
fence all
up
<vm name="web" wanted="running"><memory unit="GiB">2</memory><cpus>2</cpus><disk volume="d0" path="web.raw" format="raw"/>
  <nic bridge="br0"/><owners><preferred node="n1"/></owners></vm>
wait settle
preflight web live
host n2 without avx2
host n2 version 60000
host n2 no-bridges
host n2 cert none
host n3 vendor GenuineIntel
host n3 arch aarch64
host n3 accel tcg
host n3 no-machines
host n3 version 80000
host n3 cert other
host n3 address none
host n3 memory 1024
host n4 facts none
host n4 cert soon
host n4 cpus 1
run 2
preflight web live
preflight web quick n2
preflight web cold n3
host n2 qemu none
host n2 cert over
host n2 bridges-cut
host n4 facts known
host n4 cert good
host n4 cpus 4
host n4 free 512
host n4 with avx512f
run 2
preflight web live n2
preflight web live n4
preflight web cold n2
host n1 cert none
host n1 address none
run 2
preflight web live n4
host n1 cert good
host n1 address 10.0.0.1
node unmanage n4
node drain n3
run 2
preflight web cold n4
preflight web cold n3
vm migrate web to n2
vm migrate web
run 2
preflight web save n4
vm unmanage web
run 1
vm migrate web
run 1
states
---
     0.000 --   all is well
     0.000 --   > wait settle
     0.003 n3   | definitions: 1 vm
     0.003 n1   apply: done
     0.005 n3   | vm web: lease being written on volume d0
     0.020 n3   | vm web: lease written on volume d0
     0.023 n3   | vm web: placed on n1
     0.056 n1   QEMU of web starts
     0.134 n3   | vm web: runs on n1
     0.250 --   > preflight web live
     0.250 --     n2: ok
     0.250 --     n3: ok
     0.250 --     n4: ok
     0.250 --   > host n2 without avx2
     0.250 --   > host n2 version 60000
     0.250 --   > host n2 no-bridges
     0.250 --   > host n2 cert none
     0.250 --   > host n3 vendor GenuineIntel
     0.250 --   > host n3 arch aarch64
     0.250 --   > host n3 accel tcg
     0.250 --   > host n3 no-machines
     0.250 --   > host n3 version 80000
     0.250 --   > host n3 cert other
     0.250 --   > host n3 address none
     0.250 --   > host n3 memory 1024
     0.250 --   > host n4 facts none
     0.250 --   > host n4 cert soon
     0.250 --   > host n4 cpus 1
     0.250 --   > run 2
     2.250 --   > preflight web live
     2.250 --     n2, qemu-version: warn: the QEMU of n2 is older than that of n1, and such moves are not tried by its makers; upgrade QEMU on n2 (found 6.0.0, needed 7.2.22)
     2.250 --     n2, cpu-features: fail: n2 cannot give it: avx2; stop web and start it again with what all nodes have now (found 5 features, needed 6 features)
     2.250 --     n2, bridges: fail: bridge br0 is not on n2; make bridge br0 on n2 (found 0, needed 1)
     2.250 --     n2, tls: fail: n2 has no certificate; on n2: clustadm cert init (found none, needed valid)
     2.250 --     n3, qemu-version: warn: the QEMU of n3 is newer than that of n1: the way back may not be possible; upgrade QEMU on n1 too (found 8.0.0, needed 7.2.22)
     2.250 --     n3, machine: fail: the QEMU of n3 has no machine type pc-q35-7.2; install a QEMU that has it on n3, or stop web and define another machine (found not known, needed pc-q35-7.2)
     2.250 --     n3, architecture: fail: n3 has the architecture aarch64, n1 has x86_64; name a node of x86_64: its guest knows no other (found aarch64, needed x86_64)
     2.250 --     n3, accelerator: fail: n3 has the accelerator emulation, n1 has KVM; clustadm vm migrate --cold moves it: it starts anew there (found emulation, needed KVM)
     2.250 --     n3, cpu-vendor: fail: n3 has processors of GenuineIntel, n1 has AuthenticAMD; clustadm vm migrate --cold moves it: it starts anew there (found GenuineIntel, needed AuthenticAMD)
     2.250 --     n3, memory: fail: needs 2048 MiB, 1024 MiB free on n3, moves under way counted; free 1024 MiB on n3 (found 1024 MiB, needed 2048 MiB)
     2.250 --     n3, network: fail: n3 has no address that memory could be sent to; give n3 an address in one of <migration>'s networks (found none, needed an address)
     2.250 --     n3, tls: fail: the certificates of n1 and n3 are of two authorities; clustadm cert init --force --ca FILE, the cluster-ca.pem of the other (found another authority's, needed valid)
     2.250 --     n4, emulator: fail: the QEMU of n4 has not said what it can do; look at clusterd's log on n4 (found not known, needed QEMU)
     2.250 --     n4, cpus: fail: it has 2 CPUs, n4 has 1; stop web and give it fewer CPUs (found 1, needed 2)
     2.250 --     n4, tls: warn: a certificate of n1 or n4 ends within two weeks; clustadm cert renew (found ends soon, needed valid)
     2.250 --   > preflight web quick n2
     2.250 --     n2, qemu-version: warn: the QEMU of n2 is older than that of n1, and such moves are not tried by its makers; upgrade QEMU on n2 (found 6.0.0, needed 7.2.22)
     2.250 --     n2, cpu-features: fail: n2 cannot give it: avx2; stop web and start it again with what all nodes have now (found 5 features, needed 6 features)
     2.250 --     n2, bridges: fail: bridge br0 is not on n2; make bridge br0 on n2 (found 0, needed 1)
     2.250 --   > preflight web cold n3
     2.250 --     n3, machine: fail: the QEMU of n3 has no machine type q35; install a QEMU that has it on n3, or stop web and define another machine (found not known, needed q35)
     2.250 --     n3, architecture: fail: n3 has the architecture aarch64, n1 has x86_64; name a node of x86_64: its guest knows no other (found aarch64, needed x86_64)
     2.250 --     n3, memory: fail: needs 2048 MiB, 1024 MiB free on n3, moves under way counted; free 1024 MiB on n3 (found 1024 MiB, needed 2048 MiB)
     2.250 --   > host n2 qemu none
     2.250 --   > host n2 cert over
     2.250 --   > host n2 bridges-cut
     2.250 --   > host n4 facts known
     2.250 --   > host n4 cert good
     2.250 --   > host n4 cpus 4
     2.250 --   > host n4 free 512
     2.250 --   > host n4 with avx512f
     2.250 --   > run 2
     2.278 n3   | node n2: no emulator is installed
     4.250 --   > preflight web live n2
     4.250 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2 (found none, needed QEMU)
     4.250 --     n2, qemu-version: warn: the QEMU of n2 is older than that of n1, and such moves are not tried by its makers; upgrade QEMU on n2 (found 6.0.0, needed 7.2.22)
     4.250 --     n2, cpu-features: fail: n2 cannot give it: avx2; stop web and start it again with what all nodes have now (found 5 features, needed 6 features)
     4.250 --     n2, bridges: warn: bridge br0 is not on n2, or not among the first that it reports; make bridge br0 on n2 (found 0, needed 1)
     4.250 --     n2, tls: fail: a certificate of n1 or n2 has ended; clustadm cert renew (found over, needed valid)
     4.250 --   > preflight web live n4
     4.250 --     n4, memory: warn: needs 2048 MiB, 512 MiB free on n4: something else than VMs uses the rest; free 1536 MiB on n4 (found 512 MiB, needed 2048 MiB)
     4.250 --   > preflight web cold n2
     4.250 --     n2, emulator: fail: n2 has no QEMU; install qemu-system-x86 on n2 (found none, needed QEMU)
     4.250 --     n2, bridges: warn: bridge br0 is not on n2, or not among the first that it reports; make bridge br0 on n2 (found 0, needed 1)
     4.250 --   > host n1 cert none
     4.250 --   > host n1 address none
     4.250 --   > run 2
     6.250 --   > preflight web live n4
     6.250 --     n4, memory: warn: needs 2048 MiB, 512 MiB free on n4: something else than VMs uses the rest; free 1536 MiB on n4 (found 512 MiB, needed 2048 MiB)
     6.250 --     n4, network: fail: n1 has no address that memory could be sent from; give n1 an address in one of <migration>'s networks (found none, needed an address)
     6.250 --     n4, tls: fail: n1 has no certificate; on n1: clustadm cert init (found none, needed valid)
     6.250 --   > host n1 cert good
     6.250 --   > host n1 address 10.0.0.1
     6.250 --   > node unmanage n4
     6.250 --   > node drain n3
     6.250 --   > run 2
     6.253 n3   | node n4: left alone
     6.253 n1   node manage n4: done
     6.255 n3   | node n3: to be emptied for maintenance
     6.255 n1   drain n3: done
     6.257 n3   | node n3: drained
     8.250 --   > preflight web cold n4
     8.250 --     n4, node: fail: n4 is unmanaged; clustadm node manage n4 (found unmanaged, needed online)
     8.250 --     n4, memory: warn: needs 2048 MiB, 512 MiB free on n4: something else than VMs uses the rest; free 1536 MiB on n4 (found 512 MiB, needed 2048 MiB)
     8.250 --   > preflight web cold n3
     8.250 --     n3, node: fail: n3 is in maintenance; clustadm node maintenance n3 off (found maintenance, needed online)
     8.250 --     n3, machine: fail: the QEMU of n3 has no machine type q35; install a QEMU that has it on n3, or stop web and define another machine (found not known, needed q35)
     8.250 --     n3, architecture: fail: n3 has the architecture aarch64, n1 has x86_64; name a node of x86_64: its guest knows no other (found aarch64, needed x86_64)
     8.250 --     n3, memory: fail: needs 2048 MiB, 1024 MiB free on n3, moves under way counted; free 1024 MiB on n3 (found 1024 MiB, needed 2048 MiB)
     8.250 --   > vm migrate web to n2
     8.250 --   > vm migrate web
     8.250 --   > run 2
     8.250 n1   move web: refused: vm web cannot be moved: n2 has no QEMU; install qemu-system-x86 on n2
     8.250 n1   move web: refused: vm web cannot be moved: n2 has no QEMU; n3 is in maintenance; n4 is unmanaged; clustadm node manage n4
    10.250 --   > preflight web save n4
    10.250 --     n4: ok
    10.250 --   > vm unmanage web
    10.250 --   > run 1
    10.253 n3   | vm web: left alone
    10.253 n1   vm manage web: done
    11.250 --   > vm migrate web
    11.250 --   > run 1
    11.250 n1   move web: refused: vm web cannot be moved: it is unmanaged: nothing is done about it; clustadm vm manage web
    12.250 --   > states
    12.250 --     n1: online
    12.250 --     n2: online
    12.250 --     n3: maintenance
    12.250 --     n4: unmanaged
    12.250 --     web: unmanaged: it is unmanaged: nothing is done about it
    12.250 --     the view: normal
