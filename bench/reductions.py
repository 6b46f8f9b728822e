#!/usr/bin/env python3
"""What run.reduction: reproducible costs over fast on one rank: the processor's time per step, with each model, in turns.

    bench/reductions.py build/release/bin/onedge [--rounds 5]     prints a table for docs/long-runs.md"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np

FEW, MANY, BLOCK = 2, 8, 64  # steps; samples
MODELS = {
    "MLP 3072-256-256-256-10": (2048, (32, 32, 3), {"hidden": [256, 256, 256]}),
    "ResNet34": (256, (16, 16, 3), {"kind": "resnet34", "filters": 16}),
    "ResNet50 with LayerNorm": (256, (16, 16, 3), {"kind": "resnet50", "filters": 16}),
    "MLP-Mixer": (256, (32, 32, 3), {"kind": "mixer_ti8", "depth": 4}),
    "ViT": (512, (64, 64, 3), {"kind": "vit_ti32", "depth": 4}),
    "NanoLM": (512, None, {"kind": "nanolm", "depth": 2}),
}


def deck_of(folder, samples, shape, model):
    random = np.random.default_rng(0)
    if shape is None:
        path = folder / "text"
        path.write_text("".join(random.choice(list("abcdefgh"), 40000)))
        data = {"set": "text", "path": str(path), "samples": samples, "length": 32}
    else:
        path = folder / "images.h5"
        with h5py.File(path, "w") as file:
            file["x"] = random.integers(0, 256, (samples, *shape), dtype=np.uint8)
            file["y"] = random.integers(0, 10, samples)
        data = {"set": "hdf5", "path": str(path)}
    return {"run": {"block": BLOCK}, "data": data, "model": model,
            "tuner": {"kind": "constant", "learning_rate": 1e-4}, "output": {"publish": 1000.0}}


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def per_step(command, folder, reduction):
    """From two runs, so that reading and set-up do not count."""
    few, many = (processor_seconds([*command, f"run.reduction={reduction}", f"run.steps={steps}", "-d",
                                    tempfile.mkdtemp(dir=folder)]) for steps in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(f"| model | samples, in blocks of {BLOCK} | fast, ms per step | reproducible | ratio |")
    print("|---|---|---|---|---|")
    for name, (samples, shape, model) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            deck = Path(folder) / "deck.yaml"
            deck.write_text(json.dumps(deck_of(Path(folder), samples, shape, model)))
            command = [str(arguments.program.resolve()), "train", str(deck)]
            times = {"fast": [], "reproducible": []}
            for _ in range(arguments.rounds):
                for reduction, found in times.items():
                    found.append(per_step(command, folder, reduction))
            fast, exact = (1e3 * statistics.median(found) for found in times.values())
            print(f"| {name} | {samples} | {fast:.1f} | {exact:.1f} | {exact / fast:.2f} |", flush=True)


if __name__ == "__main__":
    main()
