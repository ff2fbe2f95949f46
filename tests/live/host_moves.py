#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Moves by one host's edges: two hosts' sanlock and QEMU, in namespaces of their own, no core. Needs root.

host_moves.py HOST_EDGES CLUSTERD_LAUNCH SHIM GUEST [WORK]   (GUEST: a folder that contrib/lab/guest/build made)
VERBOSE=1: every event.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from host_edges import Node, check, failures, ready, say    # noqa: E402

GUEST = os.path.abspath(sys.argv[4])
ADDRESS = {1: "10.96.0.1", 2: "10.96.0.2"}


def field(line, name):
    match = re.search(rf"\b{name}=(\S*)", line)
    return match.group(1) if match else ""


def number(line, name):
    return int(field(line, name) or 0)


def wire(one, two):
    subprocess.run(["ip", "link", "add", "hm1", "netns", one.pid, "type", "veth", "peer", "name", "hm2",
                    "netns", two.pid], check=True)
    for node in (one, two):
        node.run("ip", "addr", "add", f"{ADDRESS[node.number]}/24", "dev", f"hm{node.number}", check=True)
        node.run("ip", "link", "set", f"hm{node.number}", "up", check=True)


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(folder, name):
    os.makedirs(folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            f"/CN={name}", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca-cert.pem",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def certificates(ca, folder, name):
    """What QEMU finds in its tls-creds-x509 directory, for the node of this name."""
    os.makedirs(folder)
    shutil.copy(f"{ca}/ca-cert.pem", folder)
    for role, usage in (("server", "serverAuth"), ("client", "clientAuth")):
        base = f"{folder}/{role}"
        with open(f"{base}.ext", "w", encoding="ascii") as out:
            out.write(f"subjectAltName=DNS:{name}\nextendedKeyUsage={usage}\nkeyUsage=digitalSignature\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{base}-key.pem", "-out", f"{base}.csr")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", f"{ca}/ca-cert.pem", "-CAkey", f"{ca}/key.pem", "-days",
                "2", "-extfile", f"{base}.ext", "-out", f"{base}-cert.pem", "-CAcreateserial")


def expect(driver, command, pattern, what, timeout=20):
    took, line = driver.ask(command, pattern, timeout)
    check(took is not None, f"{what}: {line}")
    return line


def wait(driver, pattern, what, timeout=20):
    when, line = driver.wait(pattern, timeout)
    check(when is not None, f"{what}: {line}")
    return when, line


def count(work, vm):
    """Records that the guest has written to its disk so far."""
    with open(f"{work}/shared/vms/vm{vm}.img", "rb") as image:
        low, high = 0, (64 << 20) // 512
        while low < high:
            middle = (low + high) // 2
            image.seek(middle * 512)
            if image.read(6) == b"count ":
                low = middle + 1
            else:
                high = middle
    return low


def counts_on(work, vm, what, limit=10):
    first = count(work, vm)
    end = time.monotonic() + limit
    while time.monotonic() < end and count(work, vm) <= first:
        time.sleep(0.1)
    check(count(work, vm) > first, f"{what}: the guest counts on from {first}")


def frames(node):
    """That QEMU has sent to the node's bridge."""
    links = json.loads(node.run("ip", "-j", "-s", "link").stdout)
    return sum(link["stats64"]["rx"]["packets"] for link in links if link["ifname"].startswith("cvm"))


RESET = """
import glob, json, socket
monitor = socket.socket(socket.AF_UNIX)
monitor.settimeout(5)
monitor.connect(glob.glob("/run/clusterd/vms/*.d/qmp")[0])
for word in ("qmp_capabilities", "system_reset"):
    monitor.sendall(json.dumps({"execute": word}).encode() + b"\\n")
    while b"return" not in monitor.recv(4096):
        pass
"""


def survives_reset(node, driver, vm, work):
    """A guest that was moved is started anew by itself: QEMU lives on."""
    driver.kill()
    node.run("python3", "-c", RESET)
    time.sleep(1)
    driver = adopt(node, None, vm, RUNNING, 0, "after a reset")
    counts_on(work, vm, "after a reset", 30)
    return driver


