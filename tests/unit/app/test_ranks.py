"""Numbers of ranks that do not divide the samples well."""
import json
import unittest

from program import DECK, ProgramTest

import h5py
import numpy as np


class Ranks(ProgramTest):
    def evaluation(self, directory):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            return {name: file["evaluation"][name][:] for name in file["evaluation"]}

    def test_more_ranks_than_blocks_of_the_test_set(self):
        more = ["run.steps=4", "data.test_samples=10", "measure.evaluation.every=1"]  # two blocks, the second of two samples
        self.train(*more, directory="one")
        one = self.evaluation("one")
        self.assertEqual(len(np.unique(one["test_loss"])), 4)
        for ranks in (3, 5):
            self.train(*more, directory=f"on{ranks}", ranks=ranks)
            for name, values in self.evaluation(f"on{ranks}").items():
                np.testing.assert_array_equal(values, one[name], err_msg=name)
        self.train(*more, "run.reduction=fast", "data.standardize=channel", directory="fast1")
        self.train(*more, "run.reduction=fast", "data.standardize=channel", directory="fast4", ranks=4)
        for name, values in self.evaluation("fast4").items():
            np.testing.assert_allclose(values, self.evaluation("fast1")[name], rtol=1e-12, err_msg=name)

    def test_sources_of_every_kind_of_sample(self):
        x, y = np.random.default_rng(0).integers(0, 256, (64, 4, 4, 1), np.uint8), np.arange(64) % 3
        for name, images in (("pixels", x), ("reals", x / 255)):
            with h5py.File(self.folder / f"{name}.h5", "w") as file:
                file["x"], file["y"] = images, y
                file["x_test"], file["y_test"] = images[:5], y[:5]
            self.check(name, data={"set": "hdf5", "path": str(self.folder / f"{name}.h5"), "standardize": "channel"})
        text = self.write("text.txt", "to be or not to be, that is the question; " * 40)
        self.check("tokens", data={"set": "text", "path": str(text), "length": 8, "samples": 64, "test_samples": 4},
                   model={"kind": "nanolm", "width": 8, "heads": 1, "depth": 1, "attention_width": 8, "mlp_width": 8})

    def check(self, name, **sections):
        deck = self.write(f"{name}.yaml", json.dumps({**DECK, **sections, "measure": {"evaluation": {"every": 1}}}))
        for ranks in (0, 4):
            self.train("run.steps=2", deck=deck, directory=f"{name}{ranks}", ranks=ranks)
        for column, values in self.evaluation(f"{name}4").items():
            np.testing.assert_array_equal(values, self.evaluation(f"{name}0")[column], err_msg=column)

    def test_the_message_says_which_samples_are_too_few(self):
        said = self.train("data.samples=16", ranks=3, code=2).stderr
        self.assertIn("run.block: the training set's 16 samples in blocks of 8 make 2 blocks, fewer than the 3 ranks", said)
        self.assertIn("use run.block <= 7, or at most 2 ranks", said)
        said = self.train("batch.size=16", ranks=3, code=2).stderr
        self.assertIn("run.block: a batch's 16 samples in blocks of 8 make 2 blocks, fewer than the 3 ranks", said)
        self.assertFalse((self.folder / "run").exists())


if __name__ == "__main__":
    unittest.main()
