# Rules that cannot hold together are found before they hurt, each with its names and the smallest change that would mend it;
# what is hardly meant is a warning.
nodes 3
vms 1
fence all
up
<clusterd>
  <node name="n1" id="1"><fence agent="fence_ipmilan"><option name="ip" value="10.0.0.1"/></fence></node>
  <node name="n2" id="2"><fence agent="fence_ipmilan"><option name="ip" value="10.0.0.1"/></fence></node>
  <vm name="a"><memory>1024</memory><disk volume="d0" path="a.raw" format="raw"/><owners><possible node="n1"/></owners></vm>
  <vm name="b"><memory>1024</memory><disk volume="d0" path="b.raw" format="raw"/><owners><possible node="n2"/></owners></vm>
  <vm name="c"><memory>1024</memory><disk volume="d0" path="c.raw" format="raw"/></vm>
  <vm name="d"><memory>1024</memory><disk volume="d0" path="d.raw" format="raw"/></vm>
  <vm name="e"><memory>1024</memory><disk volume="d0" path="e.raw" format="raw"/></vm>
  <vm name="big"><memory unit="GiB">100</memory><disk volume="d0" path="big.raw" format="raw"/></vm>
  <vm name="loose"><memory>1024</memory><disk volume="d0" path="loose.raw" format="raw"/>
    <owners><preferred node="n1"/></owners><failback>immediate</failback><stickiness>infinite</stickiness></vm>
</clusterd>
run 2
contradictions
<clusterd>
  <rule name="chain1" kind="keep-together"><vm name="c"/><vm name="d"/></rule>
  <rule name="chain2" kind="keep-together"><vm name="d"/><vm name="e"/></rule>
  <rule name="apart" kind="keep-apart"><vm name="c"/><vm name="e"/></rule>
</clusterd>
run 2
contradictions
remove rule/apart
remove rule/chain1
run 1
<clusterd>
  <rule name="chain2" kind="keep-together"><vm name="a"/><vm name="b"/></rule>
  <rule name="crowd" kind="keep-apart"><vm name="b"/><vm name="c"/><vm name="d"/><vm name="e"/></rule>
  <rule name="first" kind="start-order"><first name="a"/><then name="b"/></rule>
  <rule name="second" kind="start-order"><first name="b"/><then name="a"/></rule>
</clusterd>
run 2
contradictions
remove rule/chain2
remove rule/crowd
remove rule/first
remove rule/second
run 1
<clusterd>
  <rule name="round1" kind="follow"><leader name="c"/><vm name="d"/></rule>
  <rule name="round2" kind="follow"><leader name="d"/><vm name="c"/></rule>
  <rule name="far" kind="keep-apart"><vm name="c"/><vm name="d"/></rule>
  <rule name="never" kind="follow"><leader name="a"/><vm name="b"/></rule>
  <rule name="few" kind="keep-apart"><vm name="c"/><vm tag="nobody"/></rule>
  <rule name="sites" kind="spread" attribute="site"><vm name="d"/><vm name="e"/></rule>
  <rule name="none" kind="follow"><leader tag="nobody"/><vm name="e"/></rule>
  <rule name="later" kind="start-order"><first tag="nobody"/><then name="e"/></rule>
</clusterd>
run 2
contradictions
---
     0.000 --   all is well
     0.000 --   > run 2
     0.003 n1   apply: done
     0.003 n1   | definitions: 2 nodes, 7 VMs
     2.000 --   > contradictions
     2.000 --     conflict: nodes n1 and n2 have the very same fence device: to cut one is to cut the other; give each its own options (plug, port, address)
     2.000 --     warning: vm loose is to go back to a better preferred owner, but its stickiness is infinite; give it less stickiness, or <failback>never</failback>
     2.000 --     warning: vm big needs more memory than any node that it may use has; give it less memory, or more possible owners
     2.000 --   > run 2
     2.003 n1   apply: done
     2.003 n1   | definitions: 3 rules
     4.000 --   > contradictions
     4.000 --     conflict: rule apart keeps c and e apart, rule chain2 and others keep them together; take e out of rule apart
     4.000 --     conflict: nodes n1 and n2 have the very same fence device: to cut one is to cut the other; give each its own options (plug, port, address)
     4.000 --     warning: vm loose is to go back to a better preferred owner, but its stickiness is infinite; give it less stickiness, or <failback>never</failback>
     4.000 --     warning: vm big needs more memory than any node that it may use has; give it less memory, or more possible owners
     4.000 --   > remove rule/apart
     4.000 --   > remove rule/chain1
     4.000 --   > run 1
     4.003 n1   remove apart: done
     4.003 n1   | rule apart: removed
     4.004 n1   remove chain1: done
     4.004 n1   | rule chain1: removed
     5.000 --   > run 2
     5.003 n1   apply: done
     5.003 n1   | definitions: 4 rules
     7.000 --   > contradictions
     7.000 --     conflict: rule chain2 keeps VMs together that have no possible owner in common: b may not be where the others may; give b a possible owner of the others, or take it out of rule chain2
     7.000 --     conflict: rule crowd keeps more VMs apart than there are nodes for: none is left for e; take e out of it, give it more possible owners, or make the rule a wish: weight="100"
     7.000 --     conflict: rule first and rule second make VMs wait for each other's start in a circle; drop rule second
     7.000 --     conflict: nodes n1 and n2 have the very same fence device: to cut one is to cut the other; give each its own options (plug, port, address)
     7.000 --     warning: vm loose is to go back to a better preferred owner, but its stickiness is infinite; give it less stickiness, or <failback>never</failback>
     7.000 --     warning: vm big needs more memory than any node that it may use has; give it less memory, or more possible owners
     7.000 --   > remove rule/chain2
     7.000 --   > remove rule/crowd
     7.000 --   > remove rule/first
     7.000 --   > remove rule/second
     7.000 --   > run 1
     7.003 n1   remove chain2: done
     7.003 n1   | rule chain2: removed
     7.004 n1   remove crowd: done
     7.004 n1   | rule crowd: removed
     7.004 n1   remove first: done
     7.004 n1   | rule first: removed
     7.004 n1   remove second: done
     7.004 n1   | rule second: removed
     8.000 --   > run 2
     8.003 n1   apply: done
     8.003 n1   | definitions: 8 rules
    10.000 --   > contradictions
    10.000 --     conflict: rule round1 and rule round2 make VMs follow each other in a circle; drop rule round2
    10.000 --     conflict: by rule round1 d follows c, by rule far it is kept apart from it; take d out of rule far
    10.000 --     conflict: by rule round2 c follows d, by rule far it is kept apart from it; take c out of rule far
    10.000 --     conflict: by rule never b follows a, and they have no possible owner in common; give b a possible owner of a
    10.000 --     conflict: nodes n1 and n2 have the very same fence device: to cut one is to cut the other; give each its own options (plug, port, address)
    10.000 --     warning: rule few has no effect: too few of its VMs are defined; define them, or drop rule few
    10.000 --     warning: rule none has no effect: too few of its VMs are defined; define them, or drop rule none
    10.000 --     warning: rule later has no effect: too few of its VMs are defined; define them, or drop rule later
    10.000 --     warning: vm loose is to go back to a better preferred owner, but its stickiness is infinite; give it less stickiness, or <failback>never</failback>
    10.000 --     warning: rule sites is about the attribute site, which no node has; give nodes <attribute name="site" .../>
    10.000 --     warning: vm big needs more memory than any node that it may use has; give it less memory, or more possible owners
