"""OnEdge's training steps against an independent implementation (reference_model.py).

  tuner_reference.py compare RUN_DIR [--steps 50] [--data PATH]   teacher-forced: at each step OnEdge's own weights
  tuner_reference.py free RUN_DIR [--steps 10] [--data PATH]      on its own from checkpoint 0
  tuner_reference.py write values.h5                              the small reference values that the unit tests read

A run directory must come from a double-precision, full-batch run with a checkpoint at every step (output.checkpoint:
{every: 1, keep: 0}). The exit code is 0 when everything agrees, 1 when something does not. Free runs
at the edge of stability are chaotic, hence teacher forcing: moments and averages are rebuilt from the gradients at
OnEdge's weights, and nothing else is taken from OnEdge, except η where a linesearch's accepting and rejecting tie.

Needs jax, optax, h5py, pyyaml (values.h5 was written with JAX 0.10.2 and Optax 0.2.8); x64 is switched on by itself.
"""

import argparse
import gzip
import pathlib
import re
import struct
import sys

import h5py
import numpy as np
import yaml

import reference_model as model

TIE = 1e-12


class DeckLoader(yaml.SafeLoader):
    """Reads 1e-5 as a number, as YAML 1.2 does."""


DeckLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"),
    list("-+.0123456789"),
)


def read_idx(path):
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.exists():
            raw = (gzip.open if candidate.suffix == ".gz" else open)(candidate, "rb").read()
            dimensions = raw[3]
            shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
            return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    raise FileNotFoundError(path)


def read_cifar(folder):
    """The training images of CIFAR-10's binary version, [image, row, column, channel], and their labels."""
    records = np.concatenate([np.fromfile(file, np.uint8) for file in sorted(folder.glob("data_batch_*.bin"))]).reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]


def read_windows(text, length):
    """Windows of characters from the start, each with the characters that follow its own."""
    characters = {character: place for place, character in enumerate(sorted(set(text)))}
    places = np.array([characters[character] for character in text])
    count = (len(places) - 1) // length
    return places[: count * length].reshape(count, length), places[1 : count * length + 1].reshape(count, length)


def read_samples(deck, path=None):
    path = pathlib.Path(path or deck["path"])
    if deck["set"] in ("mnist", "fashion-mnist"):
        x, y = read_idx(path / "train-images-idx3-ubyte")[..., None], read_idx(path / "train-labels-idx1-ubyte")
    elif deck["set"] == "cifar10":
        x, y = read_cifar(path)
    elif deck["set"] == "hdf5":
        with h5py.File(path, "r") as file:
            x, y = file["x"][:], file["y"][:]
    elif deck["set"] == "text":
        x, y = read_windows(path.read_text(encoding="utf-8"), int(deck["length"]))
    else:
        sys.exit(f"data.set {deck['set']} is not read here; give mnist, fashion-mnist, cifar10, text or hdf5")
    first = int(deck["first"])
    last = len(x) if deck["samples"] == "all" else first + int(deck["samples"])
    x, y = x[first:last], y[first:last].astype(np.int64)
    if deck["set"] == "text":
        return x, y
    scale = 255.0 if x.dtype == np.uint8 else 1.0
    return x.astype(np.float64) / scale, y


class Run:
    """A run directory of OnEdge."""

    def __init__(self, directory, data=None, objective=None):
        """`objective`: that of another run on the same problem, which saves compiling it again."""
        self.directory = pathlib.Path(directory)
        with h5py.File(self.checkpoint(0), "r") as file:
            self.deck = yaml.load(file.attrs["deck"], DeckLoader)
            shapes = {}
            file["parameters"].visititems(
                lambda name, item: shapes.__setitem__(name, item.shape) if isinstance(item, h5py.Dataset) else None
            )
        self.objective = objective or self._objective(shapes, data)
        self.columns = {}
        with h5py.File(self.directory / "trajectory.h5", "r") as file:
            for group in file.values():
                if isinstance(group, h5py.Group) and "step" in group:
                    self._read(group)

    def _objective(self, shapes, data):
        x, y = read_samples(self.deck["data"], data)
        loss = self.deck["loss"]
        return model.Objective(shapes, x, y, self.deck["model"], loss["kind"], loss["weight_decay"])

    def _read(self, group):
        steps = group["step"][:]
        for name in group:
            if name != "step" and group[name].shape == steps.shape and group[name].dtype.kind == "f":
                self.columns.setdefault(name, {}).update(zip(steps.tolist(), group[name][:].tolist()))

    def checkpoint(self, step):
        return self.directory / f"checkpoint-{step:08d}.h5"

    def weights(self, step):
        with h5py.File(self.checkpoint(step), "r") as file:
            return self.objective.flatten({name: file["parameters"][name][()] for name in self.objective.names})

    def value(self, name, step):
        """NaN where OnEdge did not record it."""
        return self.columns.get(name, {}).get(step, float("nan"))

    def trainer(self, parameters):
        return model.Trainer(
            self.objective, self.deck["optimizer"], self.deck["tuner"], int(self.deck["run"]["steps"]), parameters
        )


