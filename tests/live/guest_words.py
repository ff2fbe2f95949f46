#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the guests of this node said last, and what their QEMUs say of them: why a guest that should run does not count.
Run in a node whose clusterd was ended: QEMU's monitor takes one client."""
import glob
import json
import os
import socket
import sys
import time

VMS = "/run/clusterd/vms"
QUESTIONS = ("query-status", "query-migrate", "query-block", "query-blockstats")
LIMIT_S = 3


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT_S)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw", encoding="utf-8")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "event" not in answer:
                return answer.get("return", answer)

    def registers(self):
        text = self.ask("human-monitor-command", **{"command-line": "info registers -a"})
        return "\n".join(line for line in text.split("\r\n") if not line.startswith(("YMM", "XMM", "FPR", "FCW")))


def qemu_speaks(path):
    try:
        monitor = Monitor(path)
        for question in QUESTIONS:
            print(f"-- {question}\n{json.dumps(monitor.ask(question))}")
        first = monitor.registers()
        time.sleep(0.3)
        second = monitor.registers()
        print(f"-- info registers\n{first}-- the same after 0.3 s\n{'' if first == second else second}")
    except (OSError, ValueError) as error:
        print(f"-- its monitor: {error!r}")


def console_tail(path):
    with open(path, "rb") as console:
        console.seek(0, os.SEEK_END)
        size = console.tell()
        console.seek(max(0, size - 1500))
        print(f"-- console, {size} bytes, last written {time.time() - os.stat(path).st_mtime:.1f} s ago")
        print(console.read().decode(errors="replace"))


for folder in sorted(glob.glob(VMS + "/*.d")):
    print("==", os.path.basename(folder))
    for log in (folder + "/console.log", folder[:-1] + "log"):
        if os.path.exists(log):
            console_tail(log)
    qemu_speaks(folder + "/qmp")
    sys.stdout.flush()
