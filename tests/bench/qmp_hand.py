# SPDX-License-Identifier: Apache-2.0
"""QEMUs driven by hand over QMP: what clusterd's moves are compared with. Times are QEMU's own, of its events, in us."""
import array
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

UUID = "b0b0b0b0-0000-4000-8000-0000000000ff"
FOLDER = "/var/log/bench"       # in a node; what watched_qemu.c opens its monitor in
QUIET_S = 0.5   # after it: what is asked and ended takes processors from a guest that has just arrived
SETTLE_S = 3    # before a move: what the last one left is done with, and the memory that it freed is as cold for either side
PORT = 4444

# In a node: QEMU is the watched one, the real one stands where that looks for it.
PREPARE = f"""set -e
mkdir -p {FOLDER}
chmod 777 {FOLDER}
mount --bind /usr/bin/qemu-system-x86_64 /usr/bin/qemu-system-i386
mount --bind "$1" /usr/bin/qemu-system-x86_64
"""


def prepare(lab):
    """Before the first VM: every QEMU of the lab has a monitor for the bench from here on."""
    watched = os.path.join(lab.folder, "shared", "watched_qemu")
    shutil.copy(os.path.join(lab.programs, "watched_qemu"), watched)
    for node in lab.nodes:
        lab.exec(node, "sh", "-c", PREPARE, "sh", "/srv/shared/watched_qemu")


def socket_path(lab, node, uuid):
    return os.path.join(lab.folder, "nodes", node, "log/bench", f"{uuid}.sock")


class Monitor:
    """One QEMU's monitor: its events in order, as (name, us, data), and its answers."""

    def __init__(self, path, seconds=30):
        self.events, self.answers = [], []
        self.heard = threading.Condition()
        self.closed = False
        self.log = None
        self.react = None       # called with each event in the thread that reads
        end = time.monotonic() + seconds
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > end:
                    raise TimeoutError(f"{path}: no monitor within {seconds} s") from None
                time.sleep(0.002)
        self.reader = self.socket.makefile("r", encoding="utf-8")
        self.reader.readline()      # its greeting
        threading.Thread(target=self._read, daemon=True).start()
        self.command("qmp_capabilities")

    def _read(self):
        try:
            for line in self.reader:
                message = json.loads(line)
                if "event" in message:
                    at = message["timestamp"]
                    event = (message["event"], at["seconds"] * 1000000 + at["microseconds"], message.get("data", {}))
                    if self.react:
                        self.react(event)
                    with self.heard:
                        self.events.append(event)
                        self.heard.notify_all()
                else:
                    with self.heard:
                        self.answers.append(message)
                        self.heard.notify_all()
        except (OSError, ValueError):
            pass
        with self.heard:
            self.closed = True
            self.heard.notify_all()

    def send(self, name, fd=None, **arguments):
        text = json.dumps({"execute": name, "arguments": arguments} if arguments else {"execute": name}).encode() + b"\n"
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd is not None else []
        self.socket.sendmsg([text], rights)

    def command(self, name, fd=None, **arguments):
        """Its return value. One command at a time."""
        with self.heard:
            self.answers.clear()
        self.send(name, fd, **arguments)
        with self.heard:
            if not self.heard.wait_for(lambda: self.answers or self.closed, 30):
                raise TimeoutError(f"QEMU does not answer {name}")
            answer = self.answers.pop(0) if self.answers else {"error": "its monitor has ended"}
        if "return" not in answer:
            raise RuntimeError(f"{name}: {answer}")
        return answer["return"]

    def _find(self, name, status):
        return next((us for word, us, data in reversed(self.events)
                     if word == name and (status is None or data.get("status") == status)), None)

    def wait(self, name, status=None, seconds=120):
        """When QEMU said so last, in us."""
        with self.heard:
            if not self.heard.wait_for(lambda: self._find(name, status) or self.closed, seconds):
                raise TimeoutError(f"no {name} {status or ''} within {seconds} s")
            found = self._find(name, status)
        if found is None:
            raise RuntimeError(f"QEMU ended before {name} {status or ''}: {self.last_words()}")
        return found

    def forget(self):
        """What it said of an earlier move, when it was that one's target."""
        with self.heard:
            self.events.clear()

    def last_words(self):
        if not self.log:
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as source:
            return "; ".join(source.read().splitlines()[-3:])

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def arguments_of(lab, node, uuid):
    """Of a QEMU that clusterd started in the node."""
    text = lab.exec(node, "sh", "-c", f"tr '\\0' '\\n' < /proc/$(pgrep -of 'qemu-system.*{uuid}')/cmdline")
    return text.rstrip("\n").split("\n")


