"""What mutations.py damages. A subject makes its files, names those that may be damaged, runs the program on them, and
tells whether a success is right."""
import gzip
import json
import os
import resource
import shutil
import sys
import zlib
from pathlib import Path

from survive import DECK, Skip, differences, merged, require

import h5py
import numpy as np

try:
    import yaml
except ImportError:
    yaml = None

SANITIZED = b"__asan_init" in Path(os.environ["ONEDGE_PROGRAM"]).read_bytes()
MEMORY = 8 << 30  # a file that makes the program ask for more than this must not take the machine down with it
STEPS = 6
POSTPROCESS = Path(__file__).resolve().parents[2] / "postprocess"
READER = """import sys
sys.path.insert(0, sys.argv[1])
import onedge_post
try:
    run = onedge_post.load(sys.argv[2])
except onedge_post.TrajectoryError as error:
    print("onedge:", error)
    sys.exit(2)
print(run.attrs, run.deck, run.segments, run.warnings, run.units, run.descriptions)
print([(table, name, values.tobytes().hex()) for table, columns in run.tables.items() for name, values in columns.items()])
"""


class Subject:
    """`folder`: its files. `options`: how the program is called."""

    def __init__(self, job, name):
        self.job, self.name, self.folder = job, name, job.folder / name
        self.folder.mkdir()
        self.prepare()
        self.whole = {path: path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}

    def names(self, target):
        """What a message has to name: one of these."""
        return [target.name]

    def restore(self):
        shutil.rmtree(self.folder)
        for path, data in self.whole.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def call(self, *arguments, timeout=60):
        limits = None if SANITIZED else lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        return self.job.call(*arguments, code=None, timeout=timeout, preexec_fn=limits)


class Resumed(Subject):
    """A run that stopped half way; its newest checkpoint or its trajectory is damaged."""

    def prepare(self):
        self.deck = self.job.deck(self.name, run={"steps": STEPS}, output={"checkpoint": {"every": 2, "keep": 0}})
        self.uninterrupted = self.job.folder / f"{self.name}-whole"
        self.job.train(self.deck, self.uninterrupted.name)
        self.job.train(self.deck, self.name, "run.steps=4")

    def targets(self):
        return [self.folder / ("trajectory.h5" if self.name == "trajectory" else "checkpoint-00000004.h5")]

    def run(self):
        return self.call("train", self.deck, "-d", self.folder)

    def check(self, target):
        found = differences(self.uninterrupted / "trajectory.h5", self.folder / "trajectory.h5")
        require(not found, "the resumed run differs in", found)


class Study(Subject):
    """`onedge sharpness` at a checkpoint."""

    def prepare(self):
        self.job.train(self.job.deck(self.name), self.name, "run.steps=2")
        for path in self.folder.iterdir():
            if path.name != "checkpoint-00000002.h5":
                path.unlink()
        self.run()
        self.expected = (self.folder / "sharpness-00000002.h5").rename(self.job.folder / "expected.h5")

    def targets(self):
        return [self.folder / "checkpoint-00000002.h5"]

    def run(self):
        return self.call("sharpness", self.targets()[0])

    def check(self, target):
        found = differences(self.expected, self.folder / "sharpness-00000002.h5")
        require(not found, "the eigenvalues differ:", found)


class Branch(Subject):
    """A run that starts from another one's checkpoint: run.branch."""

    def prepare(self):
        self.job.train(self.job.deck(self.name), self.name, "run.steps=2")
        for path in self.folder.iterdir():
            if path.name != "checkpoint-00000002.h5":
                path.unlink()
        self.run()
        self.expected = (self.job.folder / "branched").rename(self.job.folder / "branched-first")

    def targets(self):
        return [self.folder / "checkpoint-00000002.h5"]

    def run(self):
        shutil.rmtree(self.job.folder / "branched", ignore_errors=True)
        return self.call("train", self.job.folder / f"{self.name}.yaml", f"run.branch={self.targets()[0]}", "run.steps=4",
                         "-d", self.job.folder / "branched")

    def check(self, target):
        found = differences(self.expected / "trajectory.h5", self.job.folder / "branched/trajectory.h5")
        require(not found, "the branch differs in", found)


