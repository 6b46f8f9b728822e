"""Mini-batches through the program: lengths, order, resuming, ranks, and what tuners are told."""
import json
import unittest

from program import DECK, ProgramTest

import h5py
import numpy as np

# 64 samples: four batches of 16, two blocks of 8 each.
BATCH = {**DECK, "batch": {"size": 16}}


class Batch(ProgramTest):
    def setUp(self):
        super().setUp()
        self.deck = self.write("batch.yaml", json.dumps(BATCH))

    def deck_without_steps(self, **batch):
        run = {key: value for key, value in DECK["run"].items() if key != "steps"}
        return self.write("epochs.yaml", json.dumps({**DECK, "run": run, "batch": batch}))

    def columns(self, directory, group="steps"):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            return {name: file[group][name][:] for name in file[group] if name != "seconds"}

    def assert_same(self, one, other):
        self.assertEqual(one.keys(), other.keys())
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)

    def test_the_bits_do_not_depend_on_the_ranks(self):
        self.train(directory="alone")
        alone = self.columns("alone")
        self.assertEqual(len(alone["loss"]), 8)
        self.train(directory="two", ranks=2)
        self.assert_same(self.columns("two"), alone)
        self.assert_same(self.columns("two", "evaluation"), self.columns("alone", "evaluation"))
        self.train("run.block=4", "run.micro_batch=4", directory="small")
        self.train("run.block=4", directory="small4", ranks=4)
        self.assert_same(self.columns("small4"), self.columns("small"))
        np.testing.assert_allclose(self.columns("small")["loss"], alone["loss"], rtol=1e-10)
        # Accuracies are those of the whole sets.
        evaluation = self.columns("alone", "evaluation")
        for name, samples in (("train_accuracy", 64), ("test_accuracy", 32)):
            np.testing.assert_allclose(evaluation[name] * samples, np.round(evaluation[name] * samples), atol=1e-9)

    def test_a_batch_of_all_samples_is_full_batch(self):
        self.train("batch.size=64", directory="batch")
        self.train("batch.size=full", directory="full")
        for name, values in self.columns("full").items():
            np.testing.assert_allclose(self.columns("batch")[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
        self.assert_same(self.columns("batch", "evaluation"), self.columns("batch", "evaluation"))

    def test_an_epoch_goes_through_all_samples(self):
        tuner = {"kind": "constant", "learning_rate": 0.0}
        deck = self.write("still.yaml", json.dumps({**BATCH, "tuner": tuner}))
        self.train("run.steps=12", deck=deck, directory="still")
        self.train("run.steps=1", "batch.size=full", deck=deck, directory="full")
        losses = self.columns("still")["data_loss"]
        self.assertEqual(len(set(losses)), 12)  # no batch comes twice
        np.testing.assert_allclose(losses.reshape(3, 4).mean(1), self.columns("full")["data_loss"][0], rtol=1e-13)
        self.train("run.steps=12", "run.seed=5", deck=deck, directory="other")
        self.assertFalse(np.any(self.columns("other")["data_loss"] == losses))

    def test_epochs_are_steps(self):
        self.train("run.steps=6", "batch.size=20", directory="steps")  # three batches, and four samples are dropped
        deck = self.deck_without_steps(size=20, epochs=2)
        shown = self.train("--dry-run", deck=deck, directory="epochs").stdout
        for text in ("batches: 3 of 20 samples per epoch", "steps: 6", "epochs: 2"):
            self.assertIn(text, shown)
        self.assertNotIn("\n  steps:", shown)
        self.train(deck=deck, directory="epochs")
        self.assert_same(self.columns("epochs"), self.columns("steps"))
        self.assertIn("already finished", self.train(deck=deck, directory="epochs").stdout)
        # The stored deck is a deck; more epochs go on.
        with h5py.File(self.folder / "epochs/trajectory.h5", "r") as file:
            stored = self.write("stored.yaml", file.attrs["deck"])
        self.assertIn("going on from step 6", self.train("batch.epochs=3", deck=stored, directory="epochs", ranks=2).stdout)
        self.train("run.steps=9", "batch.size=20", directory="nine")
        self.assert_same(self.columns("epochs"), self.columns("nine"))

    def test_half_and_half_is_the_whole_bit_for_bit(self):
        self.train("run.steps=9", directory="whole")
        self.train("run.steps=6", directory="parts", ranks=2)
        self.train("run.steps=9", directory="parts")
        self.assert_same(self.columns("parts"), self.columns("whole"))

    def test_tuners_know_that_the_loss_is_a_batchs(self):
        tuner = {"kind": "linesearch", "c": 1e9}  # nothing satisfies it
        deck = self.write("search.yaml", json.dumps({**BATCH, "tuner": tuner}))
        self.train("run.steps=3", deck=deck)
        np.testing.assert_array_equal(self.columns("run")["evaluations"], 30)
        # A schedule by epochs: two of warm-up are eight steps.
        tuner = {"kind": "schedule", "peak": 0.8, "warmup": 2, "horizon": 3, "unit": "epochs", "shape": "linear"}
        self.train("run.steps=14", deck=self.write("s.yaml", json.dumps({**BATCH, "tuner": tuner})), directory="schedule")
        wanted = np.concatenate([np.arange(8) * 0.1, 0.8 * (1 - np.arange(4) / 4), [0, 0]])
        np.testing.assert_allclose(self.columns("schedule")["learning_rate"], wanted, atol=1e-15)

    def test_images_are_changed_in_training_only(self):
        random = np.random.default_rng(0)
        with h5py.File(self.folder / "x.h5", "w") as file:
            file["x"], file["y"] = random.integers(0, 256, (64, 6, 6, 3)).astype(np.uint8), np.arange(64) % 3
        data = {"set": "hdf5", "path": str(self.folder / "x.h5"), "standardize": "channel"}
        deck = {**BATCH, "data": data, "tuner": {"kind": "constant", "learning_rate": 0.0}}
        deck = self.write("images.yaml", json.dumps(deck))
        self.train(deck=deck, directory="plain")
        self.train("batch.crop=2", "batch.flip=true", deck=deck, directory="changed")
        plain, changed = self.columns("plain"), self.columns("changed")
        self.assertEqual(len(set(changed["loss"]) | set(plain["loss"])), 16)
        self.assert_same(self.columns("changed", "evaluation"), self.columns("plain", "evaluation"))
        self.train("batch.crop=2", "batch.flip=true", deck=deck, directory="ranks", ranks=2)
        self.assert_same(self.columns("ranks"), changed)

    def test_bad_input(self):
        def refuse(*overrides, says, deck=None, ranks=0):
            done = self.onedge("train", deck or self.deck, *overrides, "-d", self.folder / "bad", ranks=ranks, code=2)
            lines = [line for line in done.stderr.splitlines() if line.startswith("onedge: ")]
            self.assertEqual(len(lines), 1, done.stderr)
            for text in says:
                self.assertIn(text, lines[0])
            self.assertFalse((self.folder / "bad").exists())
        refuse("batch.epochs=2", says=["run.steps", "batch.epochs"])
        for ranks in (0, 2):
            refuse("batch.size=65", says=["batch.size: 65", "64 training samples"], ranks=ranks)
            refuse("batch.flip=true", says=["batch.flip", "images"], ranks=ranks)
        refuse("batch.size=8", says=["run.block", "8 samples in blocks of 8", "run.block <= 7"], ranks=2)
        refuse("batch.epochs=2", "batch.size=full", says=["batch.epochs", "batch.size"])
        refuse("batch.siez=2", says=["batch.siez", "size"])
        with h5py.File(self.folder / "x.h5", "w") as file:
            file["x"], file["y"] = np.ones((64, 6, 6, 3)), np.arange(64) % 3
        data = {"set": "hdf5", "path": str(self.folder / "x.h5")}
        deck = self.write("reals.yaml", json.dumps({**BATCH, "data": data}))
        refuse("batch.crop=1", says=["batch.crop", "bytes"], deck=deck, ranks=2)
        self.train()
        done = self.train("batch.size=32", "run.steps=9", code=2)
        self.assertIn("batch.size", done.stderr)


if __name__ == "__main__":
    unittest.main()
