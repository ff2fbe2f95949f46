# SPDX-License-Identifier: Apache-2.0
"""What clusterd costs when nothing goes wrong: a change's latency and rate, and an idle daemon's memory and CPU."""
import json
import os
import subprocess
import time

from benchlab import say

TICKS = os.sysconf("SC_CLK_TCK")


def define_vms(lab, count):
    """VMs that are defined and stay off."""
    document = "<clusterd>" + "".join(
        f'<vm name="vm{i:04d}" wanted="stopped"><cpus>1</cpus><memory unit="MiB">16</memory>'
        f'<disk volume="v1" path="vms/vm{i:04d}.img" format="raw"/></vm>' for i in range(count)) + "</clusterd>"
    lab.exec("n1", "clustadm", "apply", "-", input=document)
    return [f"vm{i:04d}" for i in range(count)]


def coordinator(lab):
    return lab.status("n1")["cluster"]["coordinator"]


def command(lab, rounds, seconds):
    lab.up()
    lab.wait("every node online", 60, lab.online, "n1")
    vms = define_vms(lab, 64)
    first = coordinator(lab)
    found = {}
    for role, node in (("coordinator", first), ("other", next(n for n in lab.nodes if n != first))):
        program = os.path.join(lab.programs, "command_latency")
        peers = [lab.popen(n, program, "--peer", "/var/lib/clusterd") for n in lab.nodes if n != node]
        text = lab.exec(node, program, str(rounds), str(seconds), "/var/lib/clusterd", *vms, timeout=120)
        for peer in peers:
            peer.communicate(timeout=10)
        found[role] = json.loads(text)
        found[role]["ratio"] = found[role]["change_ms"] / found[role]["floor_ms"]
        say(f"a change from the {role}: {found[role]['change_ms']:.2f} ms, "
            f"{found[role]['ratio']:.2f} of its floor")
    lab.down()
    return found


def process(lab, node):
    """(CPU seconds so far, resident KiB) of clusterd in the node."""
    text = lab.exec(node, "sh", "-c", "p=$(pidof clusterd) && cat /proc/$p/stat && "
                                      "grep -E 'VmRSS|RssAnon|RssFile' /proc/$p/status")
    lines = text.splitlines()
    fields = lines[0].rsplit(")", 1)[1].split()
    memory = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return (int(fields[11]) + int(fields[12])) / TICKS, memory


def idle(lab, count, seconds):
    lab.up()
    lab.wait("every node online", 60, lab.online, "n1")
    define_vms(lab, count)
    time.sleep(10)
    before = {node: process(lab, node)[0] for node in lab.nodes}
    began = time.monotonic()
    time.sleep(seconds)
    found = {}
    for node in lab.nodes:
        cpu_s, memory = process(lab, node)
        found[node] = {"cpu_percent": 100 * (cpu_s - before[node]) / (time.monotonic() - began),
                       "rss_mib": memory["VmRSS"] / 1024, "anonymous_mib": memory["RssAnon"] / 1024,
                       "coordinator": node == coordinator(lab)}
        say(f"idle {node}: {found[node]['rss_mib']:.1f} MiB, {found[node]['cpu_percent']:.2f} % of a core")
    lab.down()
    return {"vms": count, "seconds": seconds, "nodes": found,
            "rss_mib": max(row["rss_mib"] for row in found.values()),
            "cpu_percent": max(row["cpu_percent"] for row in found.values())}


def core(programs, runs):
    """Returns what core_loss prints."""
    return json.loads(subprocess.run([os.path.join(programs, "core_loss"), str(runs)], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout)


def measures(programs):
    """Returns what measures prints."""
    return json.loads(subprocess.run([os.path.join(programs, "measures")], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout)


def policies(programs, runs):
    """Returns what policies prints."""
    return json.loads(subprocess.run([os.path.join(programs, "policies"), str(runs)], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout)