class Comparison:
    """The largest relative error of each quantity, and where."""

    def __init__(self, tolerance):
        self.tolerance = tolerance
        self.worst = {}

    def add(self, name, step, ours, theirs, floor=0.0):
        """Relative to the norm of ours, or to `floor` where that is larger."""
        ours, theirs = np.atleast_1d(np.asarray(ours)), np.atleast_1d(np.asarray(theirs))
        if np.any(np.isnan(theirs)) and theirs.size == 1:
            return  # not recorded
        norm = max(np.linalg.norm(ours), floor)
        error = np.linalg.norm(ours - theirs)
        error = float(error / norm if norm > 0 else error)
        if not np.isfinite(error):
            error = float("inf")
        count, largest, where = self.worst.get(name, (0, -1.0, step))
        self.worst[name] = (count + 1, *max((largest, where), (error, step), key=lambda item: item[0]))

    def passes(self, required):
        enough = all(self.worst.get(name, (0,))[0] >= count for name, count in required.items())
        return enough and all(error <= self.tolerance for _, error, _ in self.worst.values())

    def report(self, required):
        print(f"{'quantity':16s} {'values':>6s} {'largest error':>14s} {'at step':>8s}")
        for name, (count, error, step) in self.worst.items():
            verdict = "ok" if error <= self.tolerance else "TOO LARGE"
            print(f"{name:16s} {count:6d} {error:14.2e} {step:8d}  {verdict}")
        for name, count in required.items():
            found = self.worst.get(name, (0,))[0]
            if found < count:
                print(f"{name:16s} {found:6d} of {count} values are in the trajectory")
        passed = self.passes(required)
        print("PASS" if passed else "FAIL", f"(relative tolerance {self.tolerance:g})")
        return 0 if passed else 1


def required_values(deck, steps):
    """How many values of each quantity there must be, because the tuner asked for them."""
    required = {"loss": steps, "learning_rate": steps, "weights": steps}
    if deck["kind"] in ("cdat", "linesearch"):
        required["slope"] = steps
    if deck["kind"] == "cdat" and deck["curvature"] != "parabolic":
        required["curvature"] = -(-steps // int(deck["every"]))
    return required


def add_line(comparison, run, line):
    """The scalars of one step. The trajectory's curvature is the one that the tuner used."""
    tuner = run.deck["tuner"]
    curvature = line.gauss_newton if tuner.get("curvature") == "gauss_newton" else line.curvature
    for name, value in (("loss", line.loss), ("slope", line.slope), ("gradient_norm", line.gradient_norm)):
        comparison.add(name, line.step, value, run.value(name, line.step))
    comparison.add("update_norm", line.step, line.update_norm, run.value("update_norm", line.step))
    if tuner.get("curvature") != "parabolic":
        comparison.add("curvature", line.step, curvature, run.value("curvature", line.step))


def compare_steps(run, steps, tolerance):
    """Teacher-forced: (comparison, required counts, ties)."""
    comparison, ties = Comparison(tolerance), 0
    w = run.weights(0)
    trainer = run.trainer(w.size)
    for step in range(steps):
        line = trainer.line_at(w)
        eta, theirs = trainer.rate(line), run.value("learning_rate", step)
        add_line(comparison, run, line)
        if abs(eta - theirs) > tolerance * abs(eta) and min(map(abs, line.margins), default=1.0) < TIE:
            print(f"step {step}: linesearch tie within {TIE:g}, η {eta:.6g} here and {theirs:.6g} there")
            ties, eta, trainer.tuner.previous = ties + 1, theirs, theirs
        comparison.add("learning_rate", step, eta, theirs)
        following = run.weights(step + 1)
        comparison.add("weights", step + 1, w + eta * line.u, following)
        # The difference of two stored weights is good to rounding of the weights only.
        comparison.add("step", step, eta * line.u, following - w, floor=1e-5 * float(np.linalg.norm(w)))
        w = following
    return comparison, required_values(run.deck["tuner"], steps), ties


def compare(run, steps, tolerance):
    comparison, required, ties = compare_steps(run, steps, tolerance)
    print(f"{run.directory}: {steps} steps, teacher-forced, {ties} ties")
    return comparison.report(required)


def free_steps(run, steps, tolerance):
    """On its own from checkpoint 0: (comparison, required counts)."""
    comparison = Comparison(tolerance)
    w = run.weights(0)
    trainer = run.trainer(w.size)
    for step in range(steps):
        line = trainer.line_at(w)
        eta = trainer.rate(line)
        comparison.add("loss", step, line.loss, run.value("loss", step))
        comparison.add("learning_rate", step, eta, run.value("learning_rate", step))
        w = w + eta * line.u
        comparison.add("weights", step + 1, w, run.weights(step + 1))
    return comparison, {"loss": steps, "learning_rate": steps, "weights": steps}


def free(run, steps, tolerance):
    comparison, required = free_steps(run, steps, tolerance)
    print(f"{run.directory}: {steps} steps, free-running")
    return comparison.report(required)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, steps, tolerance in (("compare", 50, 1e-10), ("free", 10, 1e-8)):
        command = commands.add_parser(name)
        command.add_argument("run", nargs="+")
        command.add_argument("--steps", type=int, default=steps)
        command.add_argument("--tolerance", type=float, default=tolerance)
        command.add_argument("--data", help="instead of data.path of the deck")
    commands.add_parser("write").add_argument("file")
    arguments = parser.parse_args()
    if arguments.command == "write":
        import reference_values

        return reference_values.write(arguments.file)
    action = compare if arguments.command == "compare" else free
    return max(action(Run(run, arguments.data), arguments.steps, arguments.tolerance) for run in arguments.run)


if __name__ == "__main__":
    sys.exit(main())
