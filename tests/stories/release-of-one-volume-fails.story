# The storage of one volume dies with a node: the power of the node is proved off, so what lives on the other volume
# starts elsewhere, in spite of the claims that cannot be released.
fence all
vms 2
volumes 2
up
run 10
power-off n1
storage lose all d1
run 300
---
     0.000 --   all is well
     0.000 --   > run 10
    10.000 --   > power-off n1
    10.000 n1   power off: cut
    10.000 --   > storage lose all d1
    10.000 n1   storage d1 is lost
    10.000 n2   storage d1 is lost
    10.000 n3   storage d1 is lost
    10.000 --   > run 300
    11.981 n3   | view 2: n2, n3
    11.983 n3   | node n1: lost: it left corosync's membership
    11.986 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    11.986 n2   fence agent for n1 is called
    12.252 n3   | node n2: volume d1 lost: probes fail
    12.253 n3   | node n3: volume d1 lost: probes fail
    12.486 n2   fence agent for n1: off
    12.488 n3   | node n1: fenced, it is off
    12.529 n2   releases the host id of n1 on d0
    12.531 n3   | node n1: its claims are not released: the volume does not answer
    17.571 n3   | node n1: its claims are not released: the volume does not answer
    18.031 n2   lockspace of d1 fails: sanlock kills its processes
    18.031 n3   lockspace of d1 fails: sanlock kills its processes
    18.062 n2   QEMU of vm1 ends: killed
    18.077 n3   | vm vm1: died on n2: killed
    22.611 n3   | node n1: its claims are not released: the volume does not answer
    22.613 n3   | vm vm0: placed on n2
    22.647 n2   QEMU of vm0 starts
    22.724 n3   | vm vm0: runs on n2
