# SPDX-License-Identifier: Apache-2.0
"""The lab as the benches see it: nodes, their power, their traces, and corosync's own word on membership."""
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(values):
    return statistics.median(values) if values else None


def child_seconds():
    """CPU time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Lab:
    """One lab in a folder of its own; `programs` holds the compiled bench programs."""

    def __init__(self, folder, build, programs):
        self.folder = folder
        self.programs = programs
        self.command = os.path.join(TOP, "contrib/lab/lab")
        self.nodes = []
        # A clusterd that writes a trace, where the node's logs are.
        self.wrapper = os.path.join(programs, "traced", "clusterd")
        os.makedirs(os.path.dirname(self.wrapper), exist_ok=True)
        with open(self.wrapper, "w", encoding="utf-8") as out:
            out.write('#!/bin/sh\n# The lab puts this folder first in PATH, the real one behind it.\n'
                      'PATH=${PATH#*:}\nexec clusterd --trace /var/log/clusterd.trace "$@"\n')
        os.chmod(self.wrapper, 0o755)
        self.environment = dict(os.environ, CLUSTERD_LAB_DIR=folder, CLUSTERD_BUILD=build)

    def run(self, *words, check=True, **options):
        return subprocess.run([self.command, *words], env=self.environment, check=check,
                              stdout=subprocess.PIPE, text=True, **options).stdout

    def exec(self, node, *words, **options):
        return self.run("exec", node, *words, **options)

    def popen(self, node, *words):
        return subprocess.Popen([self.command, "exec", node, *words], env=self.environment,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)

    def up(self, *options, nodes=3, traced=False):
        if traced:
            self.environment["CLUSTERD_BIN"] = self.wrapper
        else:
            self.environment.pop("CLUSTERD_BIN", None)
        self.nodes = [f"n{i + 1}" for i in range(nodes)]
        self.down()
        self.run("up", "--nodes", str(nodes), *options, stderr=subprocess.DEVNULL)

    def down(self):
        self.run("down", check=False, stderr=subprocess.DEVNULL)

    def status(self, node):
        done = subprocess.run([self.command, "exec", node, "clustadm", "-o", "json", "status"],
                              env=self.environment, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def online(self, node):
        status = self.status(node)
        return status and status["cluster"]["quorate"] and \
            all(row["state"] == "online" for row in status["nodes"])

    def running(self, node):
        status = self.status(node)
        return status and all(row["state"] == "running" for row in status["vms"])

    def wait(self, what, seconds, condition, *arguments):
        end = time.monotonic() + seconds
        while not condition(*arguments):
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {seconds} s")
            time.sleep(0.2)

    def kill(self, node):
        """Cuts the power: CLOCK_MONOTONIC in ns of the signal."""
        return int(self.run("kill", node).split()[2])

    def trace_size(self, node):
        path = os.path.join(self.folder, "nodes", node, "log", "clusterd.trace")
        return os.path.getsize(path) if os.path.exists(path) else 0

    def trace(self, node, offset):
        """Lines since the offset: (ns, kind, word, rest)."""
        lines = []
        path = os.path.join(self.folder, "nodes", node, "log", "clusterd.trace")
        with open(path, encoding="utf-8", errors="replace") as source:
            source.seek(offset)
            for line in source:
                parts = line.rstrip("\n").split(" ", 3)
                if len(parts) >= 3 and line.endswith("\n"):
                    lines.append((int(parts[0]) * 1000, parts[1], parts[2],
                                  parts[3] if len(parts) > 3 else ""))
        return lines


class RingWatch:
    """corosync's word on membership, from a program of our own in a node."""

    def __init__(self, lab, node):
        self.process = lab.popen(node, os.path.join(lab.programs, "ring_watch"))
        self.process.stdout.readline()     # it listens from here on

    def without(self, node_id, since_ns):
        """Ends the watch: when the first membership without that node came."""
        time.sleep(0.1)
        for line in self.process.communicate(timeout=10)[0].splitlines():
            parts = line.split()
            if len(parts) > 3 and parts[1] == "members" and int(parts[0]) > since_ns and \
                    str(node_id) not in parts[3:]:
                return int(parts[0])
        raise RuntimeError("corosync told of no membership without the lost node")


def machine():
    """What the figures were measured on."""
    def first(path, key):
        with open(path, encoding="utf-8") as source:
            for line in source:
                if line.startswith(key):
                    return line.split(":", 1)[1].strip()
        return "?"

    def output(*words):
        if not shutil.which(words[0]):
            return "?"
        return subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout.splitlines()[0]
    release = {}
    with open("/etc/os-release", encoding="utf-8") as source:
        for line in source:
            name, _, value = line.strip().partition("=")
            release[name] = value.strip('"')
    return {
        "cpu": first("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
        "memory_mib": int(first("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "system": release.get("PRETTY_NAME", "?"), "kernel": os.uname().release,
        "qemu": output("qemu-system-x86_64", "--version"), "load_1min": os.getloadavg()[0],
    }
