#!/usr/bin/env python3
"""Predicts the time of a step, efficiency and memory on many ranks from short runs on a few. RUNs of one deck on different
numbers of ranks, or of samples, with run.profile: true, give what a rank computes; the network is measured by them or given.

    t(P) = fixed + per_sample · n(P) + calls · latency · 2⌈log₂ P⌉ + bytes · 2(P − 1)/P / bandwidth

n(P): samples of the rank that has most, whole blocks; calls: allreduces of a step; bytes: those of the gradient. Every RUN
is predicted as well, beside what it took, with the network that the RUNs measured where there is one. Ranks that share
cores compute in turn: --cores says how many there are. Time is that of RUNs whose micro-batch holds all samples of a
rank; with more than one micro-batch (--memory), steps with curvature take longer.
Exit codes: 0 done, 2 bad input."""
from __future__ import annotations

import argparse
import csv
import math
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

try:
    import numpy as np

    import onedge_post
    import sweep
    from labels import common_title, flat
except ImportError as missing:
    print(f"scaling.py: needs NumPy and h5py: {missing}", file=sys.stderr)
    sys.exit(2)

STEP, COMMUNICATION = "onedge::Trainer::step", "onedge::Communicator::"
BYTES = {"single": 4, "double": 8}


class InputError(Exception):
    pass


@dataclass
class Network:
    latency: float    # seconds of one message
    bandwidth: float  # bytes per second and rank


@dataclass
class Step:
    """What a step of a deck costs on any number of ranks."""

    fixed: float       # seconds, whatever the samples
    per_sample: float  # seconds
    calls: float       # allreduces
    parameters: int
    real_bytes: int
    samples: int
    block: int

    def most_samples(self, ranks) -> int:
        """Of the rank that has most: whole blocks, balanced to one block."""
        blocks = math.ceil(self.samples / self.block)
        return min(self.samples, math.ceil(blocks / ranks) * self.block)

    def compute(self, ranks, cores=math.inf) -> float:
        return (self.fixed + self.per_sample * self.most_samples(ranks)) * max(1.0, ranks / cores)

    def communication(self, ranks, network) -> float:
        if ranks == 1:
            return 0.0
        hops = 2 * math.ceil(math.log2(ranks))
        return (self.calls * network.latency * hops
                + self.parameters * self.real_bytes * 2 * (ranks - 1) / ranks / network.bandwidth)

    def seconds(self, ranks, network, cores=math.inf) -> float:
        return self.compute(ranks, cores) + self.communication(ranks, network)

    def efficiency(self, ranks, network) -> float:
        return self.seconds(1, network) / (ranks * self.seconds(ranks, network))


@dataclass
class Measured:
    """A run: where the time of a step went, seconds."""

    run: onedge_post.Run
    ranks: int
    samples: int
    step: float
    communication: float
    calls: float

    @staticmethod
    def of(run):
        if not len(run.profile.get("region", ())):
            raise InputError(f"{run.path}: has no profile; train it with run.profile=true")
        regions = [str(region) for region in run.profile["region"]]
        seconds, calls = run.profile["seconds"], run.profile["calls"]
        if STEP not in regions:
            raise InputError(f"{run.path}: no step was profiled")
        steps = int(calls[regions.index(STEP)])
        inside = [i for i, region in enumerate(regions)
                  if region.startswith(STEP + " > ") and region.split(" > ")[-1].startswith(COMMUNICATION)]
        # A median knows nothing of the first step, which takes the memory.
        whole = float(np.median(run.steps["seconds"][-steps:]))
        return Measured(run, int(run.segments["ranks"][-1]), int(run.attrs["samples"]), whole,
                        sum(float(seconds[i]) for i in inside) / steps, sum(int(calls[i]) for i in inside) / steps)


def fit(measured, cores) -> Step:
    """The least-squares line through what ranks computed, over their samples."""
    first = measured[0].run
    deck = flat(first.deck)
    step = Step(0, 0, max(run.calls for run in measured), int(first.attrs["parameters"]), BYTES[str(first.attrs["precision"])],
                max(run.samples for run in measured), int(deck["run.block"]))
    counts = np.array([replace(step, samples=run.samples).most_samples(run.ranks) for run in measured], float)
    times = np.array([(run.step - run.communication) / max(1.0, run.ranks / cores) for run in measured])
    if len(set(counts)) < 2:
        return replace(step, per_sample=float(np.mean(times / counts)))
    per_sample, fixed = np.polyfit(counts, times, 1)
    if fixed < 0:  # noise: nothing costs less than nothing
        fixed, per_sample = 0.0, float(np.sum(times * counts) / np.sum(counts**2))
    return replace(step, fixed=float(fixed), per_sample=float(per_sample))


def measured_network(measured, step, cores) -> Network | None:
    """From what allreduces took on several ranks with a core each, waiting for the others included: bandwidth alone."""
    rates = [step.parameters * step.real_bytes * 2 * (run.ranks - 1) / run.ranks / run.communication
             for run in measured if 1 < run.ranks <= cores and run.communication > 0]
    return Network(0.0, float(np.median(rates))) if rates else None


def memory(program, run) -> tuple | None:
    """(bytes of samples and vectors, bytes of planes per sample) by a dry run of the run's deck."""
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "deck.yaml"
        deck.write_text(run.deck_text, encoding="utf-8")
        done = subprocess.run([program, "train", str(deck), "--dry-run", "-d", f"{folder}/run"],
                              capture_output=True, text=True)
    found = re.search(r"micro-batch (\d+)[\s\S]*samples and vectors ([\d.]+) MiB, planes ([\d.]+) MiB", done.stdout)
    if done.returncode != 0 or not found:
        return None
    micro_batch, fixed, planes = (float(text) for text in found.groups())
    return fixed * 2**20, planes * 2**20 / micro_batch


