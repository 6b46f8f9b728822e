#!/usr/bin/env python3
"""Measures OnEdge beside JAX and PyTorch on the same work, shapes, precision and cores, and writes docs/performance.md.

    bench/compare.py BUILD_FOLDER [--python PYTHON_WITH_PEERS] [--data FOLDER] [--rounds N] [--only KIND …] [--output FILE]

All programs of a network stay alive and are asked in turn for a few steps, there and back again, so that what else the
machine does falls on all of them. A ratio is taken round by round; the median over the rounds is what counts. Peers that
are not installed are named as skipped. The page is written after each network, so that a run that is cut short leaves what
it has.
"""

import argparse
import datetime
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import operations
import programs
import sharpness
from programs import MODELS, PEERS, alternate, onedge, peak_mebibytes, peer

BENCH = pathlib.Path(__file__).resolve().parent
CURVED = ("PyTorch", "JAX, jit")  # peers of the steps with curvature
SHORT = 3  # times as many rounds, of four steps each, for the MLP, whose steps are short


class Measured:
    """What was measured of one network; NaN where a peer is missing."""

    def __init__(self, model, rounds, programs_by_name):
        self.model, self.rounds = model, rounds
        self.failures = [f"{name}, {mode}: {reason}" for name, program in programs_by_name.items()
                         for mode, reason in program.failures.items()]
        names = [name for name in rounds.values if name.endswith(": constant") and not name.startswith("OnEdge")]
        self.constant_peer = rounds.fastest(names)
        names = [name for name in rounds.values if ": cdat" in name and not name.startswith("OnEdge")]
        self.cdat_peer = rounds.fastest(names)
        names = [name for name in rounds.values if name.endswith(": product") and not name.startswith("OnEdge")]
        self.product_peer = rounds.fastest(names)
        self.memory = {}

    def ratio(self, mode, other):
        return self.rounds.ratio(f"OnEdge: {mode}", other) if other else math.nan

    def own_ratio(self, mode, other):
        return self.ratio(mode, f"OnEdge: {other}")

    def memory_ratio(self, mode, other):
        return self.memory["OnEdge", mode] / self.memory["OnEdge", other]


def measure_model(build, python, model, cores, rounds):
    steps = 4 if model.kind == "mlp" else 1
    rounds *= SHORT if model.kind == "mlp" else 1
    two = onedge(build, model, cores)
    reproducible = onedge(build, model, cores, "--reproducible")
    running, notes = {"OnEdge": two, "OnEdge, reproducible": reproducible}, []
    for name in PEERS:
        if name.endswith("channels last") and not model.kind.startswith("resnet"):
            continue
        program, note = peer(name, python, model, cores)
        notes.append(note)
        if program:
            running[name] = program
    turns = [(f"OnEdge: {mode}", two, mode) for mode in ("constant", "cdat", "gradient", "product")]
    turns += [("OnEdge, reproducible: constant", reproducible, "constant")]
    turns += [(f"{name}: constant", running[name], "constant") for name in PEERS if name in running]
    turns += [(f"{name}: {mode}", running[name], mode) for name in CURVED if name in running
              for mode in ("cdat", "cdat_product", "product")]
    result = Measured(model, alternate(turns, rounds, steps), running)
    for program in running.values():
        program.close()
    for name, mode, options in [("OnEdge", "constant", []), ("OnEdge", "cdat", [])] + [
            ("OnEdge", f"{mode} capped", ["--micro-batch", str(model.block)]) for mode in ("constant", "cdat")]:
        result.memory[name, mode] = memory_of(onedge(build, model, cores, *options), mode.split()[0])
    for name in CURVED:
        for mode in ("constant", "cdat", "cdat_product"):
            program, _ = peer(name, python, model, cores)
            result.memory[name, mode] = memory_of(program, mode) if program else math.nan
    return result, notes


def memory_of(program, mode):
    """Peak of a program that does nothing else."""
    done = program.seconds(mode, 2)
    peak = peak_mebibytes(program)
    program.close()
    return peak if done is not None else math.nan


def measure_scaling(build, model, cores, rounds):
    """Throughput of two ranks with half of the samples each, over that of two programs of one rank with all samples."""
    two, ones = onedge(build, model, cores), [onedge(build, model, [core]) for core in cores]
    result = programs.Rounds()
    for index in range(-1, rounds):
        together = two.seconds("constant", 8)
        for one in ones:
            one.request("constant", 4)
        apart = sum(programs.statistics.median(one.read()["seconds"]) for one in ones) / len(ones)
        if index >= 0:
            result.add("two ranks", together)
            result.add("half of one rank", 0.5 * apart)
    for program in (two, *ones):
        program.close()
    return result.ratio("half of one rank", "two ranks")


