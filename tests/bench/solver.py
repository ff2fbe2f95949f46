# SPDX-License-Identifier: Apache-2.0
"""The decision about a lost node's VMs, beside Pacemaker's scheduler: crm_simulate on the same cluster."""
import json
import os
import random
import re
import subprocess
import tempfile

from benchlab import child_seconds, median, say

NODES, VMS, MIB, CPUS = 16, 1000, 327680, 256
DIGEST = "f2317cad3d54cec5d7d7aa7d0bf35cf8"     # of no parameters
KEY = "1:0:0:00000000-0000-0000-0000-000000000000"

CIB = """<cib crm_feature_set="3.0.9" validate-with="pacemaker-2.0" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config><cluster_property_set id="options">
<nvpair id="o-fence" name="stonith-enabled" value="false"/>
<nvpair id="o-place" name="placement-strategy" value="balanced"/>
<nvpair id="o-quorum" name="no-quorum-policy" value="ignore"/>
</cluster_property_set></crm_config>
<rsc_defaults><meta_attributes id="defaults"><nvpair id="d-stay" name="resource-stickiness" value="1000"/>
</meta_attributes></rsc_defaults><nodes>{nodes}</nodes><resources>{vms}</resources><constraints/></configuration>
<status>{states}</status></cib>
"""


def use(name, mib, cpus):
    return (f'<utilization id="{name}-u"><nvpair id="{name}-m" name="memory" value="{mib}"/>'
            f'<nvpair id="{name}-c" name="cpu" value="{cpus}"/></utilization>')


def make(seed):
    """VMs by name: (MiB, CPUs, node); three quarters of the memory are used."""
    dice = random.Random(seed)
    vms, used = {}, {f"node{i:02d}": 0 for i in range(NODES)}
    for i in range(VMS):
        mib = dice.choice((1024, 2048, 4096, 8192))
        node = min(dice.sample(sorted(used), 2), key=used.get)
        used[node] += mib
        vms[f"vm{i:04d}"] = (mib, dice.choice((1, 2)), node)
    return vms, sorted(used)


def cib(vms, nodes, lost):
    def state(i, node):
        history = "".join(
            f'<lrm_resource id="{name}" type="Dummy" class="ocf" provider="heartbeat"><lrm_rsc_op id="{name}_last_0" '
            f'operation="start" operation_key="{name}_start_0" call-id="{k}" rc-code="0" op-status="0" interval="0" op-digest="{DIGEST}" '
            f'crm_feature_set="3.0.9" transition-key="{KEY}" transition-magic="0:0;{KEY}" on_node="{node}"/></lrm_resource>'
            for k, (name, vm) in enumerate(vms.items(), 1) if vm[2] == node)
        life = ('in_ccm="false" crmd="offline" join="down"' if node == lost else
                'in_ccm="true" crmd="online" join="member"')
        return (f'<node_state id="{i}" uname="{node}" {life} expected="member"><lrm id="{i}"><lrm_resources>{history}'
                "</lrm_resources></lrm></node_state>")
    return CIB.format(
        nodes="".join(f'<node id="{i}" uname="{node}">{use(node, MIB, CPUS)}</node>' for i, node in enumerate(nodes, 1)),
        vms="".join(f'<primitive id="{name}" class="ocf" provider="heartbeat" type="Dummy">{use(name, mib, cpus)}'
                    "</primitive>" for name, (mib, cpus, _) in vms.items()),
        states="".join(state(i, node) for i, node in enumerate(nodes, 1)))


def timed(*command, **options):
    """(output, CPU seconds) of the whole process, reading its input included."""
    began = child_seconds()
    text = subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout
    return text, child_seconds() - began


def check(who, vms, nodes, lost, homes):
    """Every VM of the lost node has a home, and no node more than its memory and CPUs."""
    missing = [name for name, vm in vms.items() if vm[2] == lost and homes.get(name, lost) not in nodes[1:]]
    if missing:
        raise RuntimeError(f"{who}: no home for {missing[:5]}")
    for node in nodes:
        here = [vm for name, vm in vms.items() if homes.get(name, vm[2]) == node]
        if sum(vm[0] for vm in here) > MIB:
            raise RuntimeError(f"{who}: too much memory promised on {node}")


def compare(programs, runs):
    found = []
    for seed in range(1, runs + 1):
        vms, nodes = make(seed)
        lost = nodes[0]
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as out:
            out.write(cib(vms, nodes, lost))
            out.flush()
            text, peer_s = timed("crm_simulate", "-R", "-x", out.name)
        peer = dict(re.findall(r"^\s*\*\s+(?:Recover|Move|Start|Migrate)\s+(vm\d+)\s+\(.*?(\S+) \)", text, re.M))
        check("Pacemaker", vms, nodes, lost, peer)
        lines = [f"node {node} {MIB} 0 {CPUS}" for node in nodes]
        lines += [f"vm {name} {mib} {cpus} {node}" for name, (mib, cpus, node) in vms.items()]
        text, own_s = timed(os.path.join(programs, "balance"), "place", lost, input="\n".join(lines) + "\n")
        own = json.loads(text)
        check("clusterd", vms, nodes, lost, own["homes"])
        displaced = sum(vm[2] == lost for vm in vms.values())
        found.append({"displaced": displaced, "moved": len(own["homes"]), "peer_moved": len(peer), "ms": own_s * 1000,
                      "decision_ms": own["ms"], "peer_ms": peer_s * 1000})
        say(f"{displaced} VMs lost: Pacemaker {peer_s * 1000:.0f} ms, {len(peer)} VMs; clusterd {own_s * 1000:.1f} ms "
            f"({own['ms']:.2f} ms of it the decision)")
    return {"nodes": NODES, "vms": VMS, "runs": found, "ms": median([run["ms"] for run in found]),
            "decision_ms": median([run["decision_ms"] for run in found]),
            "peer_ms": median([run["peer_ms"] for run in found]), "displaced": found[0]["displaced"],
            "ratio": median([run["peer_ms"] / run["ms"] for run in found])}
