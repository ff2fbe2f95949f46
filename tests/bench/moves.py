# SPDX-License-Identifier: Apache-2.0
"""Moves by clusterd, beside the same QEMU driven by hand in the same lab, over the same veth and the same volume."""
import json
import os
import subprocess
import threading
import time
import xml.etree.ElementTree as ET

from benchlab import median, say
from qmp_hand import QUIET_S, SETTLE_S, Hand, Monitor, arguments_of, prepare, socket_path

FIRST_LIMIT_MS = 25    # clusterd's first downtime limit (migration/converge.c)
NO_LIMIT = 1 << 50
SPREAD = {"max-bandwidth": NO_LIMIT, "downtime-limit": FIRST_LIMIT_MS}


def up(lab):
    lab.up()
    lab.wait("every node online", 60, lab.online, "n1")
    prepare(lab)
    # A veth has no speed that a share of it could be taken of; what is compared with has no limit either.
    limits(lab)
    time.sleep(3)       # daemons ask their QEMU what it can do again


def limits(lab, **attributes):
    """What <migration> says, beside a bandwidth that holds nothing back."""
    cluster = ET.fromstring(lab.exec("n1", "clustadm", "dump")).find("cluster")
    for old in cluster.findall("migration"):
        cluster.remove(old)
    ET.SubElement(cluster, "migration", bandwidth="100", **attributes)
    document = ET.Element("clusterd")
    document.append(cluster)
    lab.exec("n1", "clustadm", "apply", "-", input=ET.tostring(document, encoding="unicode"))


def past(lab, name=None):
    rows = json.loads(lab.exec("n3", "clustadm", "-o", "json", "moves", "--all"))
    return [row for row in rows["past"] if name in (None, row["vm"])], \
        [row for row in rows["moves"] if name in (None, row["vm"])]


class Own:
    """A VM of clusterd's, with each move's times as its QEMUs have them."""

    def __init__(self, lab, number, name, memory, cmdline="", settle=4, **settings):
        self.lab, self.name = lab, name
        self.uuid = f"b0b0b0b0-0000-4000-8000-0000000000{number:02x}"
        words = ["--set", f"uuid={self.uuid}", "--set", "preferred=n1"]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        lab.run("vm", "add", name, "--memory", str(memory), "--cmdline", cmdline, *words, stderr=subprocess.DEVNULL)
        self.number = 10 + number
        self.moves = []
        self.running()
        time.sleep(settle)

    def row(self):
        status = self.lab.status("n3")
        return next((row for row in status["vms"] if row["name"] == self.name), {}) if status else {}

    def running(self):
        self.lab.wait(self.name, 90, lambda: self.row().get("state") == "running")

    def node(self):
        return self.row()["node"]

    def arguments(self):
        return arguments_of(self.lab, self.node(), self.uuid)

    def stop(self):
        self.lab.exec("n3", "clustadm", "vm", "stop", self.name, "--force")

    def start(self, settle):
        self.lab.exec("n3", "clustadm", "vm", "start", self.name)
        self.running()
        time.sleep(settle)

    def move(self, *words):
        """{stop, resume, begun: us}, and clusterd's own row of it."""
        time.sleep(SETTLE_S)
        here = self.node()
        to = "n2" if here == "n1" else "n1"
        path = socket_path(self.lab, to, self.uuid)
        if os.path.exists(path):
            os.unlink(path)
        source = Monitor(socket_path(self.lab, here, self.uuid))
        self.lab.exec("n3", "clustadm", "--no-wait", "vm", "migrate", self.name, "--to", to, *words)
        try:
            target = Monitor(path)
            resume = target.wait("RESUME")
        except RuntimeError as error:
            time.sleep(3)
            row = past(self.lab, self.name)[0][-1:]
            raise RuntimeError(f"{self.name} did not arrive: {error}; {row}") from error
        result = {"resume": resume, "stop": source.wait("STOP"), "begun": source.wait("MIGRATION", "setup")}
        time.sleep(QUIET_S)
        self.lab.wait("the move's end", 60, lambda: not past(self.lab, self.name)[1])
        row = past(self.lab, self.name)[0][-1]
        if row["outcome"] != "done":
            raise RuntimeError(f"{self.name}: {row['outcome']}: {row['reason']}")
        source.close()
        target.close()
        result["row"] = row
        self.moves.append(row)
        return result


def pause_ms(run):
    return (run["resume"] - run["stop"]) / 1e3


def total_ms(run):
    return (run["resume"] - run["begun"]) / 1e3


class Hands:
    """The guest driven by hand: VM of clusterd's once, to have QEMU's arguments and an image."""

    def __init__(self, lab, number, name, memory, cmdline=""):
        vm = Own(lab, number, name, memory, cmdline, 0)
        self.hand = Hand(lab, vm.arguments(), name)
        vm.stop()

    def start(self, settle):
        self.hand.start("n1")
        time.sleep(settle)
        return self.hand

    def other(self):
        return "n2" if self.hand.node == "n1" else "n1"


