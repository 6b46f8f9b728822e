#!/usr/bin/env python3
"""Measures training steps on a GPU against PyTorch and JAX on the same GPU, and writes docs/performance-device.md.

    bench/compare_device.py BUILD_FOLDER [--python PYTHON_WITH_PEERS] [--rounds N] [--only KIND] [--tf32] [--output FILE]

BUILD_FOLDER is one of the preset `cuda`. As compare.py does: all programs of a network stay alive and are asked in turn; a
ratio is taken round by round, and the median over the rounds counts. PyTorch counts the operations of a step (matrix
products and convolutions, forward and backward) and measures the ceiling: a product of two matrices of 8192 × 8192 in the
same precision.
"""

import argparse
import datetime
import pathlib
import subprocess
import sys

import compare
from programs import BENCH, Model, Program, alternate

NETWORKS = (Model("MLP 3072-256-256-256-10, 45 000 samples", "mlp", 45000, [3072], 64),
            Model("ResNet34, 4096 images 32×32", "resnet34", 4096, [32, 32, 3], 64),
            Model("ResNet50-LN, 1024 images 32×32", "resnet50", 1024, [32, 32, 3], 64),
            Model("Mixer Ti/8, 4096 images 32×32", "mixer_ti8", 4096, [32, 32, 3], 64),
            Model("ViT Ti/32, 1024 images 224×224", "vit_ti32", 1024, [224, 224, 3], 64),
            Model("NanoLM, 2048 windows of 64", "nanolm", 2048, [64], 64))


def peers_of(python, model, tf32):
    """Those that there are; PyTorch, which must be there, first."""
    math = ["--tf32"] if tf32 else []
    torch = [python, str(BENCH / "peer_pytorch.py"), *model.options(), "--device", "cuda", *math]
    commands = {"PyTorch": torch, "PyTorch, torch.compile": [*torch, "--compile"]}
    if subprocess.run([python, "-c", "import jax; jax.devices('gpu')"], capture_output=True).returncode == 0:
        precision = f"JAX_DEFAULT_MATMUL_PRECISION={'tensorfloat32' if tf32 else 'float32'}"
        share = "XLA_PYTHON_CLIENT_PREALLOCATE=false"  # of the memory, not all
        commands["JAX, jit"] = ["env", precision, share, python, str(BENCH / "peer_jax.py"), *model.options()]
    programs = [Program(name, command) for name, command in commands.items()]
    for program in programs:
        program.facts = program.read()
    return programs


def measure(build, python, model, rounds, tf32):
    ours = Program("OnEdge", [str(build / "bench" / "onedge_bench_step"), *model.options(), *(["--tf32"] if tf32 else [])])
    peers = peers_of(python, model, tf32)
    turns = [(mode, ours, mode) for mode in ("constant", "cdat", "gradient", "product")]
    turns += [(program.name, program, "constant") for program in peers]
    result = alternate(turns, rounds, steps=3, warm_up=2)
    for program in (ours, *peers):
        program.close()
    return result, peers


def row(model, result, peers):
    fastest = result.fastest([program.name for program in peers])
    facts = peers[0].facts
    rate = facts["operations"] / result.milliseconds("constant") * 1e-9  # TFLOP/s
    return (f"| {model.name} | {result.milliseconds('constant'):.2f} | {result.milliseconds(fastest):.2f} ({fastest}) "
            f"| {result.ratio('constant', fastest):.2f} | {rate:.1f} | {100 * rate / facts['ceiling']:.0f} % "
            f"| {result.ratio('cdat', 'constant'):.2f} | {result.ratio('product', 'gradient'):.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder that holds bench/onedge_bench_step")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch with CUDA")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="networks whose kind begins so")
    parser.add_argument("--tf32", action="store_true", help="TF32 on both sides")
    parser.add_argument("--output", type=pathlib.Path, default=BENCH.parent / "docs" / "performance-device.md")
    arguments = parser.parse_args()
    has_device = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    if subprocess.run([arguments.python, "-c", has_device], capture_output=True).returncode != 0:
        sys.exit(f"skipped: {arguments.python} has no PyTorch that sees a GPU")
    lines, names, facts = [], set(), {}
    for model in NETWORKS:
        if model.kind.startswith(arguments.only):
            result, peers = measure(arguments.build, arguments.python, model, arguments.rounds, arguments.tf32)
            facts = peers[0].facts
            names |= {program.name for program in peers}
            lines.append(row(model, result, peers))
            print(lines[-1], flush=True)
    arguments.output.write_text("\n".join([
        "# Performance on a device", "", "Written by `bench/compare_device.py BUILD_FOLDER`; the script says how.", "",
        f"- Date: {datetime.date.today()}", f"- Device: {facts.get('device')}; products of floats reach "
        f"{facts.get('ceiling', 0):.1f} TFLOP/s ({'TF32' if arguments.tf32 else 'full precision'})",
        f"- {compare.versions(arguments.build)}", f"- Peers: {', '.join(sorted(names))}; PyTorch {facts.get('version')}",
        f"- Single precision; {arguments.rounds} rounds, alternating; medians", "",
        "| network | OnEdge, ms per step at a constant rate | fastest peer, ms | ratio (target 1.0) | TFLOP/s | of the ceiling "
        "| CDAT / constant (bound 2.2) | Hv / gradient (bound 2.2) |", "|---|---|---|---|---|---|---|---|", *lines, ""]),
        encoding="utf-8")


if __name__ == "__main__":
    main()