def hand_arguments(arguments, name):
    """The same for a QEMU of our own: its folder, its tap, its number; the second monitor comes anew."""
    changed, skip = [], False
    for at, argument in enumerate(arguments):
        follows = arguments[at + 1] if at + 1 < len(arguments) else ""
        if skip or (argument in ("-chardev", "-mon") and "bench" in follows and ("id=bench" in follows or
                                                                               "chardev=bench" in follows)):
            skip = not skip
            continue
        argument = re.sub(r"/run/clusterd/vms/[0-9a-f-]+\.d/", f"/run/bench-vm/{name}/", argument)
        argument = re.sub(r"tap,id=nic0,fd=\d+", "tap,id=nic0,ifname=bench0,script=no,downscript=no", argument)
        changed.append(UUID if changed and changed[-1] == "-uuid" else argument)
    return changed


class Hand:
    """A guest whose QEMUs are driven by hand: starts them, and moves the guest between nodes."""

    def __init__(self, lab, arguments, name):
        self.lab, self.name = lab, name
        self.arguments = hand_arguments(arguments, name)
        self.processes = []
        self.node = self.monitor = None

    def launch(self, node, incoming):
        path = socket_path(self.lab, node, UUID)
        if os.path.exists(path):
            os.unlink(path)
        words = self.arguments + (["-incoming", "defer"] if incoming else [])
        self.lab.exec(node, "mkdir", "-p", f"/run/bench-vm/{self.name}")
        with open(os.path.join(self.lab.folder, "nodes", node, "log/bench-hand.log"), "ab") as log:
            # In a session of its own, as clusterd's: Linux shares the processors out by sessions (sched_autogroup).
            process = subprocess.Popen([self.lab.command, "exec", node, *words], env=self.lab.environment,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        monitor = Monitor(path)
        monitor.process, monitor.log = process, log.name
        self.processes.append(process)
        self.lab.exec(node, "ip", "link", "set", "bench0", "master", "br0", "up")
        return monitor

    def start(self, node):
        self.node, self.monitor = node, self.launch(node, False)
        self.monitor.command("cont")

    @staticmethod
    def end(monitor):
        monitor.send("quit")
        try:
            monitor.process.wait(10)
        except subprocess.TimeoutExpired:
            monitor.process.send_signal(signal.SIGKILL)

    def stop(self):
        if self.monitor:
            self.end(self.monitor)
        self.monitor = None

    def outside(self, node, path):
        """The file of the node that our QEMU is on, as it is seen from out here."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as source:
                    words = source.read().split(b"\0")
                if UUID.encode() not in words or not words[0].startswith(b"/usr/bin/qemu"):
                    continue
                with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="replace") as source:
                    ours = f" {self.lab.folder}/" in source.read()
                with open(f"/proc/{pid}/environ", "rb") as source:
                    ours = ours and f"LAB_NODE={node}".encode() in source.read().split(b"\0")
            except OSError:
                continue
            if ours:
                return f"/proc/{pid}/root{path}"
        raise RuntimeError(f"there is no QEMU of ours on {node}")

    def credentials(self, monitor, node, source):
        folder = os.path.join(self.lab.folder, "nodes", node, "etc/clusterd/pki")
        copy = os.path.join(self.lab.folder, "nodes", node, "log/bench", "client" if source else "server")
        os.makedirs(copy, exist_ok=True)
        role = "client" if source else "server"
        for name in ("ca-cert.pem", f"{role}-cert.pem", f"{role}-key.pem"):
            shutil.copy(os.path.join(folder, name), copy)
        monitor.command("object-add", **{"qom-type": "tls-creds-x509", "id": f"tls-{role}", "dir": f"{FOLDER}/{role}",
                                         "endpoint": "client" if source else "server", "verify-peer": True})

    def move(self, to, tls=False, channels=1, hand_over=True, parameters=None, capabilities=()):
        """{stop, resume, begun, completed: us; bytes}. hand_over: the target waits for `completed`, as clusterd's."""
        time.sleep(SETTLE_S)
        source, target = self.monitor, self.launch(to, True)
        source.forget()
        words = ["events", *capabilities] + (["multifd"] if channels > 1 else [])
        if hand_over:
            words.append("pause-before-switchover")
        settings = dict(parameters or {})
        if channels > 1:
            settings["multifd-channels"] = channels
        for monitor, node, is_source in ((target, to, False), (source, self.node, True)):
            mine = dict(settings, **{"tls-creds": "", "tls-hostname": ""})
            if tls:
                self.credentials(monitor, node, is_source)
                mine["tls-creds"] = "tls-client" if is_source else "tls-server"
                if is_source:
                    mine["tls-hostname"] = to
            wanted = [word for word in words if is_source or word != "pause-before-switchover"]
            monitor.command("migrate-set-capabilities",
                            capabilities=[{"capability": word, "state": word in wanted}
                                          for word in {*wanted, "multifd", "pause-before-switchover"}])
            monitor.command("migrate-set-parameters", **mine)
        if not hand_over:
            target.command("cont")      # it has -S: at its defaults QEMU starts by itself
        address = f"tcp:10.97.0.{to[1:]}:{PORT}"
        target.command("migrate-incoming", uri=address)

        def react(event):
            status = event[2].get("status") if event[0] == "MIGRATION" else None
            if status == "pre-switchover":
                source.send("migrate-continue", state="pre-switchover")
            elif status == "completed" and hand_over:
                target.send("cont")
        source.react = react
        source.command("migrate", uri=address)
        result = {"resume": target.wait("RESUME"), "stop": source.wait("STOP"),
                  "begun": source.wait("MIGRATION", "setup"), "completed": source.wait("MIGRATION", "completed")}
        source.react = None
        time.sleep(QUIET_S)
        with source.heard:
            source.answers.clear()
        result["bytes"] = source.command("query-migrate")["ram"]["transferred"]
        self.end(source)
        self.node, self.monitor = to, target
        return result

    def quick(self, to, path, early):
        """The same by way of a file; early: memory is written while the guest runs, the rest in the pause."""
        time.sleep(SETTLE_S)
        target = self.launch(to, True)
        source = self.monitor
        source.forget()
        file = os.open(self.outside(self.node, path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        source.command("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
        target.command("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
        source.command("migrate-set-parameters", **{"max-bandwidth": 1 << 50, "downtime-limit": 1000})
        if not early:
            source.command("stop")
        source.command("getfd", file, fdname="save")
        source.command("migrate", uri="fd:save")
        source.wait("MIGRATION", "completed")
        os.fsync(file)
        size = os.fstat(file).st_size
        saved = time.time() * 1e6
        os.close(file)
        file = os.open(self.outside(to, path), os.O_RDONLY)     # each end has its own sight of the volume
        # One that was saved while it was stopped has to be told when it is loaded.
        target.react = lambda event: event[0] == "MIGRATION" and event[2].get("status") == "completed" and target.send("cont")
        target.command("getfd", file, fdname="restore")
        target.command("migrate-incoming", uri="fd:restore")
        resume = target.wait("RESUME")
        target.react = None
        os.close(file)
        os.unlink(self.outside(to, path))
        stop = source.wait("STOP")
        self.end(source)
        self.node, self.monitor = to, target
        return {"stop": stop, "resume": resume, "saved": saved, "bytes": size}