def micro_batches(samples, block, bytes_of, limit) -> int:
    """How many a rank works through one after another, so that what it holds fits into `limit` bytes."""
    fitting = int((limit - bytes_of[0]) / bytes_of[1]) // block * block if limit < math.inf else samples
    if fitting < 1:
        raise InputError(f"--memory: a block of {block} samples needs {(bytes_of[0] + bytes_of[1] * block) / 2**30:.3g} GiB")
    return math.ceil(samples / fitting)


def predictions(step, network, ranks, faster=1.0, bytes_of=None, limit=math.inf) -> list:
    quick = replace(step, fixed=step.fixed / faster, per_sample=step.per_sample / faster)
    rows = []
    for count in ranks:
        if count > math.ceil(step.samples / step.block):
            continue  # a rank has a block at least
        samples = quick.most_samples(count)
        rows.append({"ranks": count, "samples per rank": samples,
                     "ms per step": 1e3 * quick.seconds(count, network), "ms compute": 1e3 * quick.compute(count),
                     "ms communication": 1e3 * quick.communication(count, network),
                     "efficiency": quick.efficiency(count, network)})
        if bytes_of is not None:
            parts = micro_batches(samples, step.block, bytes_of, limit)
            rows[-1] |= {"micro-batches": parts,
                         "MiB per rank": (bytes_of[0] + bytes_of[1] * math.ceil(samples / parts)) / 2**20}
    if not rows:
        raise InputError(f"{step.samples} samples in blocks of {step.block} have no work for {min(ranks)} ranks; give --block")
    return rows


def check_rows(measured, step, network, cores) -> list:
    rows = []
    for run in measured:
        predicted = replace(step, samples=run.samples).seconds(run.ranks, network, cores)
        rows.append({"ranks": run.ranks, "samples": run.samples, "ms measured": 1e3 * run.step, "ms predicted": 1e3 * predicted,
                     "predicted / measured": predicted / run.step})
    return rows


def text_of(rows) -> str:
    def cell(value):
        if not isinstance(value, float):
            return str(value)
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"

    lines = [list(rows[0])] + [[cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(word.rjust(width) for word, width in zip(line, widths)) for line in lines)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run, or folder of runs, with run.profile: true")
    parser.add_argument("--ranks", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096])
    parser.add_argument("--samples", type=int, help="of the predicted run; by default the most of the RUNs")
    parser.add_argument("--block", type=int, help="samples in a block (run.block); by default as in the first RUN")
    parser.add_argument("--latency", type=float, help="seconds of a message; by default 0 with a measured bandwidth")
    parser.add_argument("--bandwidth", type=float, help="bytes per second and rank; by default measured by the RUNs")
    parser.add_argument("--faster", type=float, default=1.0, help="compute so many times faster than in the RUNs (1)")
    parser.add_argument("--cores", type=float, default=math.inf, help="cores of the machine that the RUNs ran on")
    parser.add_argument("--program", help="an onedge that says the memory, by a dry run")
    parser.add_argument("--memory", type=float, default=math.inf, metavar="GIB", help="that a rank has, with --program: more "
                        "samples than fit are worked through in micro-batches")
    parser.add_argument("--csv", type=Path, help="writes the predictions as CSV")
    options = parser.parse_args(arguments)
    if min(*options.ranks, options.samples or 1, options.block or 1) < 1 or min(options.faster, options.memory) <= 0:
        parser.error("--ranks, --samples, --block, --faster and --memory are positive")
    return options


def report(options) -> str:
    runs = sweep.collect(options.runs).runs
    if not runs:
        raise InputError("no run found")
    measured = [Measured.of(run) for run in runs]
    if len({(int(run.run.attrs["parameters"]), str(flat(run.run.deck).get("tuner.kind"))) for run in measured}) > 1:
        raise InputError("the runs are of different networks or tuners; give those of one")
    step = fit(measured, options.cores)
    local = measured_network(measured, step, options.cores)
    network = local
    if options.bandwidth is not None:
        network = Network(options.latency or 0.0, options.bandwidth)
    elif network is None:
        raise InputError("no run has several ranks, so the network is not known: give --latency and --bandwidth")
    elif options.latency is not None:
        network = replace(network, latency=options.latency)
    target = replace(step, samples=options.samples or step.samples, block=options.block or step.block)
    bytes_of = memory(options.program, runs[0]) if options.program else None
    rows = predictions(target, network, options.ranks, options.faster, bytes_of, options.memory * 2**30)
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return "\n".join([
        f"{common_title(runs) or runs[0].name}, {step.parameters} parameters",
        f"compute: {1e3 * step.fixed:.3g} ms + {1e6 * step.per_sample:.4g} µs per sample"
        + (f", {options.faster:g} times faster in the predictions" if options.faster != 1 else ""),
        f"network: {1e6 * network.latency:.3g} µs, {1e-9 * network.bandwidth:.3g} GB/s; {step.calls:g} allreduces per step", "",
        "the runs themselves", text_of(check_rows(measured, step, local or network, options.cores)), "",
        f"predicted, {target.samples} samples in blocks of {target.block}", text_of(rows),
        *([f"more ranks than the {math.ceil(target.samples / target.block)} blocks have no work: see --block"]
          if len(rows) < len(options.ranks) else [])])


def main(arguments=None) -> int:
    options = parse(arguments)
    try:
        print(report(options))
    except (InputError, onedge_post.ReadError, OSError) as error:
        print(f"scaling.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
