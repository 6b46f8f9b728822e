"""Sharpness along a run: OnEdge's own measurements beside the paper's power iteration and SciPy's eigsh, both on JAX's
Hessian-vector products, at the same weights. Part of compare.py."""

import dataclasses
import json
import pathlib
import statistics
import subprocess
import tempfile

import programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
POWER = "JAX, power iteration at 1e-3"
CIFAR = "resnet34-cifar10.yaml", "cifar-10-batches-bin"


@dataclasses.dataclass
class Study:
    """A network along a short run."""

    name: str
    deck: str
    data: str  # below the folder of data sets; empty: where Debian's package lies
    steps: int
    every: int  # steps between measurements
    overrides: tuple = ()
    exact: str = "single"  # precision of the reference


MLP = Study("MLP 784-256-256-10, 4096 images of Fashion-MNIST", "quickstart.yaml", "", 200, 10, exact="double")
NETWORKS = {
    "resnet34": Study("ResNet34, 32 images of CIFAR-10", *CIFAR, 11, 10, ("data.samples=32",)),
    "resnet50": Study("ResNet50-LN, 32 images of CIFAR-10", *CIFAR, 11, 10, ("data.samples=32", "model.kind=resnet50")),
    "mixer_ti8": Study("Mixer Ti/8, 64 images of CIFAR-10", "mixer-cifar10.yaml", CIFAR[1], 11, 10, ("data.samples=64",)),
    "nanolm": Study("NanoLM, 32 windows of 64", "nanolm-shakespeare.yaml", "tinyshakespeare/input.txt", 11, 10,
                    ("data.samples=32", "measure.sharpness.operators=[hessian]")),
}


@dataclasses.dataclass
class Comparison:
    """Medians over the measurements: milliseconds and products, and the largest error of λ₁, by way of measuring."""

    study: Study
    rows: dict  # {program: {"ms", "products", "error"}}
    note: str = ""

    @property
    def ratio(self):
        return self.rows["OnEdge"]["ms"] / self.rows[POWER]["ms"] if self.rows else float("nan")

    def lines(self):
        return [f"| {self.study.name} | {name} | {row['ms']:.0f} | {row['products']:g} | {row['error']:.1e} |"
                for name, row in self.rows.items()]


def lines(comparisons):
    return ["## Sharpness", "",
            f"λ₁ of the Hessian at every tenth step of runs with CDAT: {MLP.steps} steps of the MLP, steps 0 and 10 of the other "
            "networks. OnEdge measures while it trains, from the last eigenvector where there is one; the peers at OnEdge's "
            "checkpoints, from noise, as the paper does. Error: against eigsh to 1e-10 in double precision (MLP), to 1e-6 in "
            "single (others). Without ViT: the reference reads no JPEGs.", "",
            "| network | program | ms, median | products, median | largest relative error |", "|---|---|---|---|---|",
            *(line for comparison in comparisons for line in comparison.lines()), "",
            *(f"{comparison.study.name}: {comparison.note}\n" for comparison in comparisons if comparison.note)]


def compare(study, build, python, cores, data=None):
    """data: the folder of data sets, where the study names one."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(build / "bin" / "onedge"), "train", str(ROOT / "inputs" / study.deck), f"run.steps={study.steps}", "measure.evaluation.every=0",
                   f"measure.sharpness.every={study.every}", f"output.checkpoint.every={study.every}",
                   "output.checkpoint.keep=0", *study.overrides, "-d", f"{folder}/run"]
        command += [f"data.path={data / study.data}", "run.block=16"] if study.data else []
        subprocess.run(programs.on_cores(cores, command), check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(["taskset", "-c", ",".join(map(str, cores)), python, str(ROOT / "bench" / "peer_sharpness.py"),
                               f"{folder}/run", study.exact], capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Comparison(study, {}, f"skipped: {reason}.")
    rows = {}
    for name, values in json.loads(done.stdout).items():
        rows[name] = {"ms": 1e3 * statistics.median(values["seconds"]), "products": statistics.median(values["products"]),
                      "error": max(values["errors"])}
    return Comparison(study, rows)
