"""Every tuner with every optimizer on Fashion-MNIST, and small versions of all networks: OnEdge's runs against the
independent implementation.

  compare_runs.py ONEDGE [-o docs/reference-comparison.md] [--ranks 2] [--only REGEX] [--work FOLDER]

Trains with the program ONEDGE in double precision with a checkpoint at every step, compares 50 steps teacher-forced (to
1e-10) and 10 free-running ones (to 1e-8) as tuner_reference.py does, for the networks 20 steps teacher-forced (to 1e-9),
and writes tables of the largest errors. Ends with 1 when anything is too far off.
"""

import argparse
import datetime
import importlib.metadata
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import yaml

import network_reference
import tuner_reference as reference

STEPS, FREE_STEPS, NETWORK_STEPS = 50, 10, 20
TOLERANCE, FREE_TOLERANCE, NETWORK_TOLERANCE = 1e-10, 1e-8, 1e-9

OPTIMIZERS = {
    "gd": {"kind": "gd"},
    "momentum": {"kind": "momentum", "momentum": 0.9},
    "nesterov": {"kind": "momentum", "momentum": 0.9, "nesterov": True},
    "rmsprop": {"kind": "rmsprop"},
    "adam": {"kind": "adam"},
}
# A learning rate that suits each optimizer on this problem; Polyak's bound is ten of them. The activation is tanh and a
# held curvature comes with σ = 1: on relu, or on the edge with an old curvature, runs leave for where rounding rules.
RATES = {"gd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 1e-4, "adam": 1e-3}
# CDAT's ε with the parabolic estimate, about 0.1‖u‖². The estimate is a small difference of losses: where uᵀHu nearly
# vanishes it is all rounding, in any implementation.
EPSILONS = {"gd": 0.1, "momentum": 1.0, "nesterov": 1.0, "rmsprop": 1e5, "adam": 1e3}


# As in the paper, Adam needs averages; without them some runs diverge to where uᵀHu is all rounding.
NETWORK_TUNERS = {
    "momentum": {"kind": "cdat", "sigma": 2.0},
    "adam": {"kind": "cdat", "sigma": 1.0, "ema": 0.9},
}


def tuners(optimizer):
    rate = RATES[optimizer]
    parabolic = {"curvature": "parabolic", "probe": 0.1, "epsilon": EPSILONS[optimizer]}
    return {
        "constant": {"kind": "constant", "learning_rate": rate},
        "schedule": {"kind": "schedule", "peak": 2 * rate, "shape": "cosine", "warmup": 0.1, "final": 0.1 * rate},
        "linesearch": {"kind": "linesearch", "c": 1e-4, "increase": 4.0, "decrease": 0.8},
        "cdat": {"kind": "cdat", "sigma": 2.0},
        "cdat, gauss_newton": {"kind": "cdat", "sigma": 2.0, "curvature": "gauss_newton"},
        "cdat, parabolic": {"kind": "cdat", "sigma": 2.0, **parabolic},
        "cdat, ema 0.9": {"kind": "cdat", "sigma": 2.0, "ema": 0.9},
        "cdat, every 3": {"kind": "cdat", "sigma": 1.0, "every": 3},
        "polyak": {"kind": "polyak", "maximum": 10 * rate},
        "hypergradient": {"kind": "hypergradient", "initial": rate, "beta": 0.1},
        "sharpness": {"kind": "sharpness", "sigma": 10 * rate, "tolerance": 1e-7},
        "sharpness, preconditioned": {
            "kind": "sharpness", "sigma": 1.0, "operator": "preconditioned_hessian", "tolerance": 1e-7},
    }


def deck(optimizer, tuner):
    return {
        "run": {"steps": STEPS, "precision": "double"},
        "data": {"set": "fashion-mnist", "samples": 1024},
        "model": {"kind": "mlp", "hidden": [64, 64], "activation": "tanh"},
        "loss": {"kind": "cross_entropy", "weight_decay": 1e-5},
        "optimizer": optimizer,
        "tuner": tuner,
        "output": {"checkpoint": {"every": 1, "keep": 0}},
    }


def network_deck(name, optimizer, work):
    """A small version of a network on 64 random samples, which it writes."""
    section, sample, classes = network_reference.SMALL[name]
    random = np.random.default_rng(7)
    work.mkdir(parents=True, exist_ok=True)
    if section["kind"] == "nanolm":
        data = {"set": "text", "path": str(work / "text.txt"), "length": sample[0], "test_samples": 0}
        text = random.integers(classes, size=64 * sample[0] + 1)
        pathlib.Path(data["path"]).write_text("".join("abcdefgh"[i] for i in text))
    else:
        data = {"set": "hdf5", "path": str(work / "images.h5")}
        with h5py.File(data["path"], "w") as file:
            file["x"], file["y"] = random.random((64, *sample)), random.integers(classes, size=64).astype(np.int32)
    return {
        "run": {"steps": NETWORK_STEPS, "precision": "double", "block": 32},
        "data": data,
        "model": section,
        "loss": {"kind": "cross_entropy", "weight_decay": 1e-5},
        "optimizer": OPTIMIZERS[optimizer],
        "tuner": NETWORK_TUNERS[optimizer],
        "output": {"checkpoint": {"every": 1, "keep": 0}},
    }


def train(program, ranks, contents, directory):
    """The run directory, or None when the program did not reach the end."""
    directory.mkdir(parents=True)
    file = directory / "deck.yaml"
    file.write_text(yaml.safe_dump(contents))
    command = ["mpirun", "-n", str(ranks), "--oversubscribe", program, "train", str(file), "-d", str(directory / "run")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}")
        return None
    return directory / "run"


def largest(comparison, name):
    return f"{comparison.worst[name][1]:.1e}" if name in comparison.worst else "–"


QUANTITIES = ("loss", "slope", "curvature", "learning_rate", "weights")


def row(names, run):
    """(line of the table, whether everything agrees)."""
    forced, required, ties = reference.compare_steps(run, STEPS, TOLERANCE)
    free, free_required = reference.free_steps(run, FREE_STEPS, FREE_TOLERANCE)
    passed = forced.passes(required) and free.passes(free_required)
    if not passed:
        forced.report(required)
        free.report(free_required)
    cells = [*names, *(largest(forced, name) for name in QUANTITIES), str(ties), largest(free, "learning_rate"),
             largest(free, "weights"), "yes" if passed else "**no**"]
    return f"| {' | '.join(cells)} |", passed


def network_row(names, run):
    forced, required, _ = reference.compare_steps(run, NETWORK_STEPS, NETWORK_TOLERANCE)
    passed = forced.passes(required)
    if not passed:
        forced.report(required)
    cells = [*names, *(largest(forced, name) for name in QUANTITIES), "yes" if passed else "**no**"]
    return f"| {' | '.join(cells)} |", passed


def versions(program):
    info = subprocess.run([program, "info"], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    ours = re.sub(r"^onedge\s+", "", info[0]) if info else "unknown"
    theirs = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("jax", "optax", "numpy"))
    return f"OnEdge {ours}; {theirs}; Python {sys.version.split()[0]}"


def machine():
    text = subprocess.run(["lscpu"], stdout=subprocess.PIPE, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return f"{facts.get('Model name', 'unknown').strip()}, {facts.get('CPU(s)', '?').strip()} CPUs"


HEADER = """# Training steps against an independent implementation

Every tuner with every optimizer, on {ranks} ranks in double precision: an MLP 784-64-64-10 (tanh) on the first 1024
samples of Fashion-MNIST, cross entropy, weight decay 1e-5, full batch. The reference is JAX with Optax
(tests/reference). *Teacher-forced*: at each of {steps} steps the reference takes OnEdge's own weights and computes loss,
slope gᵀu, curvature, η and the next weights. *Free*: it starts from the same weights and goes its own way for
{free_steps} steps. Numbers are the largest relative errors; {tolerance:g} and {free_tolerance:g} are allowed. Ties: steps
at which a linesearch's accepting and rejecting differ by less than {tie:g} of the loss and the two chose differently.
The parabolic estimate of the curvature is compared through η; it comes with ε ≈ 0.1‖u‖², since it is a small difference
of losses and means nothing in any implementation where uᵀHu nearly vanishes.

Written by tests/long.sh on {date}. Machine: {machine}. Software: {versions}.

| optimizer | tuner | loss | slope | curvature | η | next weights | ties | free: η | free: weights | agrees |
|---|---|---|---|---|---|---|---|---|---|---|
"""


NETWORKS_HEADER = """
The same, teacher-forced for {steps} steps, with small versions of all networks on 64 samples: CDAT with σ = 2 for
momentum, σ = 1 and averages (0.9) for Adam; {tolerance:g} is allowed.

| network | optimizer | loss | slope | curvature | η | next weights | agrees |
|---|---|---|---|---|---|---|---|
"""


def write(path, arguments, lines, network_lines):
    text = HEADER.format(
        ranks=arguments.ranks, steps=STEPS, free_steps=FREE_STEPS, tolerance=TOLERANCE, free_tolerance=FREE_TOLERANCE,
        tie=reference.TIE, date=datetime.date.today().isoformat(), machine=machine(), versions=versions(arguments.program),
    )
    text += "\n".join(lines) + "\n" + NETWORKS_HEADER.format(steps=NETWORK_STEPS, tolerance=NETWORK_TOLERANCE)
    path.write_text(text + "\n".join(network_lines) + "\n")


class Comparer:
    """Trains and compares run after run; what disagrees is in `failures`."""

    def __init__(self, arguments, work):
        self.arguments, self.work, self.failures, self.count = arguments, work, [], 0

    def compare(self, names, contents, make_row, objective):
        """(line of the table, objective for the next run on the same problem)."""
        directory = self.work / re.sub(r"[^a-z0-9]+", "_", " ".join(names))
        trained = train(self.arguments.program, self.arguments.ranks, contents, directory)
        line, passed = f"| {' | '.join(names)} | the run did not end well |", False
        if trained:
            run = reference.Run(trained, objective=objective)
            objective = run.objective
            line, passed = make_row(names, run)
        print(line, flush=True)
        self.count += 1
        self.failures += [] if passed else [" with ".join(names)]
        if not self.arguments.work:
            shutil.rmtree(directory)
        return line, objective

    def wants(self, *names):
        return re.search(self.arguments.only, " ".join(names))


def compare_tuners(comparer):
    lines, objective = [], None
    for optimizer, options in OPTIMIZERS.items():
        for tuner, tuner_options in tuners(optimizer).items():
            if comparer.wants(optimizer, tuner):
                line, objective = comparer.compare((optimizer, tuner), deck(options, tuner_options), row, objective)
                lines.append(line)
    return lines


def compare_networks(comparer):
    lines = []
    for name in network_reference.SMALL:
        objective = None
        for optimizer in ("momentum", "adam"):
            if comparer.wants(name, optimizer):
                contents = network_deck(name, optimizer, comparer.work / "data" / name)
                line, objective = comparer.compare((name, optimizer), contents, network_row, objective)
                lines.append(line)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the onedge executable")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--only", default="", help="regular expression on 'optimizer tuner' and 'network optimizer'")
    parser.add_argument("--work", type=pathlib.Path, help="keeps the runs here")
    arguments = parser.parse_args()
    comparer = Comparer(arguments, arguments.work or pathlib.Path(tempfile.mkdtemp(prefix="onedge-compare-")))
    lines, network_lines = compare_tuners(comparer), compare_networks(comparer)
    if arguments.output:
        write(arguments.output, arguments, lines, network_lines)
    print(f"{comparer.count} runs, {len(comparer.failures)} disagree", *comparer.failures, sep="\n  ")
    return 1 if comparer.failures or comparer.count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