class Read(Subject):
    """A trajectory, read by postprocess/onedge_post.py."""

    def prepare(self):
        self.job.train(self.job.deck(self.name), self.name, "run.steps=4")
        self.expected = self.run().stdout

    def targets(self):
        return [self.folder / "trajectory.h5"]

    def run(self):
        return self.job.finish([sys.executable, "-c", READER, POSTPROCESS, self.targets()[0]], 60)

    def check(self, target):
        require(self.said.stdout == self.expected, "another trajectory was read")


class Deck(Subject):
    def prepare(self):
        skip_without(yaml, "PyYAML")
        (self.folder / "deck.yaml").write_text(yaml.safe_dump(merged(DECK, {"run": {"steps": 5}}), sort_keys=False))

    def targets(self):
        return [self.folder / "deck.yaml"]

    def run(self):
        return self.call("train", self.targets()[0], "--dry-run", "-d", self.job.folder / "none")

    def names(self, target):
        return [target.name, *(f"{section}." for section in DECK)]

    def check(self, target):
        try:
            given, used = yaml.safe_load(target.read_bytes()) or {}, dict(flat(yaml.safe_load(self.said.stdout)))
        except (yaml.YAMLError, UnicodeError) as error:
            raise AssertionError(f"what was taken for a deck is no YAML: {error}") from None
        require(isinstance(given, dict), "a deck without keys was taken for one")
        for key, value in flat(given):
            require(same_value(value, used.get(key)), f"{key}: {value!r} was read as {used.get(key)!r}")


class Data(Subject):
    """A data set; `read()` is the independent reader: x, y, x_test, y_test, or None for what is no such file."""
    settings = {}
    model = {"kind": "linear"}

    def prepare(self):
        self.make(np.random.default_rng(self.job.seed))
        settings = {"path": str(self.folder), **self.settings}
        self.deck = self.job.deck(self.name, run={"steps": 2}, data={"set": self.name, **settings}, model=self.model,
                                  measure={"sharpness": {"every": 0}, "evaluation": {"every": 1}},
                                  output={"checkpoint": {"every": 0}})

    def targets(self):
        return sorted(self.whole)

    def run(self):
        shutil.rmtree(self.job.folder / "trained", ignore_errors=True)
        return self.call("train", self.deck, "-d", self.job.folder / "trained")

    def check(self, target):
        found = self.read(target)
        require(found is not None, "the file was taken for whole")
        with h5py.File(self.job.folder / "read.h5", "w") as file:
            file["x"], file["y"], file["x_test"], file["y_test"] = found
        shutil.rmtree(self.job.folder / "reread", ignore_errors=True)
        data = {"set": "hdf5", "path": str(self.job.folder / "read.h5"), "classes": 10}
        deck = json.loads(self.deck.read_text())
        path = self.job.folder / "read.json"
        path.write_text(json.dumps({**deck, "data": data}))
        self.call("train", path, "-d", self.job.folder / "reread")
        bad = differences(self.job.folder / "trained/trajectory.h5", self.job.folder / "reread/trajectory.h5")
        bad = [name for name in bad if not name.startswith("warnings/")]  # another format has other oddities
        require(not bad, "the run differs from one on what an independent reader finds:", bad)


class Idx(Data):
    """The four files of MNIST, compressed."""

    def make(self, random):
        for split, count in (("train", 64), ("t10k", 16)):
            x, y = random.integers(0, 256, (count, 6, 5)), random.integers(0, 10, count)
            images = np.array([0x803, count, 6, 5], ">u4").tobytes() + x.astype("u1").tobytes()
            labels = np.array([0x801, count], ">u4").tobytes() + y.astype("u1").tobytes()
            (self.folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
            (self.folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))

    def read(self, target):
        found = []
        for split in ("train", "t10k"):
            images = unpacked(self.folder / f"{split}-images-idx3-ubyte.gz")
            labels = unpacked(self.folder / f"{split}-labels-idx1-ubyte.gz")
            if images is None or labels is None:
                return None
            found += [np.frombuffer(images[16:], "u1").reshape(-1, 6, 5), np.frombuffer(labels[8:], "u1")]
        return found


