"""Every deck in inputs/: --dry-run on stand-in data, and three steps of the small ones of the paper's figures."""
import base64
import gzip
import os
import re
import struct
import unittest
from pathlib import Path

from program import ProgramTest

import h5py

INPUTS = Path(__file__).resolve().parents[3] / "inputs"
FIGURES = sorted(INPUTS.glob("fig*.yaml"))
FASHION = Path("/usr/share/datasets/fashion-mnist")
# A grey square of 8×8 pixels.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////"
    "////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z")


class Decks(ProgramTest):
    def sparse(self, path, size):
        """Zeros, which take no room: labels and pixels of zero."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.truncate(size)

    def idx(self, folder, count):
        folder.mkdir(parents=True, exist_ok=True)
        for split in ("train", "t10k"):
            with gzip.open(folder / f"{split}-images-idx3-ubyte.gz", "wb", compresslevel=1) as file:
                file.write(struct.pack(">4BIII", 0, 0, 8, 3, count, 28, 28) + bytes(range(256)) * (count * 784 // 256))
            with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz", "wb") as file:
                file.write(struct.pack(">4BI", 0, 0, 8, 1, count) + bytes(i % 10 for i in range(count)))

    def images(self, folder, per_class):
        for split in ("train", "val"):
            for name in "abcdefghij":
                (folder / split / name).mkdir(parents=True)
                first = folder / split / name / "0.jpg"
                first.write_bytes(JPEG)
                for index in range(1, per_class if split == "train" else 2):
                    os.link(first, first.with_name(f"{index}.jpg"))

    def stand_ins(self):
        """{data.set: where something of its form lies}"""
        for index in range(1, 6):
            self.sparse(self.folder / f"cifar10/data_batch_{index}.bin", 10000 * 3073)
        self.sparse(self.folder / "cifar10/test_batch.bin", 10000 * 3073)
        self.sparse(self.folder / "cifar100/train.bin", 50000 * 3074)
        self.sparse(self.folder / "cifar100/test.bin", 10000 * 3074)
        self.idx(self.folder / "idx", 16384)
        self.images(self.folder / "images", 410)
        self.write("text.txt", "".join(chr(32 + i % 64) for i in range(2048 * 65 + 2)))
        fashion = FASHION if FASHION.exists() else self.folder / "idx"
        return {"cifar10": self.folder / "cifar10", "cifar100": self.folder / "cifar100", "mnist": self.folder / "idx",
                "fashion-mnist": fashion, "images": self.folder / "images", "text": self.folder / "text.txt"}

    def overrides(self, deck, stand_ins):
        name = re.search(r"^ *(?:data: \{)?set: ([\w-]+)", deck.read_text(), re.MULTILINE)[1]
        return [f"data.path={stand_ins[name]}"]

    def test_every_figure_has_a_deck_and_a_small_one(self):
        for number in range(1, 22):
            decks = [deck.name for deck in FIGURES if deck.name.startswith(f"fig{number:02}-")]
            self.assertTrue(decks, number)
            for name in decks:
                toy = number in (4, 9, 10, 11)  # seconds at full size
                self.assertTrue(toy or name.endswith("-small.yaml") or name.replace(".yaml", "-small.yaml") in decks, name)

    def test_dry_run_of_every_deck(self):
        stand_ins = self.stand_ins()
        for deck in sorted(INPUTS.glob("*.yaml")):
            text = deck.read_text()
            with self.subTest(deck=deck.name):
                self.assertIn("#", text[:1])
                if "dynamics:" in text:
                    self.assertTrue(self.onedge("cases", deck).stdout)
                    continue
                shown = self.onedge("train", deck, *self.overrides(deck, stand_ins), "--dry-run").stdout
                self.assertIn("# parameters:", shown)
                self.assertEqual("sweep:" in text, "# sweep:" in shown)
                self.assertIn(f"name: {deck.stem}\n", shown)  # and so its runs go to a folder of their own
                self.assertIn(f"directory: runs/{deck.stem}\n", shown)

    def test_three_steps_of_every_small_deck(self):
        stand_ins = self.stand_ins()
        for deck in FIGURES:
            if not deck.stem.endswith("-small"):
                continue
            overrides = self.overrides(deck, stand_ins)
            mini = "\nbatch:" in deck.read_text()
            overrides += ["data.samples=384", "batch.epochs=1"] if mini else ["run.steps=3"]
            overrides.append("run.stop.loss_above=1.0e+30")  # σ = 2.5 may diverge as early as that
            cases = [line.split()[0] for line in self.onedge("cases", deck, *overrides).stdout.splitlines()]
            for case in dict.fromkeys((cases[0], cases[-1])):
                with self.subTest(deck=deck.name, case=case):
                    self.onedge("train", deck, *overrides, "--case", case, "-d", self.folder / deck.stem)
                    path = self.folder / deck.stem / f"case-{int(case):04d}/trajectory.h5"
                    with h5py.File(path, "r") as file:
                        self.assertGreaterEqual(len(file["steps/step"]), 3)
                        self.assertEqual(file.attrs["cases"], len(cases))


if __name__ == "__main__":
    unittest.main()
