# A node is emptied: its VMs leave live, two at a time, while they run; nothing comes to it, not even what is started
# meanwhile; afterwards those that left come back.
vms 9
up
node drain n1
run 5
vm stop vm1
wait settle
vm start vm1
wait settle
node undrain n1
wait settle
---
     0.000 --   all is well
     0.000 --   > node drain n1
     0.000 --   > run 5
     0.003 n1   drain n1: done
     0.003 n1   | node n1: to be emptied for maintenance
     0.005 n1   | vm vm0: live migration from n1 to n2 (drain)
     0.007 n1   | vm vm3: live migration from n1 to n3 (drain)
     0.073 n2   QEMU of vm0 waits for it
     0.075 n3   QEMU of vm3 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     0.152 n1   | vm vm3: memory is being sent to n3
     1.005 n1   migration of vm0 begins
     1.007 n1   migration of vm3 begins
     2.053 n1   QEMU of vm0 has handed its guest over
     2.055 n1   QEMU of vm3 has handed its guest over
     2.056 n2   guest of vm0 continues
     2.057 n3   guest of vm3 continues
     2.308 n1   | vm vm0: continues on n2
     2.310 n1   | vm vm3: continues on n3
     2.311 n1   | vm vm6: live migration from n1 to n2 (drain)
     2.338 n1   QEMU of vm0 ends: killed
     2.340 n1   QEMU of vm3 ends: killed
     2.368 n1   | vm vm0: moved to n2
     2.371 n1   | vm vm3: moved to n3
     2.379 n2   QEMU of vm6 waits for it
     2.456 n1   | vm vm6: memory is being sent to n2
     3.311 n1   migration of vm6 begins
     4.359 n1   QEMU of vm6 has handed its guest over
     4.362 n2   guest of vm6 continues
     4.614 n1   | vm vm6: continues on n2
     4.645 n1   QEMU of vm6 ends: killed
     4.663 n1   | node n1: drained
     4.675 n1   | vm vm6: moved to n2
     5.000 --   > vm stop vm1
     5.000 --   > wait settle
     5.003 n1   want vm1: done
     5.003 n1   | vm vm1: wanted stopped
     7.130 n2   QEMU of vm1 ends: the guest shut down
     7.146 n1   | vm vm1: stopped on n2: it is wanted stopped
     7.250 --   > vm start vm1
     7.250 --   > wait settle
     7.253 n1   want vm1: done
     7.253 n1   | vm vm1: wanted running
     7.255 n1   | vm vm1: placed on n2
     7.289 n2   QEMU of vm1 starts
     7.366 n1   | vm vm1: runs on n2
     7.500 --   > node undrain n1
     7.500 --   > wait settle
     7.503 n1   drain n1: done
     7.503 n1   | node n1: maintenance is over; its VMs come back
     7.505 n1   | vm vm0: live migration from n2 to n1 (return)
     7.507 n1   | vm vm3: live migration from n3 to n1 (return)
     7.573 n1   QEMU of vm0 waits for it
     7.575 n1   QEMU of vm3 waits for it
     7.650 n1   | vm vm0: memory is being sent to n1
     7.652 n1   | vm vm3: memory is being sent to n1
     8.505 n2   migration of vm0 begins
     8.507 n3   migration of vm3 begins
     9.553 n2   QEMU of vm0 has handed its guest over
     9.555 n3   QEMU of vm3 has handed its guest over
     9.556 n1   guest of vm0 continues
     9.558 n1   guest of vm3 continues
     9.809 n1   | vm vm0: continues on n1
     9.811 n1   | vm vm3: continues on n1
     9.812 n1   | vm vm6: live migration from n2 to n1 (return)
     9.840 n2   QEMU of vm0 ends: killed
     9.842 n3   QEMU of vm3 ends: killed
     9.869 n1   | vm vm0: moved to n1
     9.872 n1   | vm vm3: moved to n1
     9.880 n1   QEMU of vm6 waits for it
     9.957 n1   | vm vm6: memory is being sent to n1
    10.813 n2   migration of vm6 begins
    11.861 n2   QEMU of vm6 has handed its guest over
    11.863 n1   guest of vm6 continues
    12.116 n1   | vm vm6: continues on n1
    12.147 n2   QEMU of vm6 ends: killed
    12.176 n1   | vm vm6: moved to n1
