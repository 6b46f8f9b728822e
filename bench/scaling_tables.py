#!/usr/bin/env python3
"""Trains each of the paper's networks for a few CDAT steps on 1, 2 and 4 ranks of this machine, and writes docs/scaling.md:
what postprocess/scaling.py predicts from these runs for a full batch on 8 to 4096 GPUs.

    bench/scaling_tables.py BUILD_FOLDER --data FOLDER [--only KIND …] [--output FILE]

FOLDER holds cifar-10-batches-bin, imagenette and tinyshakespeare. What a GPU computes and what the network between GPUs
carries are assumptions: --faster, --latency, --bandwidth, --memory.
"""

import argparse
import dataclasses
import datetime
import os
import pathlib
import subprocess
import sys
import tempfile

from compare import machine, versions
from programs import MPIRUN

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "postprocess"))
import scaling  # noqa: E402


@dataclasses.dataclass
class Study:
    """A network, its full batch, and how many of its samples are trained on here, per rank."""

    name: str
    deck: str
    data: str
    samples: int
    here: int
    overrides: tuple = ()


CIFAR = "resnet34-cifar10.yaml", "cifar-10-batches-bin", 50000
STUDIES = {
    "mlp": Study("MLP 3072-256-256-256-10, CIFAR-10", *CIFAR, 1024, ("model.kind=mlp", "model.hidden=[256,256,256]")),
    "resnet34": Study("ResNet34, CIFAR-10", *CIFAR, 64),
    "resnet50": Study("ResNet50-LN, CIFAR-10", *CIFAR, 64, ("model.kind=resnet50",)),
    "mixer_ti8": Study("Mixer Ti/8, CIFAR-10", "mixer-cifar10.yaml", "cifar-10-batches-bin", 50000, 64),
    "vit_ti32": Study("ViT Ti/32, Imagenette", "vit-imagenette.yaml", "imagenette", 9469, 32),
    "nanolm": Study("NanoLM, Tiny Shakespeare, windows of 64", "nanolm-shakespeare.yaml", "tinyshakespeare/input.txt", 15684, 32),
}
STEPS = 7


def train(build, study, data, folder, ranks, share):
    """A run on `ranks` ranks, each with `share` times the samples that the study has here for one."""
    samples = int(study.here * ranks * share)
    subprocess.run(
        [*MPIRUN, "--oversubscribe", "-n", str(ranks), str(build / "bin" / "onedge"), "train",
         str(ROOT / "inputs" / study.deck), f"data.path={data / study.data}", f"data.samples={samples}", "run.block=16",
         f"run.steps={STEPS}", "run.profile=true", f"run.micro_batch={samples}", "measure.sharpness.every=0",
         "measure.evaluation.every=0", "output.checkpoint.every=0", *study.overrides, "-d",
         str(folder / f"{ranks}-ranks-{samples}")],
        check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1"})


def section(build, study, options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for ranks, share in ((1, 1), (1, 2), (2, 1), (4, 0.5)):
            train(build, study, options.data, folder, ranks, share)
        text = scaling.report(scaling.parse(
            [str(folder), "--samples", str(study.samples), "--block", "1", "--cores", "2", "--program",
             str(build / "bin" / "onedge"), "--faster", str(options.faster), "--latency", str(options.latency),
             "--bandwidth", str(options.bandwidth), "--memory", str(options.memory)]))
    return "\n".join([f"## {study.name}", "", "```", text, "```", ""])


def page(build, options, sections):
    return "\n".join([
        "# Scaling, predicted", "", "Written by `bench/scaling_tables.py BUILD_FOLDER --data FOLDER`. **Nothing on this page ran on a GPU, or "
        "on more than one", "machine.** CDAT steps of each network were measured on 1, 2 and 4 ranks of one machine with two cores (four "
        "ranks take", "turns on them); `postprocess/scaling.py`, whose formula `--help` shows, makes predictions of them for full batches "
        "on", "GPUs. Its assumptions:", "",
        f"- A GPU computes {options.faster:g} times as fast as one of these cores, whatever the operation and however few samples "
        "it has.", "  Where a rank has few samples a real GPU is slower than that.",
        f"- A message takes {1e6 * options.latency:g} µs, a rank sends {1e-9 * options.bandwidth:g} GB/s, and no communication "
        "hides behind computation.", f"- A rank has {options.memory:g} GiB. Where it works through several micro-batches, a CDAT step "
        "takes longer than predicted: it", "  runs forward again.",
        "- Efficiency is that of P ranks relative to one with the same assumptions. Blocks are of one sample (`run.block: 1`).", "",
        "Give the numbers of your own machine to `postprocess/scaling.py`.", "", f"- Date: {datetime.date.today()}",
        f"- Machine: {machine()}", f"- {versions(build)}", f"- {STEPS} steps per run, single precision; medians", "", *sections])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="build folder that holds bin/onedge")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the data sets")
    parser.add_argument("--only", nargs="*", choices=STUDIES, default=list(STUDIES), help="networks; all by default")
    parser.add_argument("--faster", type=float, default=100.0, help="a GPU over a core of this machine (100)")
    parser.add_argument("--latency", type=float, default=1e-5, help="seconds of a message between GPUs (1e-5)")
    parser.add_argument("--bandwidth", type=float, default=25e9, help="bytes per second and GPU (25e9)")
    parser.add_argument("--memory", type=float, default=80.0, help="GiB of a GPU (80)")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "scaling.md")
    options = parser.parse_args()
    options.data = options.data.resolve()
    build = options.build.resolve()
    sections = []
    for kind in options.only:
        sections.append(section(build, STUDIES[kind], options))
        print(sections[-1], flush=True)
    options.output.write_text(page(build, options, sections), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