class Move:
    """A live migration by the actions, as two nodes' cores would ask for them."""

    def __init__(self, source, target, vm, **params):
        self.source, self.target, self.vm, self.params = source, target, vm, params

    def words(self, **more):
        return " ".join(f"{name}={value}" for name, value in {**self.params, **more}.items())

    def prepare(self, peer=None):
        line = expect(self.source, f"share {self.vm}", "LEASE_SHARED .*flag=1", "the source's lease is shared")
        check("shared=1" in line, "and says so")
        expect(self.target, f"spawn {self.vm}", "VM_SPAWNED .*flag=1", "a child waits on the target")
        expect(self.target, f"acquire {self.vm} 0 shared", "LEASE_GRANTED", "the target shares the lease")
        peer = peer or f"n{self.source.node.number}"
        line = expect(self.target, f"exec {self.vm} 0 mode=incoming {self.words(peer=peer, address=ADDRESS[self.target.node.number])}",
                      "QEMU_(LISTENING|EXITED)", "QEMU listens on the target")
        self.port, self.address = number(line, "port"), line.rsplit("reason=", 1)[1]
        check(self.port > 0 and self.address == ADDRESS[self.target.node.number], f"at {self.address}, {self.port}")

    def begin(self, peer=None, **more):
        peer = peer or f"n{self.target.node.number}"
        words = self.words(address=self.address, port=self.port, peer=peer, **more)
        self.source.do(f"migrate {self.vm} 0 {words}")

    def transfer(self, timeout=60):
        _, line = wait(self.source, "MIGRATE .*status=(pre-switchover|failed|cancelled)", "memory is sent", timeout)
        return "pre-switchover" in line

    def hand_over(self, wait_s=0):
        self.source.do(f"continue {self.vm}")
        done, line = wait(self.source, "MIGRATE .*status=(completed|failed)", "the source has sent all of it")
        if wait_s:      # for what QEMU would announce by itself
            time.sleep(wait_s)
            check(frames(self.target.node) == 0, "the target is silent before it continues")
        self.target.do(f"cont {self.vm}")
        runs, _ = wait(self.target, "QEMU_RUNNING", "the guest runs on the target")
        pause = number(line, "pause_us") / 1000
        say(f"      {number(line, 'total_ms')} ms in all, {number(line, 'transferred') >> 20} MiB, paused {pause:.1f} ms "
            f"until sent, {runs - done:.1f} ms more until it runs")
        check(pause > 0 and pause < 2000, "the pause was measured")

    def finish(self):
        expect(self.target, f"exclusive {self.vm}", "LEASE_EXCLUSIVE .*flag=0 .*error=1",
               "not exclusive while the source lives")
        end(self.source, self.vm)
        line = expect(self.target, f"exclusive {self.vm}", "LEASE_EXCLUSIVE", "then it is")
        check("flag=1" in line and "shared=0" in line, "exclusive")
        self.target.do(f"announce {self.vm}")

    def whole(self, wait_s=0):
        self.prepare()
        self.begin()
        if self.transfer():
            self.hand_over(wait_s)
            self.finish()
            time.sleep(0.5)
            check(frames(self.target.node) > 0, "then the network hears of it")


def end(driver, vm, never_ran=False):
    line = expect(driver, f"kill {vm}", "QEMU_EXITED", "QEMU is ended")
    check(("flag=1" in line) == never_ran, f"it is said whether it never ran: {never_ran}")
    expect(driver, f"release {vm}", "LEASE_RELEASED .*flag=1", "its lease is free of this host", 70)
    driver.do(f"forget {vm}")


def leases(first, second):
    line = expect(first, "share 0", "LEASE_SHARED .*flag=1", "exclusive to shared")
    line = expect(first, "share 0", "LEASE_SHARED .*flag=1", "and again")
    line = expect(first, "exclusive 0", "LEASE_EXCLUSIVE .*flag=1", "and back")
    check("shared=0" in line, "exclusive")
    line = expect(first, "exclusive 0", "LEASE_EXCLUSIVE .*flag=1", "and again")
    line = expect(first, "exclusive 3", "LEASE_EXCLUSIVE .*flag=0", "not of a process that there is not")
    check("shared=1" in line and "error=5" in line, line)
    second.ask("spawn 0", "VM_SPAWNED")
    line = expect(second, "acquire 0 0 shared", "LEASE_REFUSED", "not shared with one who has it exclusively")
    check("error=1" in line or "error=2" in line, line)
    second.ask("abandon 0", "QEMU_EXITED")
    second.do("forget 0")


def cancelled(source, target, vm):
    move = Move(source, target, vm, downtime=20)
    move.prepare()
    move.begin(bandwidth=4 << 20)
    wait(source, "MIGRATE .*status=active .*transferred=[1-9]", "it is under way, slowly")
    source.do(f"tune {vm} 0 bandwidth={8 << 20} downtime=10")
    time.sleep(0.5)
    source.do(f"cancel {vm}")
    wait(source, "MIGRATE .*status=cancelled", "and is cancelled")
    end(target, vm, never_ran=True)
    line = expect(source, f"exclusive {vm}", "LEASE_EXCLUSIVE", "the source's lease is exclusive again")
    check("flag=1" in line, line)


