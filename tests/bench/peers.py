# SPDX-License-Identifier: Apache-2.0
"""The same failovers by clusterd and by Pacemaker: corosync.conf, fence agent and QEMU are the same."""
import os
import re
import shutil
import subprocess
import time
import uuid

import failover
from benchlab import RingWatch, median, say

HERE = os.path.dirname(os.path.abspath(__file__))
MANY, LOST = 180, 60

# In a node's own mount namespace: the agents where the peer looks for them.
PREPARE = """set -e
mount -t overlay overlay -o lowerdir=/usr/local/sbin:/usr/sbin /usr/sbin
mount -t tmpfs agents /usr/lib/ocf/resource.d
mkdir -p /usr/lib/ocf/resource.d/clusterd
cp /srv/shared/bench/bench-vm /usr/lib/ocf/resource.d/clusterd/bench-vm
chmod 755 /usr/lib/ocf/resource.d/clusterd/bench-vm
setsid pacemakerd -f </dev/null >/var/log/pacemakerd.log 2>&1 &
"""

# The fastest of its settings: off instead of reboot, and no brake when the machine is loaded by others.
CONFIGURATION = """<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-stonith" name="stonith-enabled" value="true"/>
<nvpair id="o-action" name="stonith-action" value="off"/>
<nvpair id="o-load" name="load-threshold" value="100000%"/>
</cluster_property_set></crm_config><resources>
<primitive id="fence" class="stonith" type="fence_lab"><instance_attributes id="fence-a">
<nvpair id="fence-map" name="pcmk_host_map" value="{hosts}"/>
</instance_attributes></primitive>
{vms}</resources></configuration>"""

VM = """<primitive id="{name}" class="ocf" provider="clusterd" type="bench-vm">
<instance_attributes id="{name}-a"><nvpair id="{name}-n" name="name" value="{name}"/></instance_attributes>
<operations><op id="{name}-start" name="start" interval="0" timeout="60s"/>
<op id="{name}-stop" name="stop" interval="0" timeout="60s"/>
<op id="{name}-monitor" name="monitor" interval="30s" timeout="20s"/></operations></primitive>
"""


def qemu_arguments(lab, node):
    """Of a QEMU that clusterd started in the node."""
    text = lab.exec(node, "sh", "-c", "tr '\\0' '\\n' < /proc/$(pgrep -o qemu-system)/cmdline")
    return text.rstrip("\n").split("\n")


def peer_arguments(arguments, old, new):
    """The same for the peer: other folders, a tap of QEMU's own making, and the VM's own names."""
    changed = []
    for argument in arguments:
        argument = re.sub(r"/run/clusterd/vms/[0-9a-f-]+\.d/", f"/run/bench-vm/{new}/", argument)
        argument = argument.replace("/clusterstorage/", "/srv/shared/")
        argument = re.sub(r"tap,id=nic0,fd=\d+",
                          "tap,id=nic0,ifname=bench0,script=no,downscript=no", argument)
        argument = re.sub(rf"\b{old}\b", new, argument)
        if changed and changed[-1] == "-uuid":
            argument = str(uuid.uuid4())
        changed.append(argument)
    return changed


# ---- clusterd ----

def many_document():
    return "<clusterd>" + "".join(
        f'<vm name="m{i:03d}" wanted="running"><cpus>1</cpus><memory unit="MiB">16</memory>'
        f'<disk volume="v1" path="vms/m{i:03d}.img" format="raw" aio="threads"/></vm>' for i in range(MANY)) + "</clusterd>"


def make_images(lab):
    folder = os.path.join(lab.folder, "shared/v1/vms")
    os.makedirs(folder, exist_ok=True)
    for i in range(MANY):
        with open(os.path.join(folder, f"m{i:03d}.img"), "wb") as image:
            image.truncate(1 << 20)
        os.chmod(os.path.join(folder, f"m{i:03d}.img"), 0o666)


