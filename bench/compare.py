#!/usr/bin/env python3
"""Measures OnEdge's training steps against each other and against PyTorch, and writes docs/performance.md.

    bench/compare.py BUILD_FOLDER [--python PYTHON_WITH_TORCH] [--rounds N] [--output FILE]

All programs stay alive through the whole run and are asked in turn for a few steps, so that what else the machine does
falls on all of them. A ratio is taken round by round; the median over the rounds is what counts.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Model:
    """A network and the samples that it is trained on."""

    name: str
    kind: str
    samples: int
    sample: list  # its shape, channels last; of text its length

    def options(self):
        return ["--model", self.kind, "--samples", str(self.samples),
                "--sample", ",".join(str(extent) for extent in self.sample)]


MLP = Model("MLP 3072-256-256-256-10, ReLU, cross entropy, 4096 samples, single precision", "mlp", 4096, [3072])
NETWORKS = (Model("ResNet34, 128 images 32×32", "resnet34", 128, [32, 32, 3]),
            Model("ResNet50-LN, 128 images 32×32", "resnet50", 128, [32, 32, 3]),
            Model("Mixer Ti/8, 256 images 32×32", "mixer_ti8", 256, [32, 32, 3]),
            Model("ViT Ti/32, 64 images 224×224", "vit_ti32", 64, [224, 224, 3]),
            Model("NanoLM, 128 windows of 64", "nanolm", 128, [64]))


class Program:
    """A program that times steps on request: "MODE STEPS" in, one line of JSON out."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self.process.wait()}")
        return json.loads(line)

    def request(self, mode, steps):
        self.process.stdin.write(f"{mode} {steps}\n")
        self.process.stdin.flush()

    def seconds(self, mode, steps):
        """Median seconds of a step."""
        self.request(mode, steps)
        return statistics.median(self.read()["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def onedge(build, model, cores, *options):
    """One rank on each of the given cores."""
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    command = ["mpirun", *root, "--bind-to", "none"]
    for core in cores:
        rank = ["taskset", "-c", str(core), str(build / "bench" / "onedge_bench_step"), *model.options(), *options]
        command += ([":"] if core != cores[0] else []) + ["-n", "1", *rank]
    return Program(f"OnEdge on {len(cores)} ranks", command)


def pytorch(python, model, cores, compiled):
    """The peer, or why there is none."""
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode != 0:
        return None, f"skipped: {python} has no PyTorch"
    command = ["taskset", "-c", ",".join(str(core) for core in cores), python, str(BENCH / "peer_pytorch.py"),
               *model.options(), "--threads", str(len(cores)), *(["--compile"] if compiled else [])]
    peer = Program("PyTorch, compiled" if compiled else "PyTorch", command)
    try:
        version = peer.read()["version"]
    except RuntimeError as error:
        return None, f"skipped: {error}"
    peer.name = f"PyTorch {version}, " + ("torch.compile" if compiled else "eager")
    return peer, peer.name


class Rounds:
    """Seconds of a step, per round, by what was measured."""

    def __init__(self):
        self.values = {}

    def add(self, name, seconds):
        self.values.setdefault(name, []).append(seconds)

    def milliseconds(self, name):
        return 1e3 * statistics.median(self.values[name])

    def ratio(self, over, under):
        return statistics.median(a / b for a, b in zip(self.values[over], self.values[under]))


def measure_steps(two, reproducible, peers, rounds, steps):
    """Every mode of two ranks and every peer, in turn, there and back again."""
    turns = [(mode, two, mode) for mode in ("constant", "cdat", "gradient", "product")]
    turns += [(peer.name, peer, "constant") for peer in (reproducible, *peers)]
    result = Rounds()
    for index in range(-2, rounds):
        for name, program, mode in turns if index % 2 == 0 else reversed(turns):
            seconds = program.seconds(mode, steps)
            if index >= 0:
                result.add(name, seconds)
            time.sleep(0.02)  # until idle threads stop spinning
    return result


def measure_scaling(two, ones, rounds, steps):
    """Two ranks with half of the samples each, against two programs of one rank with all samples, at the same time."""
    result = Rounds()
    for index in range(-1, rounds):
        together = two.seconds("constant", 2 * steps)
        for one in ones:
            one.request("constant", steps)
        apart = statistics.mean(statistics.median(one.read()["seconds"]) for one in ones)
        if index >= 0:
            result.add("two ranks", together)
            result.add("one rank", apart)
            result.add("half of one rank", 0.5 * apart)
    return result


def rows_of(steps, scaling, peers):
    """(what, measured, bound, held) for each of the four claims."""
    rows = []
    if peers:
        fastest = min(peers, key=lambda peer: steps.milliseconds(peer.name)).name
        ratio = steps.ratio("constant", fastest)
        rows.append((f"step at a constant rate, two ranks, over {fastest}", ratio, "at most 1.0", ratio <= 1.0))
    ratio = steps.ratio("cdat", "constant")
    rows.append(("CDAT step over a step at a constant rate", ratio, "at most 1.7", ratio <= 1.7))
    ratio = steps.ratio("product", "gradient")
    rows.append(("Hessian-vector product on kept planes over a gradient", ratio, "at most 1.4", ratio <= 1.4))
    ratio = scaling.ratio("half of one rank", "two ranks")
    rows.append(("throughput of two ranks over that of two programs of one rank side by side", ratio, "at least 0.95",
                 ratio >= 0.95))
    return rows


def output_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine():
    fields = dict(line.split(":", 1) for line in output_of(["lscpu"]).splitlines() if ":" in line)
    value = {key.strip(): text.strip() for key, text in fields.items()}
    instructions = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if name in value.get("Flags", "")]
    return (f"{value.get('Model name', platform.processor())}, family {value.get('CPU family')} model "
            f"{value.get('Model')}, {os.cpu_count()} cores, L2 {value.get('L2 cache')}, L3 {value.get('L3 cache')}, "
            f"{' '.join(instructions)}; {platform.freedesktop_os_release().get('PRETTY_NAME', platform.system())}")


def versions(build):
    """What `onedge info` says of the program and the libraries that a step uses."""
    lines = [line.split(None, 1) for line in output_of([str(build / "bin" / "onedge"), "info"]).splitlines()]
    value = {line[0]: line[1] for line in lines if len(line) == 2}
    names = {"onedge": "OnEdge", "Kokkos": "Kokkos", "MPI": "", "oneDNN": "oneDNN"}
    return ", ".join(f"{text} {value.get(name, 'unknown')}".strip() for name, text in names.items())


def report(model, build, steps, scaling, rows, peers, notes, rounds):
    lines = ["# Performance", "",
             "Written by `bench/compare.py BUILD_FOLDER --python PYTHON_WITH_TORCH`; the script says how.", ""]
    lines += [f"- Date: {datetime.date.today()}", f"- Machine: {machine()}",
              f"- {versions(build)}"]
    lines += [f"- Peer: {note}" for note in notes]
    lines += [f"- Model: {model.name}", f"- Rounds: {rounds}, alternating; medians", "", "## Ratios", "",
              "| what | measured | bound | holds |", "|---|---|---|---|"]
    lines += [f"| {what} | {value:.3f} | {bound} | {'yes' if held else 'NO'} |" for what, value, bound, held in rows]
    lines += ["", "## Milliseconds per step", "", "| step | ms |", "|---|---|"]
    names = {"constant": "OnEdge, two ranks: constant rate", "cdat": "OnEdge, two ranks: CDAT",
             "gradient": "OnEdge, two ranks: gradient alone", "product": "OnEdge, two ranks: Hessian-vector product",
             "reproducible": "OnEdge, two ranks: constant rate, reproducible reductions in blocks of 64"}
    for name in [*names, *(peer.name for peer in peers)]:
        lines.append(f"| {names.get(name, name)} | {steps.milliseconds(name):.1f} |")
    alone = scaling.milliseconds("one rank")
    lines.append(f"| OnEdge, one rank, two programs side by side: constant rate | {alone:.1f} |")
    lines += ["", "OnEdge's step computes, beyond the peer's, the slope and the norms of gradient and update, and the "
              "cosine with the previous update. `onedge_bench_operations` times single operations.", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder that holds bench/onedge_bench_step")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=4, help="steps in a row")
    parser.add_argument("--output", type=pathlib.Path, default=BENCH.parent / "docs" / "performance.md")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        sys.exit("compare.py needs two cores")
    asked = [pytorch(arguments.python, MLP, cores, compiled) for compiled in (False, True)]
    peers = [peer for peer, _ in asked if peer]
    two = onedge(arguments.build, MLP, cores)
    reproducible = onedge(arguments.build, MLP, cores, "--reproducible")
    reproducible.name = "reproducible"
    steps = measure_steps(two, reproducible, peers, arguments.rounds, arguments.steps)
    for program in (reproducible, *peers):
        program.close()
    ones = [onedge(arguments.build, MLP, [core]) for core in cores]
    scaling = measure_scaling(two, ones, arguments.rounds, arguments.steps)
    for program in (two, *ones):
        program.close()
    rows = rows_of(steps, scaling, peers)
    text = report(MLP, arguments.build, steps, scaling, rows, peers, [note for _, note in asked], arguments.rounds)
    print(text)
    arguments.output.write_text(text, encoding="utf-8")
    return 0 if all(held for *_, held in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
