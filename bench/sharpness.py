"""Sharpness along a run: OnEdge's own measurements beside the paper's power iteration and SciPy's eigsh, both on JAX's
Hessian-vector products, at the same weights. Part of compare.py."""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DECK = [str(ROOT / "inputs" / "quickstart.yaml"), "run.steps=200", "measure.evaluation.every=0",
        "measure.sharpness.every=10", "output.checkpoint.every=10", "output.checkpoint.keep=0"]


@dataclasses.dataclass
class Comparison:
    """Medians over the measurements: milliseconds and products, and the largest error of λ₁, by way of measuring."""

    rows: dict  # {program: {"ms", "products", "error"}}
    note: str = ""

    @property
    def ratio(self):
        power = self.rows.get("JAX, power iteration at 1e-3")
        return self.rows["OnEdge"]["ms"] / power["ms"] if power else float("nan")

    def lines(self):
        table = [f"| {name} | {row['ms']:.0f} | {row['products']:g} | {row['error']:.1e} |" for name, row in self.rows.items()]
        return ["## Sharpness", "",
                "λ₁ of the Hessian at every tenth of 200 CDAT steps of the quickstart deck (MLP 784-256-256-10, 4096 images of "
                "Fashion-MNIST). OnEdge measures while it trains, from the last eigenvector; the peers at OnEdge's checkpoints, "
                "from noise, as the paper does. Error: against eigsh to 1e-10 in double precision.", "",
                "| program | ms, median | products, median | largest relative error |", "|---|---|---|---|", *table, "",
                *([self.note, ""] if self.note else [])]


def compare(build, python, cores):
    with tempfile.TemporaryDirectory() as folder:
        root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
        ranks = []
        for core in cores:
            ranks += ([":"] if ranks else []) + ["-n", "1", "taskset", "-c", str(core), str(build / "bin" / "onedge"),
                                                 "train", *DECK, "-d", f"{folder}/run"]
        subprocess.run(["mpirun", *root, "--bind-to", "none", *ranks], check=True, stdout=subprocess.DEVNULL)
        command = ["taskset", "-c", ",".join(map(str, cores)), python, str(ROOT / "bench" / "peer_sharpness.py"), f"{folder}/run"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Comparison({}, f"Skipped: {reason}.")
    rows = {}
    for name, values in json.loads(done.stdout).items():
        rows[name] = {"ms": 1e3 * statistics.median(values["seconds"]), "products": statistics.median(values["products"]),
                      "error": max(values["errors"])}
    return Comparison(rows)