class Cifar(Data):
    def make(self, random):
        for part, count in (("data_batch_1", 40), ("data_batch_2", 24), ("test_batch", 16)):
            records = random.integers(0, 256, (count, 3073)).astype("u1")
            records[:, 0] %= 10
            (self.folder / f"{part}.bin").write_bytes(records.tobytes())

    def read(self, target):
        found = []
        for split in ("data_batch_*", "test_batch*"):
            data = np.frombuffer(b"".join(path.read_bytes() for path in sorted(self.folder.glob(split))), "u1")
            if any(path.stat().st_size % 3073 for path in self.whole):
                return None
            records = data.reshape(-1, 3073)
            found += [records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]]
        return found


class Hdf5(Data):
    def prepare(self):
        self.settings = {"path": str(self.folder / "data.h5"), "classes": 10}
        super().prepare()

    def make(self, random):
        with h5py.File(self.folder / "data.h5", "w") as file:
            file["x"], file["y"] = random.normal(size=(64, 7)).astype("f4"), random.integers(0, 10, 64)
            file.create_dataset("x_test", data=random.normal(size=(16, 7)), chunks=(4, 7), compression="gzip", fletcher32=True)
            file["y_test"] = random.integers(0, 10, 16).astype("u1")

    def read(self, target):
        try:
            with h5py.File(target, "r") as file:
                return [file[name][()] for name in ("x", "y", "x_test", "y_test")]
        except (OSError, KeyError, RuntimeError):
            return None


class Text(Data):
    settings = {"length": 8, "samples": 64, "test_samples": 8}
    model = {"kind": "nanolm", "width": 8, "depth": 1, "heads": 2, "attention_width": 4, "mlp_width": 16}

    def prepare(self):
        self.settings = {**self.settings, "path": str(self.folder / "text.txt")}
        super().prepare()

    def make(self, random):
        (self.folder / "text.txt").write_text("It is a truth universally acknowledged, that é → 😀 in want of a wife. " * 12)

    def check(self, target):
        """The same text, each of its characters replaced by the one at its place in ASCII: the same set of places."""
        try:
            text = target.read_bytes().decode()
        except UnicodeDecodeError:
            raise AssertionError("no text in UTF-8 was taken for one") from None
        place = {character: chr(33 + i) for i, character in enumerate(sorted(set(text)))}
        target.write_text("".join(place[character] for character in text))
        trained = (self.job.folder / "trained").rename(self.job.folder / "trained-first")
        self.run()
        found = differences(trained / "trajectory.h5", self.job.folder / "trained/trajectory.h5")
        shutil.rmtree(trained)
        require(not found, "the run differs from one on the same text in other letters:", found)


class Images(Data):
    settings = {"size": 4, "resize": 6}

    def make(self, random):
        from test_data import JPEG
        for label in ("ant", "bee"):
            (self.folder / label).mkdir()
            for image in range(20):
                (self.folder / label / f"{image:02}.jpg").write_bytes(JPEG)

    def check(self, target):
        pass


def unpacked(path):
    """What a gzip file holds, with its checksum checked; what follows it does not matter."""
    decoder = zlib.decompressobj(31)
    try:
        data = decoder.decompress(path.read_bytes())
    except zlib.error:
        return None
    return data if decoder.eof else None


def skip_without(module, name):
    if module is None:
        raise Skip(f"no {name}")


def flat(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def same_value(given, used):
    """YAML 1.1 reads 1e-3 as a text; the program reads a number, as YAML 1.2 does."""
    try:
        return given == used or float(given) == float(used)
    except (TypeError, ValueError):
        return str(given) == str(used)


SUBJECTS = {"checkpoint": Resumed, "trajectory": Resumed, "sharpness": Study, "branch": Branch, "reader": Read,
            "deck": Deck, "mnist": Idx, "cifar10": Cifar, "hdf5": Hdf5, "text": Text, "images": Images}
