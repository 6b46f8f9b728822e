"""What the tests of survival share: the program in a scratch folder, files compared bit for bit, the page of results.

Every test is a script with --count N (how often), --seed N (of all its choices) and --page FILE (docs/survival.md, whose
section it writes anew). Exit code 77: the machine lacks what the test needs."""
import argparse
import contextlib
import datetime
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit/app"))
from program import MPIRUN, PROGRAM  # noqa: E402  exits with 77 where h5py or NumPy is missing

import h5py  # noqa: E402

CLOCKS = {"seconds"}  # columns that differ from run to run
SECTIONS = ("kills", "stop", "resume", "bits", "mutations", "mutations under sanitizers",
            "full disk", "two hosts", "reader")

# An MLP 12-16-16-4 on 64 samples in eight blocks: a step takes under a millisecond, a publication a few.
DECK = {
    "run": {"steps": 40, "precision": "single", "block": 8, "reduction": "reproducible"},
    "data": {"set": "synthetic", "samples": 64, "features": 12, "classes": 4, "test_samples": 32},
    "model": {"hidden": [16, 16], "activation": "tanh"},
    "loss": {"weight_decay": 0.001},
    "optimizer": {"kind": "adam"},
    "tuner": {"kind": "cdat", "sigma": 1.5, "ema": 0.5},
    "measure": {"sharpness": {"every": 5}, "evaluation": {"every": 3}},
    "output": {"publish": 0.0, "checkpoint": {"every": 1, "keep": 3}},
}


def merged(deck, changes):
    """The deck with the sections of `changes` laid over its own; a section of another kind takes its place."""
    result = dict(deck)
    for section, keys in changes.items():
        old = deck.get(section, {})
        is_another = any(keys.get(name, old.get(name)) != old.get(name) for name in ("kind", "set"))
        result[section] = dict(keys) if is_another else {**old, **keys}
    return result


class Skip(Exception):
    """The machine does not allow what the test needs."""


def skip_unless(condition, why):
    if not condition:
        raise Skip(why)


def require(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


class Job:
    """One call of a test: its choices, its scratch folder and the program."""

    def __init__(self, arguments, folder):
        self.count, self.seed, self.folder = arguments.count, arguments.seed, folder
        self.random = random.Random(arguments.seed)

    def deck(self, name="deck", **changes):
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps(merged(DECK, changes), indent=1))
        return path

    def command(self, *arguments, ranks=0):
        launcher = [MPIRUN, "-n", str(ranks), "--oversubscribe"] if ranks else []
        return [*launcher, PROGRAM, *map(str, arguments)]

    def call(self, *arguments, ranks=0, code=0, timeout=120, **options):
        """Runs `onedge ARGUMENTS` (ranks 0: without mpirun); code None: any but a signal's. A hang fails the test."""
        done = self.finish(self.command(*arguments, ranks=ranks), timeout, **options)
        wanted = done.returncode >= 0 if code is None else done.returncode == code
        require(wanted, "exit code", done.returncode, "of", done.args, "\n" + done.stdout)
        return done

    def finish(self, command, timeout, **options):
        process = subprocess.Popen(list(map(str, command)), cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True, **options)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise AssertionError(f"no end after {timeout} s: {command}\n{output}") from None
        return subprocess.CompletedProcess(command, process.returncode, output)

    def train(self, deck, directory, *overrides, **options):
        return self.call("train", deck, *overrides, "-d", self.folder / directory, **options)


def contents(path):
    """Every dataset of a file as (type, shape, bytes), and the attributes of its groups; the whole file is read."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            values = item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]
            data = repr(values.tolist()) if values.dtype == object else values.tobytes()
            found[name] = (str(item.dtype), item.shape, data)
        elif item.parent.name == "/" and not {"step", "steps"} & item.keys():  # the state of optimizer, tuner, …
            found.update({f"{name}@{key}": value for key, value in item.attrs.items() if key not in CLOCKS})

    with h5py.File(path, "r") as file:
        list(file.attrs.items())
        file.visititems(visit)
    return found


def differences(one, other):
    """Names of what two files do not have alike, bit for bit. Clocks and the list of starts are no results."""
    def results(path):
        return {name: value for name, value in contents(path).items()
                if name.split("/")[-1] not in CLOCKS and "segments" not in name.split("/")}
    left, right = results(one), results(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def check_trajectory(path):
    """Reads a trajectory whole; returns its number of steps. Every table has columns of one length, no step twice."""
    with h5py.File(path, "r") as file:
        for name, group in file.items():
            values = {column: dataset[()] for column, dataset in group.items()}
            lengths = {column: len(value) for column, value in values.items()}
            require(len(set(lengths.values())) <= 1, path, name, "has columns of unequal length:", lengths)
            if name == "steps":
                require((values["step"] == range(len(values["step"]))).all(), path, "lacks or doubles a step")
        return len(file["steps/step"])


def check_directory(folder):
    """Every file that is not a temporary one is whole; returns the temporary ones."""
    for path in sorted(folder.glob("*.h5")):
        contents(path)
    if (folder / "trajectory.h5").exists():
        check_trajectory(folder / "trajectory.h5")
    return sorted(path.name for path in folder.glob(".*.tmp"))


def check_same(whole, resumed):
    """The same trajectory and the same last checkpoint, bit for bit; nothing temporary left."""
    found = differences(whole / "trajectory.h5", resumed / "trajectory.h5")
    require(not found, resumed, "differs from the uninterrupted run in", found)
    last = max((path.name for path in whole.glob("checkpoint-*.h5")), default=None)
    if last is not None:
        found = differences(whole / last, resumed / last)
        require(not found, resumed / last, "differs from that of the uninterrupted run in", found)
    left = [path.name for path in resumed.iterdir() if path.name.endswith(".tmp")]
    require(not left, "temporary files are left in", resumed, left)


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else 'unknown processor'}, {os.cpu_count()} CPUs"


def version():
    shown = subprocess.run([PROGRAM, "info"], capture_output=True, text=True, check=False).stdout
    return " ".join(shown.splitlines()[0].split()) if shown else "unknown version"


def write_section(page, title, text, job):
    """Puts a section in the page's place for it; everything else there stays."""
    parts = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)
    sections = {re.match(r"## (.*)", part)[1].lower(): part for part in parts[1:]}
    stamp = (f"Written by tests/survive on {datetime.date.today()}; count {job.count}, seed {job.seed}; {version()}; "
             f"{machine()}.")
    paragraphs = [part if part.startswith("|") else textwrap.fill(part, 120, break_long_words=False, break_on_hyphens=False)
                  for part in (*text.strip().split("\n\n"), stamp)]
    sections[title.lower()] = "\n\n".join((f"## {title}", *paragraphs)) + "\n\n"
    order = sorted(sections, key=lambda name: SECTIONS.index(name) if name in SECTIONS else len(SECTIONS))
    page.write_text((parts[0].rstrip() + "\n\n" + "".join(sections[name] for name in order)).rstrip() + "\n")


def main(title, count, test, description):
    """Runs test(job), which returns what its section of the page says."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--count", type=int, default=count, help="how often (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all random choices (default: %(default)s)")
    parser.add_argument("--page", type=Path, help="write the results into this page")
    arguments = parser.parse_args()
    print(f"{title}: count {arguments.count}, seed {arguments.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="onedge-survive-"))
    job = Job(arguments, folder)
    try:
        text = test(job)
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    except AssertionError as failure:
        print(f"failed (seed {arguments.seed}): {failure}")
        sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(text)
    if arguments.page:
        write_section(arguments.page, title, text, job)
