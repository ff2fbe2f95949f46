# A tip that nobody answers is closed when it expires; one that is accepted and whose policy is disabled in the middle ends where it
# is; one whose drain somebody ended is done.
nodes 3
vms 4
up
measures
heat n1 9000
<policy name="hot"><condition of="node" measure="cpu" at-least="50" hold="20s"/><action do="notify"/><limits expires="1min" rest="1min"/></policy>

run 100
tips
run 100
tips
policy off hot
<policy name="empty"><condition of="node" measure="cpu" at-least="50" hold="20s"/><action do="drain"/></policy>

run 60
tip accept 3
run 1
node abort n1
run 30
tips
<policy name="again"><condition of="node" measure="cpu" at-least="50" hold="20s"/><action do="drain"/></policy>

run 40
policy off empty
tip accept 4
run 1
policy off again
run 60
tips
balance
run 20
balance
run 20
policy run hot
run 5
policy on hot
policy run hot
run 5
policy run none
run 5
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > heat n1 9000
     0.000 --   > run 100
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 56 %
    73.407 n1   | tip 1 is closed: nobody answered it in time
   100.000 --   > tips
   100.000 --     tip 1 of hot: closed, prediction none
   100.000 --   > run 100
   133.407 n1   | warning: tip 2, hot about n1: cpu of n1 is 56 %
   193.407 n1   | tip 2 is closed: nobody answered it in time
   200.000 --   > tips
   200.000 --     tip 1 of hot: closed, prediction none
   200.000 --     tip 2 of hot: closed, prediction none
   200.000 --   > policy off hot
   200.000 --   > run 60
   200.003 n1   policy hot: done
   200.003 n1   | policy hot: disabled
   200.004 n1   apply: done
   200.004 n1   | definitions: 1 policy
   203.407 n1   | warning: tip 3, empty about n1: cpu of n1 is 56 %: empty n1
   260.000 --   > tip accept 3
   260.000 --   > run 1
   260.003 n1   tip accept: done
   260.003 n1   | tip 3 is accepted
   260.005 n1   | tip 3 is running
   260.008 n1   | vm vm0: live migration from n1 to n2 (drain)
   260.009 n1   | vm vm3: live migration from n1 to n3 (drain)
   260.075 n2   QEMU of vm0 waits for it
   260.077 n3   QEMU of vm3 waits for it
   260.153 n1   | vm vm0: memory is being sent to n2
   260.155 n1   | vm vm3: memory is being sent to n3
   261.000 --   > node abort n1
   261.000 --   > run 30
   261.003 n1   drain n1: done
   261.003 n1   | node n1: its drain is given up; its VMs come back
   261.005 n1   | tip 3 is done: its drain was ended
   261.033 n2   QEMU of vm0 ends: killed
   261.033 n3   QEMU of vm3 ends: killed
   261.063 n1   | vm vm0: runs on as before on n1
   261.065 n1   | vm vm3: runs on as before on n1
   291.000 --   > tips
   291.000 --     tip 1 of hot: closed, prediction none
   291.000 --     tip 2 of hot: closed, prediction none
   291.000 --     tip 3 of empty: done, prediction none
   291.000 --   > run 40
   291.003 n1   apply: done
   291.003 n1   | definitions: 1 policy
   293.407 n1   | warning: tip 4, again about n1: cpu of n1 is 56 %: empty n1
   331.000 --   > policy off empty
   331.000 --   > tip accept 4
   331.000 --   > run 1
   331.003 n1   policy empty: done
   331.003 n1   | policy empty: disabled
   331.004 n1   tip accept: done
   331.004 n1   | tip 4 is accepted
   331.007 n1   | tip 4 is running
   331.009 n1   | vm vm0: live migration from n1 to n2 (drain)
   331.011 n1   | vm vm3: live migration from n1 to n3 (drain)
   331.077 n2   QEMU of vm0 waits for it
   331.078 n3   QEMU of vm3 waits for it
   331.154 n1   | vm vm0: memory is being sent to n2
   331.156 n1   | vm vm3: memory is being sent to n3
   332.000 --   > policy off again
   332.000 --   > run 60
   332.003 n1   policy again: done
   332.003 n1   | policy again: disabled
   332.009 n1   migration of vm0 begins
   332.011 n1   migration of vm3 begins
   333.057 n1   QEMU of vm0 has handed its guest over
   333.059 n1   QEMU of vm3 has handed its guest over
   333.060 n2   guest of vm0 continues
   333.061 n3   guest of vm3 continues
   333.312 n1   | vm vm0: continues on n2
   333.314 n1   | vm vm3: continues on n3
   333.342 n1   QEMU of vm0 ends: killed
   333.344 n1   QEMU of vm3 ends: killed
   333.362 n1   | node n1: drained
   333.365 n1   | tip 4 is done: the node is empty
   333.372 n1   | vm vm0: moved to n2
   333.375 n1   | vm vm3: moved to n3
   392.000 --   > tips
   392.000 --     tip 1 of hot: closed, prediction none
   392.000 --     tip 2 of hot: closed, prediction none
   392.000 --     tip 3 of empty: done, prediction none
   392.000 --     tip 4 of again: done, prediction none
   392.000 --   > balance
   392.000 --   > run 20
   392.003 n1   policy run: done
   392.003 n1   | a balance is asked for
   392.005 n1   | balance: no move is worth its cost; 2 VMs rest after their last move
   412.000 --   > balance
   412.000 --   > run 20
   412.003 n1   policy run: done
   412.003 n1   | a balance is asked for
   412.005 n1   | balance: no move is worth its cost; 2 VMs rest after their last move
   432.000 --   > policy run hot
   432.000 --   > run 5
   432.003 n1   policy run hot: refused: policy hot is disabled; clustadm policy enable hot
   437.000 --   > policy on hot
   437.000 --   > policy run hot
   437.000 --   > run 5
   437.003 n1   policy hot: done
   437.003 n1   | policy hot: enabled
   437.004 n1   policy run hot: done
   437.004 n1   | policy hot: to be run
   437.007 n1   | warning: tip 5 (accepted), hot about n1: cpu of n1 is 56 %
   437.009 n1   | tip 5 is running
   437.012 n1   | tip 5 is done: noted
   442.000 --   > policy run none
   442.000 --   > run 5
   442.003 n1   policy run none: refused: there is no policy none; name one of: clustadm policy list