def forecasts(results, rows):
    """Of every live move that had a forecast: how far off its time was."""
    for row in rows:
        if row["kind"] == "live" and row["forecast"]["total_ms"] and row["fact"]["total_ms"]:
            results.setdefault("forecasts", []).append(
                abs(row["forecast"]["total_ms"] - row["fact"]["total_ms"]) / row["fact"]["total_ms"])


def by_turns(vm, hands, settle, turns, own, by_hand, alone=True):
    """Two moves of each in a turn; alone: a busy guest is not there while the other side's moves."""
    for turn in range(turns):
        if alone and turn:
            vm.start(settle)
        for _ in range(2):
            own()
        if alone:
            vm.stop()
        if alone or not turn:
            hands.start(settle)
        for _ in range(2):
            by_hand()
        if alone:
            hands.hand.stop()
    if not alone:
        vm.stop()
        hands.hand.stop()


# ---- downtime and total time ----

def downtime(lab, results, runs):
    """{guest: {own, hand: ms}} by turns."""
    found = {}
    up(lab)
    for number, (guest, memory, cmdline) in enumerate((("128 MiB idle", 128, ""),
                                                       ("512 MiB, dirties 60 MiB/s", 512, "clusterd.dirty=60"))):
        own, hand = [], []
        settle = 3 if memory == 128 else 6
        vm = Own(lab, 2 * number + 1, f"own{number}", memory, cmdline, settle)
        hands = Hands(lab, 2 * number + 2, f"hand{number}", memory, cmdline)
        by_turns(vm, hands, settle, max(1, runs // 2), lambda: own.append(vm.move()),
                 lambda: hand.append(hands.hand.move(hands.other(), tls=True, parameters=SPREAD)), alone=number > 0)
        forecasts(results, vm.moves)
        found[guest] = {
            "own_ms": [pause_ms(run) for run in own], "hand_ms": [pause_ms(run) for run in hand],
            "own_total_ms": [total_ms(run) for run in own], "hand_total_ms": [total_ms(run) for run in hand]}
        say(f"{guest}: {json.dumps(found[guest])}")
    lab.down()
    return found


# ---- blackout ----

class Probe:
    def __init__(self, lab, number):
        self.process = lab.popen("observer", os.path.join(lab.programs, "udp_blackout"), f"10.98.0.{10 + number}", "7")
        self.process.stdout.readline()

    def anew(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def longest_ms(self):
        out = self.process.communicate(timeout=10)[0].split()
        if int(out[1]) < int(out[0]) // 4:
            raise RuntimeError(f"the guest answered {out[1]} of {out[0]} datagrams")
        return int(out[2]) / 1e3


def watched(lab, number, move):
    probe = Probe(lab, number)
    time.sleep(0.5)
    probe.anew()
    move()
    time.sleep(1.5)
    return probe.longest_ms()


def blackout(lab, results, runs):
    memory, cmdline = 512, "clusterd.dirty=60"
    found = {"own_ms": [], "hand_ms": []}
    up(lab)
    vm = Own(lab, 1, "own", memory, cmdline, 6)
    hands = Hands(lab, 2, "hand", memory, cmdline)
    by_turns(vm, hands, 6, max(1, runs // 2), lambda: found["own_ms"].append(watched(lab, 1, vm.move)),
             lambda: found["hand_ms"].append(watched(lab, 2, lambda: hands.hand.move(hands.other(), hand_over=False))))
    forecasts(results, vm.moves)
    say(json.dumps(found))
    lab.down()
    return found


# ---- throughput ----

RECEIVER = """import socket, sys
server = socket.create_server(("10.97.0.2", 5001))
print("listening", flush=True)
one, _ = server.accept()
buffer = bytearray(1 << 20)
while one.recv_into(buffer):
    pass
"""
SENDER = """import socket, time
one = socket.create_connection(("10.97.0.2", 5001))
block = bytes(1 << 20)
began = time.monotonic()
for _ in range(4096):
    one.sendall(block)
print(4096 / (time.monotonic() - began))
"""


def raw_socket(lab):
    """MiB/s of one TCP stream over the same veth."""
    receiver = lab.popen("n2", "python3", "-c", RECEIVER)
    receiver.stdout.readline()
    rate = float(lab.exec("n1", "python3", "-c", SENDER))
    receiver.wait(10)
    return rate


def rate_of(run, size):
    return size / (1 << 20) / (total_ms(run) / 1e3)


def throughput(lab, results, runs):
    """MiB/s of a 2 GiB guest, from `migrate` to RESUME, plain and with TLS; by turns, and the first move of each does not count."""
    found = {"raw": []}
    for kind in ("tls", "plain"):
        found[kind] = {"own": [], "hand": {channels: [] for channels in (1, 2, 4)}}
    memory, cmdline = 2048, "clusterd.fill=90"
    up(lab)
    hands = Hands(lab, 2, "hand", memory, cmdline)
    hands.start(0)
    vm = Own(lab, 1, "own", memory, cmdline, 16)

    def by_hand(kind, channels):
        run = hands.hand.move(hands.other(), tls=kind == "tls", channels=channels, parameters=SPREAD)
        return rate_of(run, run["bytes"])
    vm.move()
    by_hand("tls", 4)
    for kind in ("tls", "plain"):
        if kind == "plain":
            limits(lab, tls="no")
            time.sleep(1)
        for _ in range(runs):
            run = vm.move()
            found[kind]["own"].append(rate_of(run, run["row"]["fact"]["bytes"]))
            for channels, rates in found[kind]["hand"].items():
                rates.append(by_hand(kind, channels))
    forecasts(results, vm.moves)
    hands.hand.stop()
    vm.stop()
    say(json.dumps(found))
    found["raw"] = [raw_socket(lab) for _ in range(3)]
    lab.down()
    return found


# ---- quick migration ----

def disk_rate(lab, mib=512):
    """MiB/s written to the volume and synced, through a node's own sight of it."""
    code = ("import os, time; fd = os.open('/clusterstorage/v1/vms/rate', os.O_RDWR | os.O_CREAT); block = os.urandom(1 << 20); "
            f"began = time.monotonic(); [os.write(fd, block) for _ in range({mib})]; os.fsync(fd); "
            f"print({mib} / (time.monotonic() - began)); os.unlink('/clusterstorage/v1/vms/rate')")
    return float(lab.exec("n1", "python3", "-c", code))


def quick(lab, runs):
    memory, cmdline = 512, "clusterd.fill=80"
    found = {"own": [], "after": [], "ahead": [], "rate": []}
    up(lab)
    vm = Own(lab, 1, "own", memory, cmdline, 8)
    found["own"] = [dict(pause_ms=pause_ms(run), bytes=run["row"]["fact"]["bytes"], own_ms=run["row"]["fact"]["pause_us"] / 1e3)
                    for run in (vm.move("--quick") for _ in range(runs))]
    vm.stop()
    hands = Hands(lab, 2, "hand", memory, cmdline)
    hands.start(8)
    for kind in ("after", "ahead"):
        for _ in range(runs):
            run = hands.hand.quick(hands.other(), "/srv/shared/v1/vms/hand.save", kind == "ahead")
            found[kind].append(dict(pause_ms=pause_ms(run), bytes=run["bytes"], saved_ms=(run["saved"] - run["stop"]) / 1e3))
    hands.hand.stop()
    found["rate"] = [disk_rate(lab) for _ in range(3)]
    lab.down()
    return found


# ---- a drain ----

class Promised:
    """The most that VMs of a node were given at once, looked at while a drain runs."""

    def __init__(self, lab):
        self.lab, self.most, self.ended = lab, {}, False
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.ended:
            for node in self.lab.nodes:
                count = self.lab.exec(node, "sh", "-c", "pgrep -c qemu-system || true")
                self.most[node] = max(self.most.get(node, 0), int(count or 0) * 128)
            time.sleep(0.2)

    def end(self):
        self.ended = True
        self.thread.join()
        return self.most


def drain(lab, results, count=12):
    """Seconds: of each alone, and of all of them together."""
    up(lab)
    vms = [Own(lab, i + 1, f"d{i:02d}", 128, "", 0) for i in range(count)]
    time.sleep(5)
    single = []
    for vm in vms:
        began = time.monotonic()
        lab.exec("n3", "clustadm", "vm", "migrate", vm.name, "--to", "n2")
        single.append(time.monotonic() - began)
    for vm in vms:
        lab.exec("n3", "clustadm", "vm", "migrate", vm.name, "--to", "n1")
    forecasts(results, past(lab)[0])
    promised = Promised(lab)
    began = time.monotonic()
    lab.exec("n3", "clustadm", "node", "maintenance", "n1", "on")
    together = time.monotonic() - began
    most = promised.end()
    rows = [row for row in past(lab)[0] if row["cause"] == "drain"]
    if len(rows) != count or any(row["outcome"] != "done" for row in rows):
        raise RuntimeError(f"the drain did not move all: {rows}")
    memory = {row["name"]: row.get("memory_mib", 0) for row in lab.status("n3")["nodes"]}
    forecasts(results, rows)
    lab.down()
    return {"single_s": single, "together_s": together, "most_mib": most, "memory_mib": memory}


def forecast_error(results):
    return median(results.get("forecasts", []))
