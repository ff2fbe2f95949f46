#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One host's edges on a real sanlock and a real QEMU, in namespaces of its own. Needs root.

host_edges.py HOST_EDGES CLUSTERD_LAUNCH SHIM [WORK]   (SHIM: the lab's preload, for hosts without CAP_SYS_RESOURCE)
PASSFS=PROGRAM: instead, what the loss of storage does, with the lab's pass-through. UEFI=1: instead, firmware.
MANY=N: instead, N VMs at once (at most 60).
EXPIRY=1: waits for a dead host's lease to expire, instead of releasing its claim. VERBOSE=1: every event.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM, LAUNCH, SHIM = (os.path.abspath(p) for p in sys.argv[1:4])
INIT = "import signal,time; signal.signal(signal.SIGCHLD, signal.SIG_IGN); print('up', flush=True); time.sleep(1e9)"
failures = []


def say(text):
    print(text, flush=True)


def check(good, text):
    say(("ok    " if good else "FAIL  ") + text)
    if not good:
        failures.append(text)


class Node:
    """Namespaces with their own /run and their own sanlock."""

    def __init__(self, number, work):
        self.number, self.work = number, work
        script = (
            "mount -t tmpfs tmpfs /run && mkdir -p /run/sanlock /run/clusterd && "
            "mount -t tmpfs tmpfs /var/log && ip link set lo up && "
            "ip link add br0 type bridge && ip link set br0 up && "
            f"exec python3 -c \"{INIT}\"")
        self.init = subprocess.Popen(
            ["unshare", "-m", "-n", "-p", "-u", "-f", "--mount-proc", "sh", "-c", script],
            stderr=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.init.stdout.readline() == "up\n"
        children = open(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read().split()
        self.pid = children[0]
        self.drivers = []

    def enter(self, *argv):
        return ["nsenter", "-t", self.pid, "-m", "-n", "-p", "-u", *argv]

    def run(self, *argv, **more):
        return subprocess.run(self.enter(*argv), text=True, capture_output=True, **more)

    def sanlock(self):
        env = dict(os.environ, LD_PRELOAD=SHIM)
        subprocess.run(self.enter("sanlock", "daemon", "-w", "0", "-l", "0", "-U", "root", "-G", "root",
                                  "-e", f"n{self.number}"), env=env, check=True)

    def sanlock_pid(self):
        return self.run("cat", "/run/sanlock/sanlock.pid").stdout.strip()

    def sanlock_kill(self):
        self.run("kill", "-9", self.sanlock_pid())

    def passfs(self, program):
        """The shared folder through the lab's pass-through, which can be slow, hang or be lost."""
        seen = f"{self.work}/seen"
        os.makedirs(seen, exist_ok=True)
        control = f"{self.work}/passfs.sock"
        self.fuse = subprocess.Popen(self.enter(program, f"{self.work}/shared", seen, f"{self.work}/passfs.log", control,
                                                f"{self.work}/passfs.mode"))
        for _ in range(100):
            if self.run("mountpoint", "-q", seen).returncode == 0:
                break
            time.sleep(0.05)
        return seen

    def storage(self, word):
        with socket.socket(socket.AF_UNIX) as ask:
            ask.connect(f"{self.work}/passfs.sock")
            ask.sendall((word + "\n").encode())
            answer = ask.recv(100).decode()
        assert answer.startswith("ok"), answer

    def driver(self, source=None):
        driver = Driver(self, source or f"{self.work}/shared")
        self.drivers.append(driver)
        return driver

    def end(self):
        for driver in self.drivers:
            driver.process.kill()
        os.kill(int(self.pid), signal.SIGKILL)
        self.init.wait()


class Driver:
    """The program under test: actions in, events out."""

    def __init__(self, node, source):
        self.node = node
        self.lines, self.seen, self.changed = [], 0, threading.Condition()
        self.process = subprocess.Popen(
            node.enter(PROGRAM, str(node.number), "/run/clusterd", f"{node.work}/tree{node.number}",
                       source, LAUNCH, f"{node.work}/pki{node.number}"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()
            if os.environ.get("VERBOSE"):
                say("      | " + line.rstrip())

    def do(self, *commands):
        for command in commands:
            self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def wait(self, pattern, timeout=20):
        """The time in ms and the text of the next line that matches."""
        end = time.monotonic() + timeout
        with self.changed:
            while True:
                while self.seen < len(self.lines):
                    line = self.lines[self.seen]
                    self.seen += 1
                    if re.search(pattern, line):
                        return float(line.split()[0]), line
                left = end - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    return None, f"(nothing like {pattern} in {timeout} s)"

    def ask(self, command, pattern, timeout=20):
        """(ms from the action to the event, the event's line); the ms are None when it did not come."""
        self.do(command)
        begin, _ = self.wait(r" DO ", 5)
        end, line = self.wait(pattern, timeout)
        return (end - begin if begin and end else None), line

    def kill(self):
        os.kill(int(self.inner()), signal.SIGKILL)
        self.process.wait()

    def inner(self):
        """nsenter forks for the PID namespace."""
        pid = self.process.pid
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
        return children[0] if children else pid


def ready(driver, prepare=False):
    driver.seen = 0
    up, line = driver.wait("SANLOCK_UP", 10)
    check(up is not None and "flag=0" in line, "sanlock is seen, without a watchdog: " + line)
    driver.ask("open", "VOLUME .*volume_state=1")
    if prepare:
        took, line = driver.ask("prepare", "VOLUME_PREPARED", 60)
        check("flag=1" in line, f"volume prepared in {took} ms: {line}")
    took, line = driver.ask("join", "VOLUME .*", 60)
    check("joined=1" in line and "generation=0 " not in line, f"joined in {took} ms: {line}")


def start(driver, vm, times):
    for command, pattern in (("spawn", "VM_SPAWNED"), ("acquire", "LEASE_(GRANTED|REFUSED)"),
                             ("exec", "QEMU_(RUNNING|EXITED|DEAF)")):
        took, line = driver.ask(f"{command} {vm}", pattern, 30)
        if took is None or not re.search("VM_SPAWNED.*flag=1|GRANTED|RUNNING", line):
            return False, line
        times.setdefault(command, []).append(took)
    return True, line


def stop(driver, vm, times):
    took, line = driver.ask(f"kill {vm}", "QEMU_EXITED", 15)
    times.setdefault("kill", []).append(took)
    check("signal 9" in line or "ended" in line, line)
    took, line = driver.ask(f"release {vm}", "LEASE_RELEASED", 30)
    times.setdefault("release", []).append(took)
    check("flag=1" in line, line)
    driver.do(f"forget {vm}")


def scenario(one, two):
    times = {}
    one.sanlock()
    first = one.driver()
    first.do("adopt")
    check(first.wait("ADOPTION_DONE")[0] is not None, "nothing to adopt on a fresh host")
    ready(first, prepare=True)
    took, line = first.ask("prepare", "VOLUME_PREPARED", 60)
    check("flag=1" in line, f"preparing what is prepared changes nothing ({took} ms)")
    for vm in range(2):
        took, line = first.ask(f"lease {vm}", "LEASE_WRITTEN")
        check("flag=1" in line, f"lease {vm} written in {took} ms: {line}")

    time.sleep(3)       # KVM is being looked at
    for _ in range(5):
        good, line = start(first, 0, times)
        check(good, "VM runs: " + line)
        if not good:
            return
        stop(first, 0, times)
    for step in ("spawn", "acquire", "exec", "kill", "release"):
        say(f"      {step:8} median {sorted(times[step])[len(times[step]) // 2]:7.1f} ms  "
            f"({', '.join(f'{x:.1f}' for x in times[step])})")

    took, line = first.ask("bridge 1 0 nobridge\nspawn 1", "VM_SPAWNED")
    check("flag=0" in line and "no such bridge" in line, line)
    first.do("bridge 1 0 br0")
    good, line = start(first, 1, {})
    check(good, "VM with a NIC runs: " + line)
    stop(first, 1, {})
    good, line = first.ask("spawn 1", "VM_SPAWNED")
    took, line = first.ask("abandon 1", "QEMU_EXITED")
    check(took is not None and took < 500, f"an abandoned child ends in {took} ms")
    first.do("forget 1")

    # The daemon dies: the VM lives, is found, and still has its lease.
    good, line = start(first, 0, {})
    check(good, "VM runs: " + line)
    first.kill()
    time.sleep(0.5)
    second = one.driver()
    second.do("adopt")
    when, line = second.wait("VM_ADOPTED")
    check(when is not None and "flag=1" in line, "adopted with its lease: " + line)
    check(second.wait("ADOPTION_DONE")[0] is not None, "adoption is done")
    check(second.wait("QEMU_RUNNING")[0] is not None, "and it is said to run")
    second.seen = 0
    ready(second)

    # Another host wants the same lease.
    two.sanlock()
    other = two.driver()
    ready(other)
    other.ask("spawn 0", "VM_SPAWNED")
    took, line = other.ask("acquire 0", "LEASE_", 60)
    check("REFUSED" in line and re.search("error=[12]", line) and "host id 1" in line, "held: " + line)
    took, line = other.ask("acquire 0", "LEASE_", 60)
    check("REFUSED" in line and "error=1" in line, f"and its holder lives: {line}")

    # A living host is seen to live; another generation than its own is left alone.
    took, line = other.ask("check-host 1", "HOST_CHECKED", 20)
    check("flag=1" in line, f"a living host is seen in {took} ms: {line}")
    took, line = other.ask("release-host 1 999", "HOST_RELEASED", 20)
    took, again = other.ask("acquire 0", "LEASE_", 60)
    check("flag=1" in line and "REFUSED" in again, f"another generation is left alone: {again}")

    # sanlock dies: said at once; its QEMU is ended before a new one may start.
    when = time.monotonic()
    one.sanlock_kill()
    gone, line = second.wait("SANLOCK_GONE", 5)
    check(gone is not None, f"sanlock's end is seen after {(time.monotonic() - when) * 1000:.0f} ms")
    begin = time.monotonic()
    result = one.run(PROGRAM, "--end-orphans", "/run/clusterd")
    took = (time.monotonic() - begin) * 1000
    check(result.returncode == 0, f"orphans ended in {took:.0f} ms")
    check(second.wait("QEMU_EXITED", 5)[0] is not None, "and the daemon sees their end")
    check(one.run("pgrep", "-c", "qemu-system").stdout.strip() == "0", "no QEMU is left")
    one.sanlock()
    check(second.wait("SANLOCK_UP", 10)[0] is not None, "sanlock is back")
    took, line = second.ask("join", "VOLUME .*joined=", 60)
    check("joined=1" in line, f"rejoined in {took} ms: {line}")

    # The lockspace is taken away: sanlock ends the VM.
    good, line = start(second, 0, {})
    check(good, "VM runs: " + line)
    second.seen = len(second.lines)
    one.run("sanlock", "client", "rem_lockspace", "-s", f"clusterd-v1:1:{one.work}/shared/.clusterd/lockspace:0")
    when, line = second.wait("QEMU_EXITED", 20)
    check(when is not None and "signal 9" in line, "sanlock ends what used a lockspace that it left: " + line)
    when, line = second.wait("VOLUME .*joined=0", 20)
    check(when is not None, "and the volume is not joined any more: " + line)
    took, line = second.ask("release 0", "LEASE_RELEASED", 70)
    check("flag=1" in line, f"its lease is free in {took} ms: {line}")
    took, line = second.ask("join", "VOLUME .*joined=", 60)
    check("joined=1" in line, f"rejoined in {took} ms: {line}")
    generation = int(re.search(r"generation=(\d+)", line).group(1))
    if os.environ.get("EXPIRY"):
        expiry(one, two, second, other)
    else:
        takeover(one, other, second, generation)


def expiry(one, two, second, other):
    """A host dies, and nobody says so: sanlock grants its lease when it may."""
    good, line = start(second, 0, {})
    check(good, "VM runs again: " + line)
    begin = time.monotonic()
    one.end()
    waiting = 0
    while time.monotonic() - begin < 150:
        took, line = other.ask("acquire 0", "LEASE_", 60)
        if "GRANTED" in line:
            break
        waiting += "error=2" in line
        time.sleep(1)
    took = time.monotonic() - begin
    check("GRANTED" in line and took > 60, f"granted by expiry after {took:.0f} s, {waiting} times waiting: {line}")


def takeover(one, other, second, generation):
    # The host loses its power with a VM: its claim is released, and the lease is granted at once.
    good, line = start(second, 0, {})
    check(good, "VM runs again: " + line)
    one.end()
    took, line = other.ask("acquire 0", "LEASE_", 60)
    check("REFUSED" in line, "the dead host still holds it: " + line)
    took, line = other.ask("check-host 1", "HOST_CHECKED", 20)
    check("flag=0" in line, f"not renewed any more ({took:.0f} ms): {line}")
    took, line = other.ask(f"release-host 1 {generation}", "HOST_RELEASED", 20)
    check("flag=1" in line, f"its claim is released in {took} ms: {line}")
    took, line = other.ask("acquire 0", "LEASE_", 60)
    check("GRANTED" in line, f"and its lease granted in {took} ms: {line}")
    took, line = other.ask("exec 0", "QEMU_RUNNING", 20)
    check(took is not None, f"its VM runs here {took} ms later: {line}")


def storage(one, program):
    """A volume that is slow, hangs, is lost and comes back; and what becomes of its VM."""
    source = one.passfs(program)
    one.sanlock()
    driver = one.driver(source)
    driver.do("adopt")
    ready(driver, prepare=True)
    driver.ask("lease 0", "LEASE_WRITTEN")
    for word, pattern in (("slow 700", "volume_state=2"), ("slow 0", "volume_state=1"), ("hang", "volume_state=3"),
                          ("restore", "volume_state=1"), ("lose", "volume_state=3"), ("restore", "volume_state=1")):
        begin = time.monotonic()
        one.storage(word)
        when, line = driver.wait(f"VOLUME .*{pattern}", 15)
        check(when is not None, f"{word}: after {time.monotonic() - begin:.1f} s {line}")
    time.sleep(3)
    good, line = start(driver, 0, {})
    check(good, "VM runs: " + line)
    time.sleep(2)       # no I/O of its own under way: that would hold its process until the storage is back
    one.storage("hang")
    begin = time.monotonic()
    while time.monotonic() - begin < 30 and "sig 9" not in one.run("cat", "/var/log/sanlock.log").stdout:
        time.sleep(0.5)
    took = time.monotonic() - begin
    check(took < 20, f"sanlock kills its VM {took:.1f} s after its storage hung")
    driver.do("release-host 9 5")
    took, line = driver.ask("kill 0", "QEMU_(EXITED|UNKILLABLE)", 15)
    say(f"      (through FUSE it may hang in the kernel on its last flush: {line})")
    when, line = driver.wait("HOST_RELEASED", 35)
    check(when is not None and "flag=0" in line, "a release on storage that hangs is answered: " + line)
    one.storage("restore")
    when, line = driver.wait("VOLUME .*volume_state=1", 30)
    check(when is not None, line)
    driver.seen = 0
    when, line = driver.wait("QEMU_EXITED", 20)
    check(when is not None, line)
    took, line = driver.ask("release 0", "LEASE_RELEASED", 90)
    check("flag=1" in line, f"its lease is free in {took} ms: {line}")


def uefi(one):
    if not os.path.exists("/usr/share/OVMF/OVMF_VARS_4M.fd"):
        return
    one.sanlock()
    driver = one.driver()
    driver.do("adopt")
    ready(driver, prepare=True)
    driver.ask("lease 2", "LEASE_WRITTEN")
    driver.do("uefi 2")
    times = {}
    for _ in range(2):
        good, line = start(driver, 2, times)
        check(good, f"VM with UEFI runs: {line}")
        stop(driver, 2, times)
    say(f"      exec {times['exec']}")


def many(one, count):
    """Many VMs at once, as after the loss of a node."""
    one.sanlock()
    driver = one.driver()
    driver.do("adopt")
    ready(driver, prepare=True)
    for vm in range(4, 4 + count):
        driver.ask(f"lease {vm}", "LEASE_WRITTEN")
    time.sleep(3)
    begin = time.monotonic() * 1000
    driver.do(*[f"spawn {vm}" for vm in range(4, 4 + count)])
    left = {"VM_SPAWNED": count, "LEASE_GRANTED": count, "QEMU_RUNNING": count}
    following = {"VM_SPAWNED": "acquire", "LEASE_GRANTED": "exec"}
    while sum(left.values()):
        when, line = driver.wait("VM_SPAWNED|LEASE_|QEMU_", 30)
        word = line.split()[1] if when else None
        if word not in left:
            check(False, line)
            return
        left[word] -= 1
        if left[word] == 0:
            say(f"      last {word} after {when - begin:.0f} ms")
        if word in following:
            driver.do(f"{following[word]} {re.search('vm=([0-9]+)', line).group(1)}")
    check(True, f"{count} VMs run")
    for vm in range(4, 4 + count):
        driver.do(f"kill {vm}")
    for _ in range(count):
        when, line = driver.wait("QEMU_EXITED", 20)
        check(when is not None, "ended") if when is None else None


def main():
    work = tempfile.mkdtemp(prefix="host-edges-", dir=sys.argv[4] if len(sys.argv) > 4 else "/var/tmp")
    os.chmod(work, 0o755)
    os.makedirs(f"{work}/shared/vms")
    for vm in range(64):
        with open(f"{work}/shared/vms/vm{vm}.img", "wb") as image:
            image.truncate(64 << 20)
        os.chmod(f"{work}/shared/vms/vm{vm}.img", 0o666)
    nodes = [Node(1, work), Node(2, work)]
    try:
        if os.environ.get("PASSFS"):
            storage(nodes[0], os.environ["PASSFS"])
        elif os.environ.get("UEFI"):
            uefi(nodes[0])
        elif os.environ.get("MANY"):
            many(nodes[0], int(os.environ["MANY"]))
        else:
            scenario(*nodes)
    finally:
        for node in nodes:
            try:
                node.end()
            except ProcessLookupError:
                pass
        shutil.rmtree(work)
    say(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