def target_dies(source, target, vm):
    move = Move(source, target, vm, downtime=20)
    move.prepare()
    move.begin(bandwidth=4 << 20)
    wait(source, "MIGRATE .*status=active .*transferred=[1-9]", "it is under way, slowly")
    end(target, vm, never_ran=True)
    _, line = wait(source, "MIGRATE .*status=failed", "the target dies: it failed")
    check(len(line.rsplit("reason=", 1)[1]) > 5, "with a reason: " + line)
    line = expect(source, f"exclusive {vm}", "LEASE_EXCLUSIVE", "the source's lease is exclusive again")
    check("flag=1" in line, line)


def foreign(source, target, vm, peer, told, what):
    """A certificate that is not the one that was agreed on: refused, and nothing is lost."""
    move = Move(source, target, vm, tls=1, downtime=20)
    move.prepare(peer=told)
    move.begin(peer=peer)
    _, line = wait(source, "MIGRATE .*status=(failed|completed|pre-switchover)", what)
    check("status=failed" in line, what + ": refused")
    say("      " + line.rsplit("reason=", 1)[1])
    end(target, vm, never_ran=True)
    line = expect(source, f"exclusive {vm}", "LEASE_EXCLUSIVE", "the source's lease is exclusive again")
    check("flag=1" in line, line)


def saved_file(work):
    return f"{work}/shared/vms/40404040-4040-4040-4040-404040404040.save"


def saving(source, target, vm, work):
    line = expect(source, f"save {vm} 0 downtime=100", "SAVED", "saved", 60)
    check("flag=1" in line, line)
    path = saved_file(work)
    check(os.path.exists(path) and not os.path.exists(path + ".part"), "the file has its name")
    check(os.path.getsize(path) == number(line, "index") and os.stat(path).st_mode & 0o77 == 0, "its size, for root alone")
    say(f"      {number(line, 'index') >> 20} MiB, paused {number(line, 'pause_us') / 1000:.1f} ms, "
        f"{number(line, 'total_ms')} ms in all")
    before = count(work, vm)
    end(source, vm)
    expect(target, f"spawn {vm}", "VM_SPAWNED .*flag=1", "a child waits on the target")
    expect(target, f"acquire {vm}", "LEASE_GRANTED", "with the lease")
    expect(target, f"exec {vm} 0 mode=restore", "QEMU_(RESTORED|EXITED)", "the state is loaded")
    check(count(work, vm) == before, "and nothing has run")
    expect(target, f"cont {vm}", "QEMU_RUNNING", "it continues")
    counts_on(work, vm, "after the restore")
    target.do(f"saved-remove {vm}")
    time.sleep(0.3)
    check(not os.path.exists(path), "the saved state is removed")


def save_fails(driver, vm, work):
    driver.do(f"guest {vm} 16000000 x")
    line = expect(driver, f"save {vm}", "SAVED", "no room for so much memory")
    check("flag=0" in line and "are free" in line, line)
    driver.do(f"guest {vm} 128 x")
    driver.do(f"save {vm} 0 bandwidth={8 << 20}")
    wait(driver, "MIGRATE .*status=active .*transferred=[1-9]", "saved slowly")
    filler = f"{work}/shared/filler"
    with open(filler, "wb") as out:
        try:
            while True:
                out.write(bytes(1 << 20))
        except OSError:
            pass
    driver.do(f"tune {vm} 0 downtime=100")
    _, line = wait(driver, "SAVED", "the volume becomes full", 60)
    os.unlink(filler)
    check("flag=0" in line and "full" in line, line)
    check(not os.path.exists(saved_file(work) + ".part"), "nothing is left of it")
    counts_on(work, vm, "after a save that failed")
    driver.do(f"save {vm} 0 bandwidth={4 << 20}")
    wait(driver, "MIGRATE .*status=active .*transferred=[1-9]", "saved slowly")
    driver.do(f"cancel {vm}")
    _, line = wait(driver, "SAVED", "a save is cancelled")
    check("flag=0" in line and not os.path.exists(saved_file(work) + ".part"), line)
    counts_on(work, vm, "after a save that was cancelled")


RUNNING, PAUSED, INCOMING, RECEIVED, POSTMIGRATE, SENDING = range(6)


def adopt(node, driver, vm, run, shared, what):
    if driver:
        driver.kill()
    driver = node.driver()
    driver.do("adopt")
    _, line = wait(driver, f"VM_ADOPTED vm={vm} ", f"adopted {what}")
    check("flag=1" in line and number(line, "run") == run and number(line, "shared") == shared, line)
    wait(driver, "ADOPTION_DONE", "adoption is done")
    driver.seen = 0
    ready(driver)
    return driver


