"""What a run says on its way: a loss that is thrown far up, a line search that has come to its end."""
import json
import unittest

from program import DECK, ProgramTest

import h5py
import numpy as np


class Warnings(ProgramTest):
    def warnings(self, directory):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            return list(zip(file["warnings/step"][:].tolist(), [text.decode() for text in file["warnings/message"][:]]))

    def steps(self, directory):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            return {name: file["steps"][name][:] for name in file["steps"]}

    def test_a_loss_thrown_far_up_is_told_once(self):
        # A linear model of squared errors far above its edge: finite for a long time.
        deck = self.write("thrown.yaml", json.dumps(
            {**DECK, "model": {"kind": "linear"}, "loss": {"kind": "squared_error"},
             "tuner": {"kind": "constant", "learning_rate": 3.0}, "optimizer": {"kind": "gd"}}))
        done = self.train("run.steps=20", deck=deck, directory="whole")
        loss = self.steps("whole")["loss"]
        first = int(np.argmax(loss > 10 * np.minimum.accumulate(loss)))
        self.assertGreater(first, 0)
        (step, message), = self.warnings("whole")
        self.assertEqual(step, first)
        self.assertIn("more than 10 times the smallest", message)
        self.assertEqual(done.stderr.count("more than 10 times"), 1)
        self.assertIn(message, (self.folder / "whole/run.log").read_text())
        # However many starts it takes.
        for steps in (first, first + 1, first + 3, 20):
            self.train(f"run.steps={steps}", deck=deck, directory="parts")
        self.assertEqual(self.warnings("parts"), self.warnings("whole"))

    def test_a_quiet_run_says_nothing(self):
        done = self.train()
        self.assertEqual(self.warnings("run"), [])
        self.assertEqual(done.stderr, "")

    def test_a_line_search_at_its_end_does_not_go_on_in_steps_that_do_nothing(self):
        # A linear model of squared errors, whose smallest loss is above zero and soon found.
        for precision, steps, kind in (("single", 200, "f4"), ("double", 400, "f8")):
            deck = self.write("line.yaml", json.dumps(
                {**DECK, "run": {**DECK["run"], "precision": precision, "steps": steps}, "optimizer": {"kind": "gd"},
                 "model": {"kind": "linear"}, "loss": {"kind": "squared_error"}, "tuner": {"kind": "linesearch"},
                 "measure": {}, "output": {"checkpoint": {"every": steps}}}))
            self.train(deck=deck, directory=precision)
            with h5py.File(self.folder / precision / f"checkpoint-{steps:08d}.h5", "r") as file:
                weights = np.concatenate([tensor[:].ravel() for tensor in file["parameters/dense_0"].values()])
            found = self.steps(precision)
            stopped = found["learning_rate"] == 0
            lengths = found["learning_rate"] * found["update_norm"] / np.linalg.norm(weights)
            self.assertTrue((stopped | (lengths > 0.9 * np.finfo(kind).eps)).all(), lengths)
            self.assertEqual(len(self.warnings(precision)), np.count_nonzero(stopped))
            if precision == "single":
                self.assertTrue(stopped[-1])


if __name__ == "__main__":
    unittest.main()