def start_seconds(build, ranks, rounds):
    """From the start of the program to the first step of the quickstart deck; median."""
    seconds = []
    launcher = [*programs.MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(rounds):
            begin = time.perf_counter()
            command = [*launcher, str(build / "bin" / "onedge"), "train", str(BENCH.parent / "inputs/quickstart.yaml"),
                       "run.steps=1", "-d", f"{folder}/{index}"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout:
                    if line.startswith("step "):
                        seconds.append(time.perf_counter() - begin)
                        break
                process.stdout.read()
    return sorted(seconds)[len(seconds) // 2] if seconds else math.nan


def target_rows(results, scaling, starts, sharp):
    """(work, network, measured, must, aim) for every target."""
    rows = []
    for result in results:
        name, mlp = result.model.name.split(",")[0], result.model.kind == "mlp"
        add = lambda work, value, must, aim: rows.append((work, name, value, must, aim))
        add(f"constant-η step / {result.constant_peer}", result.ratio("constant", result.constant_peer),
            *((1.0, 0.9) if mlp else (1.2, 0.9)))
        add("CDAT step / constant-η step", result.own_ratio("cdat", "constant"), *((1.7, 1.6) if mlp else (2.2, 2.0)))
        add(f"CDAT step / {result.cdat_peer}", result.ratio("cdat", result.cdat_peer), 0.8, 0.6)
        add("Hessian-vector product on kept planes / gradient", result.own_ratio("product", "gradient"),
            *((1.4, 1.25) if mlp else (2.2, 2.0)))
        add("peak memory, CDAT / constant-η", result.memory_ratio("cdat", "constant"), 2.2, 1.8)
        add("peak memory with micro_batch of one block, CDAT / constant-η",
            result.memory_ratio("cdat capped", "constant capped"), 2.9, 2.9)
    rows += [("λ₁ to 1e-5 / the paper's power iteration at 1e-3 (JAX)", comparison.study.name.split(",")[0],
              comparison.ratio, 0.7, 0.4) for comparison in sharp]
    if scaling is not None:
        rows.append(("time of two ranks / two programs of one rank side by side", "MLP", 1 / scaling, 1 / 0.95, 1 / 0.98))
    rows += [(f"start to first step, {ranks} rank(s), seconds", "quickstart deck", value, 1.5, 0.7)
             for ranks, value in starts.items()]
    return rows


def verdict(value, must, aim):
    if math.isnan(value):
        return "not measured"
    return "aim met" if value <= aim else "must met" if value <= must else "**MISSED**"


def number(value, digits=2):
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


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


def step_table(result):
    lines = [f"### {result.model.name}", "", "| program | constant η | CDAT, uᵀHu forward over forward (OnEdge: contraction) "
             "| CDAT, uᵀHu by Hu | gradient | Hu | peak MiB, constant | peak MiB, CDAT |", "|---|---|---|---|---|---|---|---|"]
    for name in ("OnEdge", "OnEdge, reproducible", *PEERS):
        times = [result.rounds.milliseconds(f"{name}: {mode}") for mode in
                 ("constant", "cdat", "cdat_product", "gradient", "product")]
        if all(math.isnan(value) for value in times):
            continue
        memory = [result.memory.get((name, mode), math.nan) for mode in ("constant", "cdat")]
        lines.append(f"| {name} | " + " | ".join(number(value, 1) for value in times) + " | "
                     + " | ".join(number(value, 0) for value in memory) + " |")
    return [*lines, "", *(f"Not possible: {text}." for text in result.failures), ""]


def report(build, rounds, results, notes, rows, sharp, single):
    lines = ["# Performance", "", "Written by `bench/compare.py BUILD_FOLDER --python PYTHON_WITH_PEERS`; the script says how.",
             "What the ratios mean, and what was tried where one is missed: [performance-notes.md](performance-notes.md).", "",
             f"- Date: {datetime.date.today()}", f"- Machine: {machine()}", f"- {versions(build)}; two ranks",
             f"- Peers, on the same two cores: {'; '.join(notes)}",
             f"- Single precision; {rounds} rounds (MLP: {SHORT * rounds}), alternating; medians", "", "## Targets", "",
             "| work | network | measured | must | aim | |", "|---|---|---|---|---|---|"]
    lines += [f"| {work} | {name} | {number(value, 3)} | {number(must)} | {number(aim)} | {verdict(value, must, aim)} |"
              for work, name, value, must, aim in rows]
    lines += ["", "Times are ratios to what stands behind the slash; of several peers, or ways of a peer, the fastest.", "",
              "## Milliseconds per step", ""]
    for result in results:
        lines += step_table(result)
    lines += ["OnEdge's step computes, beyond the peers', the slope, the norms of gradient and update, and the cosine with the "
              "previous update. `reproducible`: the same bits on any number of ranks.", ""]
    if sharp:
        lines += sharpness.lines(sharp)
    if single:
        lines += operations.lines(*single)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder that holds bin/onedge and bench/onedge_bench_step")
    parser.add_argument("--python", default=sys.executable, help="a Python that has JAX, SciPy and PyTorch")
    parser.add_argument("--data", type=pathlib.Path, help="folder with cifar-10-batches-bin and tinyshakespeare, for the "
                        "sharpness of the networks")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=[], help="kinds of networks; all by default")
    parser.add_argument("--output", type=pathlib.Path, default=BENCH.parent / "docs" / "performance.md")
    arguments = parser.parse_args()
    build, cores = arguments.build.resolve(), sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        sys.exit("compare.py needs two cores")
    results, notes = [], {}
    for model in MODELS:
        if arguments.only and model.kind not in arguments.only:
            continue
        result, said = measure_model(build, arguments.python, model, cores, arguments.rounds)
        results.append(result)
        notes.update(dict.fromkeys(said))
        print("\n".join(step_table(result)), flush=True)
        rows = target_rows(results, None, {}, [])
        arguments.output.write_text(report(build, arguments.rounds, results, notes, rows, [], None), encoding="utf-8")
    scaling = measure_scaling(build, MODELS[0], cores, arguments.rounds) if not arguments.only else None
    starts = {ranks: start_seconds(build, ranks, arguments.rounds) for ranks in (1, 2)} if not arguments.only else {}
    studies = [] if arguments.only else [sharpness.MLP, *(sharpness.NETWORKS.values() if arguments.data else ())]
    sharp = [sharpness.compare(study, build, arguments.python, cores, arguments.data) for study in studies]
    single = operations.measure(build, cores[0]) if not arguments.only else None
    rows = target_rows(results, scaling, starts, sharp)
    text = report(build, arguments.rounds, results, notes, rows, sharp, single)
    print(text)
    arguments.output.write_text(text, encoding="utf-8")
    return 1 if any(value > must for _, _, value, must, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