def adoptions(one, two, source, target, vm):
    move = Move(source, target, vm, downtime=20)
    move.prepare()
    target = move.target = adopt(two, target, vm, INCOMING, 1, "waiting for memory")
    move.begin(bandwidth=4 << 20)
    wait(source, "MIGRATE .*status=active .*transferred=[1-9]", "it is under way, slowly")
    source = move.source = adopt(one, source, vm, SENDING, 1, "sending")
    source.do(f"tune {vm} 0 downtime=20")
    if move.transfer():
        source = move.source = adopt(one, source, vm, SENDING, 1, "at the switchover")
        wait(source, "MIGRATE .*status=pre-switchover", "which is told again")
        source.do(f"continue {vm}")
        wait(source, "MIGRATE .*status=completed", "completed")
        time.sleep(0.3)
        target = move.target = adopt(two, target, vm, RECEIVED, 1, "with all of it")
        source = move.source = adopt(one, source, vm, POSTMIGRATE, 1, "renounced")
        expect(target, f"cont {vm}", "QEMU_RUNNING", "it continues")
        target = move.target = adopt(two, target, vm, RUNNING, 1, "running")
        move.finish()
    return source, target


def scenario(one, two, work):
    for node in (one, two):
        node.sanlock()
    first, second = one.driver(), two.driver()
    for driver in (first, second):
        driver.do("adopt")
        driver.wait("ADOPTION_DONE")
        ready(driver, prepare=driver is first)
        driver.do("guest 0 128 clusterd.dirty=20", "bridge 0 0 br0")
    first.ask("lease 0", "LEASE_WRITTEN")
    time.sleep(3)       # KVM is being looked at
    for command, pattern in (("spawn", "VM_SPAWNED"), ("acquire", "LEASE_GRANTED"), ("exec", "QEMU_RUNNING")):
        expect(first, f"{command} 0", pattern, command)
    counts_on(work, 0, "at first")
    leases(first, second)
    line = expect(first, "dirty-rate 0", "DIRTY_RATE", "its dirty rate")
    check("flag=1" in line, f"{number(line, 'index') >> 20} MiB/s")
    for source, target, params in ((first, second, {}), (second, first, {"channels": 2}),
                                   (first, second, {"tls": 1}), (second, first, {"tls": 1, "channels": 2}),
                                   (first, second, {"tls": 1, "throttle": 50, "bandwidth": 200 << 20})):
        say(f"-- {params}")
        Move(source, target, 0, downtime=20, **params).whole(0 if params else 0.7)
        counts_on(work, 0, f"moved with {params}")
    say("-- trouble")
    cancelled(second, first, 0)
    counts_on(work, 0, "after a cancelled move")
    target_dies(second, first, 0)
    counts_on(work, 0, "after a move that failed")
    foreign(second, first, 0, "n1", "n3", "a source that is not the one that was named")
    foreign(second, first, 0, "n3", "n2", "a target that is not the one that was named")
    counts_on(work, 0, "after certificates that do not fit")
    say("-- saved")
    saving(second, first, 0, work)
    save_fails(first, 0, work)
    say("-- adopted")
    first, second = adoptions(one, two, first, second, 0)
    survives_reset(two, second, 0, work)


def main():
    work = tempfile.mkdtemp(prefix="host-moves-", dir=sys.argv[5] if len(sys.argv) > 5 else "/var/tmp")
    os.chmod(work, 0o755)
    os.makedirs(f"{work}/shared")
    with open(f"{work}/volume.img", "wb") as out:
        out.truncate(1200 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", f"{work}/volume.img"], check=True)
    subprocess.run(["mount", "-o", "loop", f"{work}/volume.img", f"{work}/shared"], check=True)
    nodes = []
    try:
        os.makedirs(f"{work}/shared/vms")
        shutil.copytree(GUEST, f"{work}/shared/boot", ignore=shutil.ignore_patterns("*.deb"))
        with open(f"{work}/shared/vms/vm0.img", "wb") as image:
            image.truncate(64 << 20)
        authority(f"{work}/ca", "test")
        for node in (1, 2):
            certificates(f"{work}/ca", f"{work}/pki{node}", f"n{node}")
        nodes = [Node(1, work), Node(2, work)]
        wire(*nodes)
        scenario(*nodes, work)
    finally:
        for node in nodes:
            try:
                node.end()
            except ProcessLookupError:
                pass
        for _ in range(50):
            if subprocess.run(["umount", f"{work}/shared"], stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        shutil.rmtree(work, ignore_errors=True)
    say(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
