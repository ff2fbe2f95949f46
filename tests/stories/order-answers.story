# What starts after a guest's answer waits for it, and says so; the answer holds while the VM runs, also elsewhere, and no longer.
vms 3
up
rule order:agent vm0 vm1
rule order:5432 vm0 vm2
vm stop vm0
run 10
guest silent vm0
vm start vm0
run 20
explain vm1
explain vm2
guest answers vm0
wait settle
vm migrate vm0 to n3
wait settle
vm stop vm1
run 5
guest silent vm0
vm start vm1
run 5
qemu die vm0
run 5
vm stop vm2
run 5
vm start vm2
run 5
guest answers vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > rule order:agent vm0 vm1
     0.000 --   > rule order:5432 vm0 vm2
     0.000 --   > vm stop vm0
     0.000 --   > run 10
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 rule
     0.004 n1   apply: done
     0.004 n1   | definitions: 1 rule
     0.004 n1   want vm0: done
     0.004 n1   | vm vm0: wanted stopped
     2.132 n2   QEMU of vm1 ends: the guest shut down
     2.132 n3   QEMU of vm2 ends: the guest shut down
     2.147 n1   | vm vm1: stopped on n2: what it starts after is stopped
     2.149 n1   | vm vm2: stopped on n3: what it starts after is stopped
     4.276 n1   QEMU of vm0 ends: the guest shut down
     4.292 n1   | vm vm0: stopped on n1: it is wanted stopped
    10.000 --   > guest silent vm0
    10.000 --   > vm start vm0
    10.000 --   > run 20
    10.003 n1   want vm0: done
    10.003 n1   | vm vm0: wanted running
    10.005 n1   | vm vm0: placed on n1
    10.039 n1   QEMU of vm0 starts
    10.116 n1   | vm vm0: runs on n1
    30.000 --   > explain vm1
    30.000 --     n1: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    30.000 --     n1, start-order: fail: rule order-agent-vm0: it starts after another one, which is not up; vm0: its guest agent has not answered; drop rule order-agent-vm0
    30.000 --     n2: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
    30.000 --     n2, start-order: fail: rule order-agent-vm0: it starts after another one, which is not up; vm0: its guest agent has not answered; drop rule order-agent-vm0
    30.000 --     n3: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
    30.000 --     n3, start-order: fail: rule order-agent-vm0: it starts after another one, which is not up; vm0: its guest agent has not answered; drop rule order-agent-vm0
    30.000 --     chosen: nowhere: rule order-agent-vm0: it starts after another one, which is not up; vm0: its guest agent has not answered; drop rule order-agent-vm0
    30.000 --     another node: nothing
    30.000 --   > explain vm2
    30.000 --     n1: may not have it, 1 VMs, 64512 MiB free, wishes cost 0, 0 permille
    30.000 --     n1, start-order: fail: rule order-5432-vm0: it starts after another one, which is not up; vm0: its TCP port 5432 has not answered; drop rule order-5432-vm0
    30.000 --     n2: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
    30.000 --     n2, start-order: fail: rule order-5432-vm0: it starts after another one, which is not up; vm0: its TCP port 5432 has not answered; drop rule order-5432-vm0
    30.000 --     n3: may not have it, 0 VMs, 65536 MiB free, wishes cost 0, 0 permille
    30.000 --     n3, start-order: fail: rule order-5432-vm0: it starts after another one, which is not up; vm0: its TCP port 5432 has not answered; drop rule order-5432-vm0
    30.000 --     chosen: nowhere: rule order-5432-vm0: it starts after another one, which is not up; vm0: its TCP port 5432 has not answered; drop rule order-5432-vm0
    30.000 --     another node: nothing
    30.000 --   > guest answers vm0
    30.000 --   > wait settle
    30.123 n1   | vm vm0: its TCP port 5432 answers
    30.126 n1   | vm vm2: placed on n2
    30.131 n1   | vm vm0: its guest agent answers
    30.133 n1   | vm vm1: placed on n3
    30.160 n2   QEMU of vm2 starts
    30.167 n3   QEMU of vm1 starts
    30.237 n1   | vm vm2: runs on n2
    30.245 n1   | vm vm1: runs on n3
    30.250 --   > vm migrate vm0 to n3
    30.250 --   > wait settle
    30.253 n1   move vm0: done
    30.253 n1   | vm vm0: to be moved to n3 (live)
    30.255 n1   | vm vm0: live migration from n1 to n3
    30.323 n3   QEMU of vm0 waits for it
    30.400 n1   | vm vm0: memory is being sent to n3
    31.253 n1   migration of vm0 begins
    32.301 n1   QEMU of vm0 has handed its guest over
    32.303 n3   guest of vm0 continues
    32.556 n1   | vm vm0: continues on n3
    32.586 n1   QEMU of vm0 ends: killed
    32.617 n1   | vm vm0: moved to n3
    32.750 --   > vm stop vm1
    32.750 --   > run 5
    32.753 n1   want vm1: done
    32.753 n1   | vm vm1: wanted stopped
    34.880 n3   QEMU of vm1 ends: the guest shut down
    34.896 n1   | vm vm1: stopped on n3: it is wanted stopped
    37.750 --   > guest silent vm0
    37.750 --   > vm start vm1
    37.750 --   > run 5
    37.753 n1   want vm1: done
    37.753 n1   | vm vm1: wanted running
    37.755 n1   | vm vm1: placed on n1
    37.789 n1   QEMU of vm1 starts
    37.866 n1   | vm vm1: runs on n1
    42.750 --   > qemu die vm0
    42.750 --   > run 5
    42.750 n3   QEMU of vm0 ends: signal 11
    42.765 n1   | vm vm0: died on n3: signal 11
    42.768 n1   | vm vm0: placed on n3
    42.801 n3   QEMU of vm0 starts
    42.879 n1   | vm vm0: runs on n3
    47.750 --   > vm stop vm2
    47.750 --   > run 5
    47.753 n1   want vm2: done
    47.753 n1   | vm vm2: wanted stopped
    49.880 n2   QEMU of vm2 ends: the guest shut down
    49.896 n1   | vm vm2: stopped on n2: it is wanted stopped
    52.750 --   > vm start vm2
    52.750 --   > run 5
    52.753 n1   want vm2: done
    52.753 n1   | vm vm2: wanted running
    57.750 --   > guest answers vm0
    57.750 --   > wait settle
    57.886 n1   | vm vm0: its guest agent answers
    57.894 n1   | vm vm0: its TCP port 5432 answers
    57.896 n1   | vm vm2: placed on n2
    57.930 n2   QEMU of vm2 starts
    58.007 n1   | vm vm2: runs on n2
