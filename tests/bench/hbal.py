# SPDX-License-Identifier: Apache-2.0
"""The balancer beside Ganeti's hbal, on the same generated clusters and by hbal's own score."""
import json
import math
import os
import random
import re
import subprocess
import tempfile

from benchlab import child_seconds, median, say

PER_NODE = 10       # VMs
RESERVED, OWN_CPUS = 1024, 1    # MiB of the host itself, and CPUs, as hbal assumes
WEIGHTS = {"free_mem_cv": 0.5, "vcpu_ratio_cv": 0.5, "cpu_load_cv": 1, "mem_load_cv": 1, "disk_load_cv": 1,
           "net_load_cv": 1, "free_mem_cv_forth": 0.5, "vcpu_ratio_cv_forth": 0.5}


class Cluster:
    """Nodes alike or of two sizes, VMs of five; more of them on some nodes than on others."""

    def __init__(self, seed, count):
        dice = random.Random(seed)
        self.nodes = {}
        for i in range(count):
            big = seed % 3 == 0 and i % 2
            self.nodes[f"node{i:02d}"] = (131072, 64) if big else (65536, 32)
        self.vms, self.home = {}, {}
        names = list(self.nodes)
        for i in range(count * PER_NODE):
            size = dice.choice((512, 1024, 2048, 4096, 8192)), dice.choice((1, 2, 4, 8))
            while True:
                at = dice.randrange(count)
                node = names[at // 2 if dice.random() < 0.3 else at]
                if self.used(node) + size[0] <= 0.85 * self.nodes[node][0]:
                    break
            self.vms[f"vm{i:03d}"], self.home[f"vm{i:03d}"] = size, node

    def used(self, node, home=None):
        return RESERVED + sum(self.vms[vm][0] for vm, at in (home or self.home).items() if at == node)

    def ganeti(self):
        """Its text backend: groups, nodes, instances, cluster tags, policies."""
        lines = ["group-0|g0-uuid|preferred||", ""]
        for name, (mib, cpus) in self.nodes.items():
            lines.append(f"{name}|{mib}|{RESERVED}|{mib - self.used(name)}|1000000|1000000|{cpus}|N|g0-uuid|1")
        lines.append("")
        for name, (mib, cpus) in self.vms.items():
            lines.append(f"{name}|{mib}|0|{cpus}|running|Y|{self.home[name]}||ext||1")
        return "\n".join(lines + ["", "", ""])

    def own(self):
        lines = [f"node {name} {mib} {RESERVED} {cpus}" for name, (mib, cpus) in self.nodes.items()]
        lines += [f"vm {name} {mib} {cpus} {self.home[name]}" for name, (mib, cpus) in self.vms.items()]
        return "\n".join(lines) + "\n"

    def score(self, home):
        """hbal's cluster score, from its manual page alone: weighted standard deviations over the nodes."""
        free, ratio, load = [], [], []
        for name, (mib, cpus) in self.nodes.items():
            here = [self.vms[vm] for vm, at in home.items() if at == name]
            free.append((mib - RESERVED - sum(vm[0] for vm in here)) / mib)
            ratio.append((OWN_CPUS + sum(vm[1] for vm in here)) / cpus)
            load.append(len(here))
        values = {"free_mem_cv": deviation(free), "vcpu_ratio_cv": deviation(ratio)}
        return sum(weight * values.get(name.replace("_forth", ""), deviation(load)) for name, weight in WEIGHTS.items())

    def after(self, moves):
        """The end of these moves, each of which must find room."""
        home = dict(self.home)
        for vm, source, target in moves:
            if home[vm] != source or self.used(target, home) + self.vms[vm][0] > self.nodes[target][0]:
                raise RuntimeError(f"{vm} cannot go from {source} to {target}")
            home[vm] = target
        return home


def deviation(values):
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def run_hbal(cluster, folder):
    path = os.path.join(folder, "cluster.data")
    with open(path, "w", encoding="utf-8") as out:
        out.write(cluster.ganeti())
    began = child_seconds()
    text = subprocess.run(["hbal", "-t", path, "-vvv"], check=True, text=True, capture_output=True).stdout
    took = (child_seconds() - began) * 1000
    first, last = (float(re.search(rf"{word} coefficients:\s+overall ([\d.]+)", text).group(1))
                   for word in ("Initial", "Final"))
    moves = [(vm, source, target) for vm, source, target in
             re.findall(r"^\s*\d+\.\s+(\S+)\s+(\S+)\s+=>\s+(\S+)\s", text, re.M)]
    # What it prints and what the function makes of the same state must be one.
    for printed, home in ((first, cluster.home), (last, cluster.after(moves))):
        if abs(printed - cluster.score(home)) > 1e-6:
            raise RuntimeError(f"hbal's score is {printed}, the function says {cluster.score(home)}")
    return {"ms": took, "moves": moves, "score": last, "before": first}


def run_own(programs, cluster, moves_max):
    # hbal counts each VM as one unit of each of four loads, memory and CPUs once: per node on average PER_NODE.
    text = subprocess.run([os.path.join(programs, "balance"), "balance", str(moves_max), "1", "1", str(4 * PER_NODE)],
                          input=cluster.own(), check=True, text=True, capture_output=True).stdout
    found = json.loads(text)
    found["score"] = cluster.score(cluster.after(found["moves"]))
    return found


def compare(programs, clusters):
    """Rows, one for each cluster; ours may move as often as hbal did."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, clusters + 1):
            nodes = 10 + (seed - 1) * 22 // max(clusters - 1, 1)
            cluster = Cluster(seed, nodes)
            peer = run_hbal(cluster, folder)
            own = run_own(programs, cluster, len(peer["moves"]))
            rows.append({"nodes": nodes, "vms": len(cluster.vms), "before": peer["before"], "hbal_score": peer["score"],
                         "score": own["score"], "ratio": own["score"] / peer["score"], "hbal_moves": len(peer["moves"]),
                         "moves": len(own["moves"]), "hbal_ms": peer["ms"], "ms": own["ms"]})
            row = rows[-1]
            say(f"{nodes} nodes: hbal {row['before']:.3f} to {row['hbal_score']:.4f} in {row['hbal_moves']} moves, "
                f"{row['hbal_ms']:.0f} ms; ours {row['score']:.4f} in {row['moves']} moves, {row['ms']:.1f} ms; "
                f"ratio {row['ratio']:.3f}")
    return {"clusters": rows, "ratio": median([row["ratio"] for row in rows]),
            "time_ratio": median([row["ms"] / row["hbal_ms"] for row in rows]),
            "worst_time_ratio": max(row["ms"] / row["hbal_ms"] for row in rows),
            "more_moves": sum(row["moves"] > row["hbal_moves"] for row in rows)}