def own_many(lab):
    """(ms beyond detection of the last start, number of starts, arguments of a QEMU)"""
    lab.up(traced=True)
    lab.wait("every node online", 60, lab.online, "n1")
    make_images(lab)
    lab.exec("n1", "clustadm", "apply", "-", input=many_document())
    lab.wait(f"{MANY} VMs", 300, lab.running, "n1")
    arguments = qemu_arguments(lab, "n3")
    time.sleep(5)
    lost = sum(row["node"] == "n3" for row in lab.status("n1")["vms"])
    watch = RingWatch(lab, "n1")
    offsets = {name: lab.trace_size(name) for name in ("n1", "n2")}
    cut_ns = lab.kill("n3")
    time.sleep(6)
    lab.wait("the lost VMs", 300, lab.running, "n1")
    ring_ns = watch.without(3, cut_ns)
    started = sorted(ns for name in offsets for ns, kind, word, _ in lab.trace(name, offsets[name])
                     if kind == "event" and word == "qemu-running" and ns > ring_ns)
    lab.down()
    # RESUME comes as an event, and with the first status that QEMU tells: the first of each VM counts.
    return result(started[:lost], ring_ns, cut_ns), arguments


def result(started, ring_ns, cut_ns):
    return {"starts": len(started), "detection_ms": (ring_ns - cut_ns) / 1e6,
            "first_ms": (started[0] - ring_ns) / 1e6, "last_ms": (started[-1] - ring_ns) / 1e6}


# ---- Pacemaker ----

def peer_up(lab, vms, arguments, old):
    """Three nodes under Pacemaker, with these VMs running."""
    lab.up("--no-clusterd")
    shared = os.path.join(lab.folder, "shared/bench")
    os.makedirs(shared, exist_ok=True)
    shutil.copy(os.path.join(HERE, "bench-vm"), shared)
    shutil.copy(os.path.join(lab.programs, "qmp_cont"), shared)
    for name in vms:
        with open(os.path.join(shared, f"{name}.args"), "w", encoding="utf-8") as out:
            out.write("\n".join(peer_arguments(arguments, old, name)) + "\n")
    for node in lab.nodes:
        lab.exec(node, "sh", "-c", PREPARE)
    lab.wait("Pacemaker on every node", 120, peer_online, lab)
    document = CONFIGURATION.format(hosts=";".join(f"{n}:{n}" for n in lab.nodes),
                                    vms="".join(VM.format(name=name) for name in vms))
    lab.exec("n1", "cibadmin", "--modify", "--allow-create", "-o", "configuration", "-X", document)


def peer_online(lab):
    text = lab.exec("n1", "sh", "-c", "crm_mon -1 2>/dev/null || true")
    return re.search(r"Online: \[ n1 n2 n3 \]", text)


def peer_where(lab, node):
    """VM -> node, as Pacemaker has it."""
    text = lab.exec(node, "sh", "-c", "crm_mon -1 -r 2>/dev/null || true")
    return dict(re.findall(r"\*\s+(\S+)\s+\(ocf:clusterd:bench-vm\):\s+Started\s+(\S+)", text))


def peer_started(lab, nodes, since_ns):
    times = []
    for node in nodes:
        path = os.path.join(lab.folder, "nodes", node, "log/bench-vm.log")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as source:
                times += [int(line.split()[1]) for line in source if len(line.split()) == 2]
    return sorted(ns for ns in times if ns > since_ns)


def peer_cut(lab, node, expected, seconds):
    survivors = [name for name in lab.nodes if name != node]
    watch = RingWatch(lab, survivors[0])
    time.sleep(0.5)
    cut_ns = lab.kill(node)
    lab.wait("the lost VMs", seconds,
             lambda: len(peer_started(lab, survivors, cut_ns)) >= expected)
    return result(peer_started(lab, survivors, cut_ns), watch.without(int(node[1:]), cut_ns), cut_ns)


def peer_place(lab, vm, leads):
    """Brings the VM to the node of Pacemaker's coordinator, or away from it: which node."""
    first = lab.exec("n1", "crmadmin", "-D").split()[-1]
    node = peer_where(lab, "n1")[vm]
    if (node == first) != leads:
        node = first if leads else next(name for name in lab.nodes if name != first)
        lab.exec("n1", "crm_resource", "--move", "--resource", vm, "--node", node)
        lab.wait(f"{vm} on {node}", 60, lambda: peer_where(lab, "n1").get(vm) == node)
        lab.exec("n1", "crm_resource", "--clear", "--resource", vm)
        time.sleep(3)
    return node


