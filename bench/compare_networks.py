#!/usr/bin/env python3
"""Measures training steps of the paper's networks against PyTorch on the same cores and writes
docs/performance-networks.md.

    bench/compare_networks.py BUILD_FOLDER [--python PYTHON_WITH_TORCH] [--rounds N] [--only NAME] [--output FILE]

As compare.py does: all programs of a network stay alive and are asked in turn; a ratio is taken round by round, and the
median over the rounds counts. PyTorch runs eagerly, once with channels first and once with channels last.
"""

import argparse
import datetime
import os
import pathlib
import subprocess
import sys
import time

import compare


def peak_mebibytes(process):
    """The most memory that a process and what it started have held, added up."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line)
                children.setdefault(int(status["PPid"]), []).append((int(entry.name), status["Name"].strip(),
                                                                     int(status.get("VmHWM", "0 kB").split()[0])))
            except (OSError, KeyError):
                continue  # it has ended meanwhile
    total, waiting = 0, [process.pid]
    own = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    if "mpirun" not in own.splitlines()[0]:
        total += int(own.split("VmHWM:")[1].split()[0])
    while waiting:
        for child, name, peak in children.get(waiting.pop(), []):
            waiting.append(child)
            total += peak if name != "orted" else 0
    return total / 1024


def pytorch(python, model, cores, *options):
    command = ["taskset", "-c", ",".join(map(str, cores)), python, str(compare.BENCH / "peer_pytorch.py"),
               *model.options(), "--threads", str(len(cores)), *options]
    peer = compare.Program("PyTorch" + "".join(f", {option.strip('-').replace('-', ' ')}" for option in options), command)
    peer.version = peer.read()["version"]
    return peer


def measure(build, python, model, cores, rounds):
    """(seconds by mode and peer, peak MiB by program, version of PyTorch or None)"""
    two = compare.onedge(build, model, cores, "--block", "16")
    peers = []
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0:
        peers = [pytorch(python, model, cores)]
        if model.kind.startswith("resnet"):
            peers.append(pytorch(python, model, cores, "--channels-last"))
    result = compare.Rounds()
    for modes, asked in ((["constant"], peers), (["cdat", "gradient", "product", "constant again"], [])):
        turns = [(mode, two, mode.split()[0]) for mode in modes] + [(peer.name, peer, "constant") for peer in asked]
        for index in range(-1, rounds):
            for name, program, mode in turns if index % 2 == 0 else reversed(turns):
                seconds = program.seconds(mode, 1)
                if index >= 0:
                    result.add(name, seconds)
                time.sleep(0.02)  # until idle threads stop spinning
        if modes == ["constant"]:
            memory = {"OnEdge": peak_mebibytes(two.process), **{peer.name: peak_mebibytes(peer.process) for peer in peers}}
    for program in (two, *peers):
        program.close()
    return result, memory, peers


def row(model, result, memory, peers):
    fastest = min(peers, key=lambda peer: result.milliseconds(peer.name)) if peers else None
    ratio = f"{result.ratio('constant', fastest.name):.2f}" if fastest else "–"
    peer = f"{result.milliseconds(fastest.name):.0f} ({fastest.name})" if fastest else "skipped: no PyTorch"
    peer_memory = f"{memory[fastest.name]:.0f}" if fastest else "–"
    return (f"| {model.name} | {result.milliseconds('constant'):.0f} | {peer} | {ratio} "
            f"| {result.ratio('cdat', 'constant again'):.2f} | {result.ratio('product', 'gradient'):.2f} "
            f"| {memory['OnEdge']:.0f} | {peer_memory} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder that holds bench/onedge_bench_step")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="networks whose kind begins so")
    parser.add_argument("--output", type=pathlib.Path, default=compare.BENCH.parent / "docs" / "performance-networks.md")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    lines, versions = [], set()
    for model in compare.NETWORKS:
        if not model.kind.startswith(arguments.only):
            continue
        result, memory, peers = measure(arguments.build, arguments.python, model, cores, arguments.rounds)
        versions |= {peer.version for peer in peers}
        lines.append(row(model, result, memory, peers))
        print(lines[-1], flush=True)
    arguments.output.write_text("\n".join([
        "# Performance of the paper's networks", "",
        "Written by `bench/compare_networks.py BUILD_FOLDER --python PYTHON_WITH_TORCH`; the script says how.", "",
        f"- Date: {datetime.date.today()}", f"- Machine: {compare.machine()}", f"- {compare.versions(arguments.build)}",
        f"- Peer: PyTorch {', '.join(sorted(versions)) or 'skipped, not installed'}, eager, two threads, the faster of "
        "channels first and last", f"- Two ranks; single precision; {arguments.rounds} rounds, alternating; medians", "",
        "| network | OnEdge, ms per step at a constant rate | PyTorch, ms | ratio (bound 1.2) | CDAT / constant (bound 2.2) "
        "| Hv / gradient (bound 2.2) | peak MiB, constant | PyTorch's |",
        "|---|---|---|---|---|---|---|---|", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
