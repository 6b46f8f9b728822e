"""A run goes on with the samples that it began with, wherever they lie and however they are packed, and with no others."""
import gzip
import json
import shutil
import struct
import unittest

from program import DECK, ProgramTest, forge, snapshot

import h5py
import numpy as np


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


class Identity(ProgramTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        self.images = {split: random.integers(0, 256, (count, 4, 4), dtype=np.uint8)
                       for split, count in (("train", 64), ("t10k", 24))}
        self.labels = {split: random.integers(0, 10, len(x), dtype=np.uint8) for split, x in self.images.items()}
        self.store("here")
        self.deck = self.with_data(set="mnist", path=str(self.folder / "here"), samples=48)

    def with_data(self, name="deck.yaml", **data):
        return self.write(name, json.dumps({**DECK, "data": data}))

    def store(self, folder, packed=False):
        for split in self.images:
            for stem, values in (("images-idx3", self.images), ("labels-idx1", self.labels)):
                data = idx(values[split])
                name = f"{folder}/{split}-{stem}-ubyte" + (".gz" if packed else "")
                self.write(name, gzip.compress(data) if packed else data)
        return f"data.path={self.folder / folder}"

    def attributes(self, path):
        with h5py.File(self.folder / path, "r") as file:
            return {key: str(file.attrs[key]) for key in ("train_data", "test_data") if key in file.attrs}

    def losses(self, directory):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            return file["steps/loss"][:].tolist()

    def refuse(self, *overrides, says, directory="run", ranks=0):
        before = snapshot(self.folder / directory)
        said = self.train(*overrides, directory=directory, ranks=ranks, code=2).stderr
        for text in says:
            self.assertIn(text, said)
        self.assertEqual(snapshot(self.folder / directory), before)

    def test_it_is_recorded_whatever_the_ranks_the_place_and_the_packing(self):
        elsewhere = self.store("elsewhere", packed=True)
        self.train("run.steps=3", directory="one")
        self.train("run.steps=3", elsewhere, "run.block=4", directory="three", ranks=3)
        found = self.attributes("one/trajectory.h5")
        self.assertRegex(found["train_data"], r"^48 samples of \[4, 4, 1\] pixels in 10 classes, inputs [0-9a-f]{16}, labels ")
        self.assertRegex(found["test_data"], "^24 samples ")
        self.assertEqual(self.attributes("one/checkpoint-00000003.h5"), found)
        self.assertEqual(self.attributes("three/trajectory.h5"), found)
        self.train("run.steps=3", "batch.size=16", directory="batches", ranks=2)
        self.assertEqual(self.attributes("batches/trajectory.h5"), found)
        self.train("run.steps=3", "data.samples=47", directory="fewer")
        self.assertNotEqual(self.attributes("fewer/trajectory.h5")["train_data"], found["train_data"])

    def test_the_same_bytes_elsewhere_go_on_and_other_bytes_here_do_not(self):
        self.train(directory="whole")
        self.train("run.steps=3")
        moved = self.store("moved", packed=True)
        shutil.move(self.folder / "here", self.folder / "gone")
        self.train(moved, "run.steps=6", ranks=2)
        shutil.move(self.folder / "gone", self.folder / "here")
        self.images["train"][7, 2, 2] ^= 1
        changed = self.store("here")
        for ranks in (0, 2):
            self.refuse(ranks=ranks, says=["checkpoint-00000006.h5", "its training samples were 48 samples of [4, 4, 1]",
                                           str(self.folder / "here"), "inputs", "name another directory"])
        self.images["train"][7, 2, 2] ^= 1
        self.labels["train"][47] ^= 1
        self.store("here")
        self.refuse(changed, says=["training samples"])
        self.labels["train"][47] ^= 1
        self.images["t10k"][23, 0, 0] ^= 1
        self.store("here")
        self.refuse(says=["test samples"])
        self.train("measure.evaluation.every=0", "run.steps=7")  # they are not looked at, and what they were stays known
        self.refuse(says=["test samples"])
        self.images["t10k"][23, 0, 0] ^= 1
        self.images["train"][50] ^= 1  # beyond the samples used
        self.store("here")
        self.train()
        self.assertEqual(self.losses("run"), self.losses("whole"))
        self.assertEqual(self.attributes("run/trajectory.h5"), self.attributes("whole/trajectory.h5"))

    def test_a_finished_run_does_not_need_its_samples(self):
        batches = self.write("batches.yaml", json.dumps({**json.loads(self.deck.read_text()), "run": {"block": 8},
                                                         "batch": {"size": 16, "epochs": 2}}))
        self.train()
        self.train(deck=batches, directory="batches")
        shutil.move(self.folder / "here", self.folder / "gone")
        for ranks in (0, 2):
            self.assertIn("already finished", self.train(ranks=ranks).stdout)
            self.assertIn("already finished", self.train(deck=batches, directory="batches", ranks=ranks).stdout)
        self.assertIn("already finished", self.train("--dry-run").stdout)
        self.train("run.steps=9", code=2)
        self.train("batch.epochs=3", deck=batches, directory="batches", code=2)
        shutil.move(self.folder / "gone", self.folder / "here")
        self.train("batch.epochs=3", deck=batches, directory="batches")
        self.assertEqual(len(self.losses("batches")), 9)

    def test_a_test_split_that_went_is_missed(self):
        self.train("run.steps=3")
        for file in (self.folder / "here").glob("t10k*"):
            file.unlink()
        self.refuse(says=["had test samples"])

    def test_files_of_before_go_on_with_a_line_in_the_log(self):
        self.train("run.steps=3", "output.checkpoint.keep=1")
        elsewhere = self.store("elsewhere")
        for path in (self.folder / "run").glob("*.h5"):
            forge(path, lambda file: [group.attrs.pop(key, None) for key in ("train_data", "test_data")
                                          for group in (file, file.get("trajectory", file))])
        self.assertEqual(self.attributes("run/checkpoint-00000003.h5"), {})
        done = self.train(elsewhere, "run.steps=6")
        for text in (done.stderr, (self.folder / "run/run.log").read_text()):
            self.assertIn("checkpoint-00000003.h5 does not record what its samples were", text)
        self.assertIn("train_data", self.attributes("run/checkpoint-00000006.h5"))
        self.images["train"][0] ^= 1
        self.refuse(self.store("elsewhere"), says=["training samples"])

    def test_a_branch(self):
        self.train("run.steps=3", directory="stem")
        stem = f"run.branch={self.folder / 'stem/checkpoint-00000003.h5'}"
        self.train(stem, self.store("elsewhere", packed=True), directory="same", ranks=2)
        self.images["train"][0] ^= 1
        self.store("elsewhere2")
        before = snapshot(self.folder)
        said = self.train(stem, f"data.path={self.folder / 'elsewhere2'}", directory="other", code=2).stderr
        self.assertIn("training samples", said)
        self.assertEqual(snapshot(self.folder), before)
        done = self.train(stem, "data.samples=32", directory="fewer")  # on purpose
        self.assertIn("as the deck's section data asks for", done.stderr)
        self.assertIn("as the deck's section data asks for", (self.folder / "fewer/run.log").read_text())

    def test_sharpness_at_a_checkpoint(self):
        self.train("run.steps=3")
        checkpoint, output = self.folder / "run/checkpoint-00000003.h5", self.folder / "sharpness.h5"
        study = lambda *more, **options: self.onedge("sharpness", checkpoint, "-k", 1, "-o", output, *more, **options)
        self.assertEqual(study(self.store("elsewhere", packed=True), ranks=2).stderr, "")
        known = self.attributes("run/trajectory.h5")["train_data"]
        self.assertEqual(self.attributes("sharpness.h5"), {"train_data": known})
        output.unlink()
        self.images["train"][0] ^= 1
        other = self.store("other")
        said = study(other, code=2).stderr
        self.assertIn("training samples", said)
        self.assertIn("--other-data", said)
        self.assertFalse(output.exists())
        for arguments in ((other, "--other-data"), ("data.samples=32",)):
            self.assertIn("training samples", study(*arguments).stderr)
            with h5py.File(output, "r") as file:
                self.assertEqual(file.attrs["checkpoint_train_data"], known)
                self.assertNotEqual(file.attrs["train_data"], known)

    def test_numbers_in_hdf5(self):
        random = np.random.default_rng(0)
        x, y = random.standard_normal((64, 5)), random.integers(0, 3, 64)
        for name, options in (("here.h5", {}), ("packed.h5", {"compression": "gzip", "chunks": (7, 5)})):
            with h5py.File(self.folder / name, "w") as file:
                file.create_dataset("x", data=x, **options)
                file["y"] = y
        deck = self.with_data("hdf5.yaml", set="hdf5", path=str(self.folder / "here.h5"))
        self.train("run.steps=2", deck=deck, directory="numbers")
        self.train("run.steps=4", f"data.path={self.folder / 'packed.h5'}", deck=deck, directory="numbers")
        with h5py.File(self.folder / "packed.h5", "r+") as file:
            file["x"][63, 4] = np.nextafter(x[63, 4], 1)
        said = self.train(f"data.path={self.folder / 'packed.h5'}", deck=deck, directory="numbers", code=2).stderr
        self.assertIn("training samples", said)


if __name__ == "__main__":
    unittest.main()