def peer_one(lab, runs, arguments, leads):
    results = []
    peer_up(lab, [], arguments, "web")
    guest = lab.run("guest", stderr=subprocess.DEVNULL).split("\n")[0]
    os.makedirs(os.path.join(lab.folder, "shared/v1/boot"), exist_ok=True)
    for name in ("vmlinuz", "initrd"):
        shutil.copy(os.path.join(guest, name), os.path.join(lab.folder, "shared/v1/boot", name))
    os.makedirs(os.path.join(lab.folder, "shared/v1/vms"), exist_ok=True)
    with open(os.path.join(lab.folder, "shared/v1/vms/web.img"), "wb") as image:
        image.truncate(1 << 30)
    with open(os.path.join(lab.folder, "shared/bench/web.args"), "w", encoding="utf-8") as out:
        out.write("\n".join(peer_arguments(arguments, "web", "web")) + "\n")
    lab.exec("n1", "cibadmin", "--create", "-o", "resources", "-X", VM.format(name="web"))
    for i in range(runs):
        lab.wait("web under Pacemaker", 60, lambda: len(peer_where(lab, "n1")) == 1)
        time.sleep(3)
        node = peer_place(lab, "web", leads)
        if (node in lab.exec(node, "crmadmin", "-D").split()) != leads:
            raise RuntimeError("Pacemaker's coordinator moved")
        one = peer_cut(lab, node, 1, 120)
        results.append(dict(one, node=node, coordinator=leads, beyond_ms=one["last_ms"]))
        say(f"Pacemaker {i + 1} of {runs}: beyond detection {one['last_ms']:.0f} ms"
            f"{' (its coordinator was lost)' if leads else ''}")
        lab.run("boot", node)
        time.sleep(5)
        lab.exec(node, "sh", "-c", PREPARE)
        lab.wait("Pacemaker on every node", 120, peer_online, lab)
    lab.down()
    return {"runs": results}


def peer_many(lab, arguments):
    peer_up(lab, [], arguments, "m000")
    make_images(lab)
    names = [f"m{i:03d}" for i in range(MANY)]
    for name in names:
        with open(os.path.join(lab.folder, "shared/bench", f"{name}.args"), "w",
                  encoding="utf-8") as out:
            out.write("\n".join(peer_arguments(arguments, arguments_name(arguments), name)) + "\n")
    document = "<resources>" + "".join(VM.format(name=name) for name in names) + "</resources>"
    lab.exec("n1", "cibadmin", "--modify", "--allow-create", "-X", document)
    lab.wait(f"{MANY} VMs under Pacemaker", 900, lambda: len(peer_where(lab, "n1")) == MANY)
    time.sleep(5)
    lost = sum(node == "n3" for node in peer_where(lab, "n1").values())
    found = peer_cut(lab, "n3", lost, 600)
    lab.down()
    return found


def arguments_name(arguments):
    return re.sub(r"^guest=([^,]+).*", r"\1", arguments[arguments.index("-name") + 1])


def one_vm(lab, runs):
    """Like with like: on either side the lost node is the coordinator (True), or it is not (False).

    By turns in two halves, because the machine's other load comes and goes.
    """
    lab.up()
    lab.wait("every node online", 60, lab.online, "n1")
    lab.run("vm", "add", "web", "--memory", "128", stderr=subprocess.DEVNULL)
    lab.wait("web", 60, lab.running, "n1")
    arguments = qemu_arguments(lab, lab.status("n1")["vms"][0]["node"])
    found = {}
    for leads in (True, False):
        own, peer = [], []
        for part in (runs - runs // 2, runs // 2):
            if part:
                own += failover.failover(lab, part, leads)["runs"]
                peer += peer_one(lab, part, arguments, leads)["runs"]
        if any(run["coordinator"] != leads for run in own + peer):
            raise RuntimeError("the lost node was not the one that was meant")
        found[leads] = failover.summary(own), {
            "runs": peer, "beyond_ms": median([r["beyond_ms"] for r in peer]),
            "detection_ms": median([r["detection_ms"] for r in peer])}
    return found


def many_vms(lab):
    own, arguments = own_many(lab)
    say(f"clusterd: {own['starts']} of {MANY} VMs lost, the last start {own['last_ms']:.0f} ms beyond detection")
    peer = peer_many(lab, arguments)
    say(f"Pacemaker: {peer['starts']} lost, the last start {peer['last_ms']:.0f} ms beyond detection")
    return own, peer
