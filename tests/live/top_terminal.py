#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clustadm top on a terminal: top_terminal.py COMMAND..., which runs what follows it on a node.

Looks, presses keys, makes the terminal smaller, and ends it in each way: by q, by Ctrl-C, by SIGTERM. Each time the
terminal must be as it was, and the screen given back.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

HOW = sys.argv[1:]
# Who leads the session stays a little longer, as a shell does: with it the terminal would be gone for everybody.
LEADER = ["sh", "-c", 'trap : INT TERM; "$@"; status=$?; sleep 2; exit $status', "sh"]


def window(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    def __init__(self):
        self.master, self.slave = pty.openpty()
        window(self.master, 30, 140)
        self.before = termios.tcgetattr(self.slave)
        environment = dict(os.environ, TERM="xterm")
        self.process = subprocess.Popen(LEADER + HOW + ["env", "TERM=xterm", "clustadm", "top"],
                                        stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environment,
                                        start_new_session=True, preexec_fn=self.control)
        self.seen = ""

    def control(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def look(self, pattern, what, seconds=20):
        """Reads on until what is shown matches."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            left = end - time.monotonic()
            if left <= 0:
                sys.exit(f"{what}: not seen: {self.seen[-2000:]!r}")
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    time.sleep(0.1)

    def type(self, text):
        self.seen = ""
        os.write(self.master, text.encode())

    def ended(self, what):
        self.look(r"\x1b\[\?1049l", f"{what}: the screen is given back")
        self.process.wait(timeout=20)
        after = termios.tcgetattr(self.slave)
        if after != self.before:
            sys.exit(f"{what}: the terminal is not as it was: {self.before} {after}")
        os.close(self.master)
        os.close(self.slave)
        print(f"   {what}: the terminal is as it was")
        return self.process.returncode


def main():
    terminal = Terminal()
    terminal.look(r"by cpu", "the head")
    terminal.look(r"busy", "a VM")
    for key, word in (("m", "mem"), ("d", "disk"), ("n", "net"), ("a", "name"), ("c", "cpu")):
        terminal.type(key)
        terminal.look(f"by {word}", f"key {key}")
    terminal.seen = ""
    window(terminal.master, 6, 40)
    terminal.look(r"\x1b\[H[^\n]{0,60}\x1b\[K(\r\n[^\n]*){5}\x1b\[J", "six lines on a small terminal")
    terminal.type("q")
    if terminal.ended("q") != 0:
        sys.exit("q is no failure")

    terminal = Terminal()
    terminal.look(r"busy", "a VM")
    terminal.type("\x03")
    terminal.ended("Ctrl-C")

    terminal = Terminal()
    terminal.look(r"busy", "a VM")
    subprocess.run(HOW + ["pkill", "-TERM", "-x", "clustadm"], check=True, stdout=subprocess.DEVNULL)
    terminal.ended("SIGTERM")


main()
