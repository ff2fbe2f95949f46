# SPDX-License-Identifier: Apache-2.0
"""The simulator's own figures: how fast it is, whether every build tells the same story, what of the core it reaches."""
import gzip
import hashlib
import json
import os
import re
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = ["--nodes", "5", "--vms", "20"]
BUILDS = [("gcc", "-O2"), ("gcc", "-O0"), ("clang", "-O2"), ("clang", "-O0"),
          ("gcc", "-O1 -fsanitize=address,undefined")]
COVERED_ROOMS = ("clusterd/", "quorum/", "csv/", "resources/", "migration/", "policies/")


def speed(build, count):
    """Clusters' seconds for each second of one processor."""
    child = subprocess.Popen([os.path.join(build, "tests/sim/clustersim"), "seeds", "--from", "5000000", "--count",
                              str(count), "--jobs", "1"] + SEEDS, stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"seeds failed:\n{out}")
    lived = int(re.search(r"; (\d+) s of", out).group(1))
    steps = int(re.search(r"steps +(\d+)", out).group(1))
    spent = usage.ru_utime + usage.ru_stime
    return {"seeds": count, "lived_s": lived, "cpu_s": spent, "times": lived / spent, "steps_per_s": steps / lived}


def built(folder, compiler, flags):
    os.makedirs(folder, exist_ok=True)
    for command in ([os.path.join(TOP, "configure"), "--quiet", "--disable-hardening", f"CC={compiler}",
                     f"CFLAGS={flags}", f"LDFLAGS={flags if 'sanitize' in flags else ''}"],
                    ["make", f"-j{os.cpu_count()}", "SIM_CFLAGS=", "tests/sim/clustersim"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command[0]} in {folder}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return os.path.join(folder, "tests/sim/clustersim")


def same_trace(scratch, seeds):
    """One seed, one trace, byte for byte, whoever compiled it."""
    found = {}
    for number, (compiler, flags) in enumerate(BUILDS):
        program = built(os.path.join(scratch, f"build{number}"), compiler, flags)
        digest = hashlib.sha256()
        for seed in seeds:
            digest.update(subprocess.run([program, "seed", str(seed), "--trace"] + SEEDS, capture_output=True,
                                         check=True).stdout)
        found[f"{compiler} {flags}"] = digest.hexdigest()
    return found


def coverage(scratch, count):
    """Lines of the core that seeds and stories together reach; those that they do not are listed."""
    folder = os.path.join(scratch, "coverage")
    program = built(folder, "gcc", "-O0 --coverage -fprofile-update=atomic")
    stories = os.path.join(TOP, "tests/stories")
    for path in sorted(os.listdir(stories)):
        subprocess.run([program, "story", os.path.join(stories, path)], capture_output=True)
    for seed in range(1, count + 1):   # one by one: a job ends without writing its counters
        subprocess.run([program, "seed", str(seed)], capture_output=True)
    for seed in range(1, count // 8 + 1):   # what a node has recorded goes through it again
        with tempfile.TemporaryDirectory(dir=scratch) as recording:
            subprocess.run([program, "seed", str(seed), "--record", recording], capture_output=True)
            for options in ([], ["--print"]):
                subprocess.run([program, "replay"] + options + [recording], capture_output=True, check=True)
    core = set(re.findall(r"[\w/]+\.c", subprocess.run(
        ["make", "-pn", "tests/sim/clustersim"], cwd=folder, capture_output=True, text=True).stdout.split(
            "libcore_a_SOURCES = ")[1].split("\n")[0]))
    lines = {}
    for room in COVERED_ROOMS:
        for name in sorted(os.listdir(os.path.join(folder, room))) if os.path.isdir(os.path.join(folder, room)) else []:
            if not name.startswith("tests_sim_clustersim-") or not name.endswith(".gcno"):
                continue
            out = subprocess.run(["gcov", "--json-format", "--stdout", os.path.join(room, name)], cwd=folder,
                                 capture_output=True).stdout
            if out[:2] == b"\x1f\x8b":
                out = gzip.decompress(out)
            for text in out.decode().splitlines():
                for file in json.loads(text)["files"]:
                    path = os.path.relpath(os.path.join(folder, file["file"]), TOP) \
                        if not os.path.isabs(file["file"]) else os.path.relpath(file["file"], TOP)
                    for line in file["lines"] if path in core else []:
                        at = (path, line["line_number"])
                        lines[at] = lines.get(at, 0) + line["count"]
    missed = sorted(at for at, times in lines.items() if times == 0)
    with open(os.path.join(scratch, "uncovered.txt"), "w", encoding="utf-8") as out:
        for path, number in missed:
            source = open(os.path.join(TOP, path), encoding="utf-8").read().split("\n")[number - 1].strip()
            out.write(f"{path}:{number}: {source}\n")
    return {"lines": len(lines), "reached": len(lines) - len(missed), "percent": 100 * (1 - len(missed) / len(lines)),
            "uncovered": os.path.join(scratch, "uncovered.txt")}
