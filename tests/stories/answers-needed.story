# A rule that waits for an answer that its VM cannot give is found by check; a VM that shares a node with many is told that it would
# be crowded.
nodes 3
vms 0
up
host n2 cpus 2
<clusterd>
  <vm name="db" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="a.raw" format="raw"/><owners><preferred node="n1"/></owners></vm>
  <vm name="x" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="b.raw" format="raw"/><owners><possible node="n2"/></owners></vm>
  <vm name="y" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="c.raw" format="raw"/><owners><possible node="n2"/></owners></vm>
  <vm name="z" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="d.raw" format="raw"/><owners><possible node="n2"/></owners></vm>
  <vm name="w" wanted="running"><memory>1024</memory><cpus>2</cpus><disk volume="d0" path="e.raw" format="raw"/><owners><possible node="n2"/></owners></vm>
  <vm name="web"><memory>1024</memory><disk volume="d0" path="f.raw" format="raw"/></vm>
</clusterd>
wait settle
<rule name="asks" kind="start-order" up="guest-agent"><first name="db"/><then name="web"/></rule>

<rule name="knocks" kind="start-order" up="tcp:80"><first name="db"/><then name="web"/></rule>

run 2
contradictions
preflight db live
vm start web
run 30
states
---
     0.000 --   all is well
     0.000 --   > host n2 cpus 2
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 6 VMs
     0.005 n1   | vm db: lease being written on volume d0
     0.007 n1   | vm x: lease being written on volume d0
     0.007 n1   | vm y: lease being written on volume d0
     0.007 n1   | vm z: lease being written on volume d0
     0.007 n1   | vm w: lease being written on volume d0
     0.020 n1   | vm db: lease written on volume d0
     0.021 n1   | vm x: lease written on volume d0
     0.023 n1   | vm y: lease written on volume d0
     0.023 n1   | vm z: lease written on volume d0
     0.023 n1   | vm w: lease written on volume d0
     0.023 n1   | vm db: placed on n1
     0.025 n1   | vm w: placed on n2; vm x: placed on n2; vm y: placed on n2; vm z: placed on n2
     0.056 n1   QEMU of db starts
     0.059 n2   QEMU of x starts
     0.059 n2   QEMU of y starts
     0.059 n2   QEMU of z starts
     0.059 n2   QEMU of w starts
     0.134 n1   | vm db: runs on n1
     0.136 n1   | vm x: runs on n2
     0.138 n1   | vm y: runs on n2
     0.138 n1   | vm z: runs on n2
     0.138 n1   | vm w: runs on n2
     0.250 --   > run 2
     0.253 n1   apply: done
     0.253 n1   | definitions: 1 rule
     0.254 n1   apply: done
     0.254 n1   | definitions: 1 rule
     2.250 --   > contradictions
     2.250 --     warning: rule asks waits for an answer of vm db, which has no <guest-agent/>; give it one, or up="running"
     2.250 --     warning: rule knocks waits for an answer of vm db, which has no <address>; give it one
     2.250 --     warning: node n1 has no fence device, and no watchdog guards it; give it a <fence>
     2.250 --     warning: node n2 has no fence device, and no watchdog guards it; give it a <fence>
     2.250 --     warning: node n3 has no fence device, and no watchdog guards it; give it a <fence>
     2.250 --   > preflight db live
     2.250 --     n2, cpus: warn: n2 would have 10 CPUs promised on 2; move other VMs away from n2 (found 2, needed 10)
     2.250 --     n3: ok
     2.250 --   > vm start web
     2.250 --   > run 30
     2.253 n1   want web: done
     2.253 n1   | vm web: wanted running
     2.255 n1   | vm web: lease being written on volume d0
     2.270 n1   | vm web: lease written on volume d0
    32.250 --   > states
    32.250 --     n1: online
    32.250 --     n2: online
    32.250 --     n3: online
    32.250 --     db: running
    32.250 --     x: running
    32.250 --     y: running
    32.250 --     z: running
    32.250 --     w: running
    32.250 --     web: waiting: rule knocks: it starts after another one, which is not up; db: its TCP port 80 has not answered
    32.250 --     the view: normal
