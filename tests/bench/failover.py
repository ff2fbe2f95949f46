# SPDX-License-Identifier: Apache-2.0
"""From the power cut to RESUME elsewhere, against corosync's own time to the new membership, term by term."""
import time
import xml.etree.ElementTree as ET

from benchlab import RingWatch, median, say

# (name, the word that ends the term); times are those of the whole cluster's traces, the earliest of each.
TERMS = [
    ("view normal", "action", "log", "view "),
    ("lost", "action", "log", ": lost"),
    ("fence begun", "action", "fence", ""),
    ("fence agent done", "event", "fence-done", ""),
    ("fenced", "action", "log", ": fenced"),
    ("claims released", "event", "host-released", ""),
    ("released", "action", "log", "claims are released"),
    ("placed", "action", "log", ": placed on"),
    ("child registered", "event", "vm-spawned", ""),
    ("lease granted", "event", "lease-granted", ""),
    ("exec allowed", "action", "qemu-exec", ""),
    ("executed", "note", "executed", ""),
    ("QMP answers", "note", "qmp-ready", ""),
    ("RESUME", "event", "qemu-running", ""),
]


def terms_of(lines, ring_ns):
    """ms of each term, from the merged lines; a step that came before the one above it counts as none."""
    terms, previous = {}, ring_ns
    for name, kind, word, text in TERMS:
        at = next((ns for ns, k, w, rest in lines
                   if k == kind and w == word and text in rest and ns >= ring_ns - 50_000_000), None)
        if at is None:
            raise RuntimeError(f"the trace shows no '{name}'")
        terms[name] = max(0, at - previous) / 1e6
        previous = max(previous, at)
    return terms, previous


def place(lab, vm, leads):
    """Brings the VM to the coordinator's node, or away from it."""
    status = lab.status(lab.nodes[0])
    first = status["cluster"]["coordinator"]
    row = next(row for row in status["vms"] if row["name"] == vm)
    if (row["node"] == first) == leads:
        return
    target = first if leads else next(name for name in lab.nodes if name != first)

    # A node that has just come back is online before it has joined its volumes.
    def joined():
        now = lab.status(first)
        return now and all(seen["state"] == "online" for volume in now["volumes"]
                           for seen in volume["nodes"] if seen["node"] == target)
    lab.wait(f"the volumes on {target}", 60, joined)
    document = ET.Element("clusterd")
    definition = next(element for element in ET.fromstring(lab.exec(target, "clustadm", "dump"))
                      if element.tag == "vm" and element.get("name") == vm)
    for owners in definition.findall("owners"):
        definition.remove(owners)
    ET.SubElement(ET.SubElement(definition, "owners"), "preferred", node=target)
    document.append(definition)
    lab.exec(target, "clustadm", "apply", "-", input=ET.tostring(document, encoding="unicode"))
    lab.exec(target, "clustadm", "vm", "stop", vm, "--force")

    def at(state, node):
        now = lab.status(target)
        return now and any(row["name"] == vm and row["state"] == state and node in (None, row["node"])
                           for row in now["vms"])
    lab.wait(f"{vm} stopped", 60, at, "stopped", None)
    lab.exec(target, "clustadm", "vm", "start", vm)
    lab.wait(f"{vm} on {target}", 60, at, "running", target)


def one(lab, vm):
    status = lab.status(lab.nodes[0])
    node = next(row["node"] for row in status["vms"] if row["name"] == vm)
    leads = status["cluster"]["coordinator"] == node
    survivors = [name for name in lab.nodes if name != node]
    watch = RingWatch(lab, survivors[0])
    offsets = {name: lab.trace_size(name) for name in survivors}
    time.sleep(0.5)
    cut_ns = lab.kill(node)

    def elsewhere():
        now = lab.status(survivors[0])
        return now and any(row["name"] == vm and row["state"] == "running" and row["node"] != node
                           for row in now["vms"])
    lab.wait(f"{vm} elsewhere", 60, elsewhere)
    ring_ns = watch.without(int(node[1:]), cut_ns)
    lines = sorted(line for name in survivors for line in lab.trace(name, offsets[name]))
    terms, resumed_ns = terms_of(lines, ring_ns)
    lab.run("boot", node)
    lab.wait("every node online", 60, lab.online, survivors[0])
    return {"node": node, "coordinator": leads, "detection_ms": (ring_ns - cut_ns) / 1e6,
            "beyond_ms": (resumed_ns - ring_ns) / 1e6, "total_ms": (resumed_ns - cut_ns) / 1e6,
            "terms_ms": terms}


def failover(lab, runs, leads=None):
    """{runs: [...], medians...}; the lab is left down.

    leads: whether the lost node is to be the coordinator; None: as it comes.
    """
    lab.up(traced=True)
    lab.wait("every node online", 60, lab.online, "n1")
    lab.run("vm", "add", "web", "--memory", "128")
    lab.wait("web", 60, lab.running, "n1")
    results = []
    for i in range(runs):
        if leads is not None:
            place(lab, "web", leads)
        time.sleep(2)       # a node that has just joined is still reporting
        results.append(one(lab, "web"))
        say(f"failover {i + 1} of {runs}: detection {results[-1]['detection_ms']:.0f} ms, "
            f"beyond it {results[-1]['beyond_ms']:.0f} ms"
            f"{' (the coordinator was lost)' if results[-1]['coordinator'] else ''}")
    lab.down()
    return summary(results)


def summary(results):
    return {
        "runs": results,
        "detection_ms": median([r["detection_ms"] for r in results]),
        "beyond_ms": median([r["beyond_ms"] for r in results]),
        "total_ms": median([r["total_ms"] for r in results]),
        "terms_ms": {name: median([r["terms_ms"][name] for r in results]) for name, *_ in TERMS},
    }
