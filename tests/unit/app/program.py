"""Runs the program as its users do, in a scratch folder. Exit code 77: a Python package is missing."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

try:
    import h5py
    import numpy  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
PROGRAM = os.environ["ONEDGE_PROGRAM"]
MPIRUN = os.environ.get("ONEDGE_MPIRUN", "mpirun")

# Eight blocks of eight samples, an MLP 5-7-3, double precision, all sums in one fixed order.
DECK = {
    "run": {"steps": 8, "precision": "double", "block": 8, "reduction": "reproducible"},
    "data": {"set": "synthetic", "samples": 64, "features": 5, "classes": 3, "test_samples": 32},
    "model": {"hidden": [7], "activation": "tanh"},
    "loss": {"weight_decay": 0.001},
    "optimizer": {"kind": "momentum", "momentum": 0.5},
    "tuner": {"kind": "cdat", "sigma": 1.0, "ema": 0.5},
    "measure": {"evaluation": {"every": 3}},
    "output": {"checkpoint": {"every": 3, "keep": 0}},
}


def snapshot(folder):
    """Every file below a folder with its contents. The lock names its last holder and is nobody's data."""
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def forge(path, change):
    """Applies change(file) to an HDF5 file of ours, in place as nobody should, and puts its checksum right."""
    with h5py.File(path, "r+") as file:
        change(file)
    data = path.read_bytes()
    data = data[:data.rindex(b"onedge-crc32:")] if b"onedge-crc32:" in data[-64:] else data
    path.write_bytes(data + b"onedge-crc32:%08x\n" % zlib.crc32(data))


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="onedge-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.deck = self.write("deck.yaml", json.dumps(DECK))

    def write(self, name, contents):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return path

    def command(self, *arguments, ranks=0):
        launcher = [MPIRUN, "-n", str(ranks), "--oversubscribe"] if ranks else []
        return [*launcher, PROGRAM, *map(str, arguments)]

    def onedge(self, *arguments, ranks=0, code=0):
        """Runs `onedge ARGUMENTS` (ranks 0: without mpirun) in the scratch folder and checks its exit code."""
        done = subprocess.run(self.command(*arguments, ranks=ranks), cwd=self.folder, timeout=100,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def train(self, *overrides, directory="run", deck=None, ranks=0, code=0):
        return self.onedge("train", deck or self.deck, *overrides, "-d", self.folder / directory, ranks=ranks, code=code)
