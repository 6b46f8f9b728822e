"""A stop that comes while eigenvalues are computed: the step is given up and made again with the same bits; the first step
of a start goes on, but not for ever."""
import json
import re
import signal
import subprocess
import time
import unittest

from program import DECK, ProgramTest

import h5py
import numpy as np

# A solve takes about a second: 60 products, a tolerance that they do not reach.
SECTIONS = {
    "run": DECK["run"] | {"steps": 3, "block": 64},
    "data": {"set": "synthetic", "samples": 512, "features": 256, "classes": 10},
    "model": {"hidden": [256], "activation": "tanh"},
    "optimizer": {"kind": "adam"},
    "measure": {"sharpness": {"every": 1, "count": 4, "tolerance": 1.0e-14, "maximum_products": 60,
                              "operators": ["hessian", "gauss_newton"]}},
    "output": {"checkpoint": {"every": 100}},
}


class StopInSolve(ProgramTest):
    def setUp(self):
        super().setUp()
        self.deck = self.write("deck.yaml", json.dumps(DECK | SECTIONS))

    def stop_after(self, wait, directory, *overrides):
        """Starts a run, waits until `wait` says so, sends SIGTERM; returns what it printed and how long it took to end."""
        process = subprocess.Popen(self.command("train", self.deck, *overrides, "-d", self.folder / directory),
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wait(self.folder / directory / "run.log")
        process.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        text, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 85, text)
        return text, time.monotonic() - sent

    def wait_for(self, pattern, log, then):
        end = time.monotonic() + 60
        while time.monotonic() < end and not (log.exists() and re.search(pattern, log.read_text())):
            time.sleep(0.01)
        time.sleep(then)

    def tables(self, directory, names=("steps", "sharpness", "gauss_newton_sharpness")):
        with h5py.File(self.folder / directory / "trajectory.h5") as file:
            rows = {f"{table}/{name}": column[:] for table in names
                    for name, column in file[table].items() if name != "seconds"}
            return rows, [text.decode() for text in file["warnings/message"][:]]

    def test_a_later_step_is_given_up_and_made_again_with_the_same_bits(self):
        self.train(directory="whole")
        wanted, _ = self.tables("whole")
        # The log tells of the first step; the second is in its solves for most of its time.
        text, _ = self.stop_after(lambda log: self.wait_for(r"step 1/", log, 0.7), "cut")
        self.assertRegex(text, r"stopped at step [12]: SIGTERM")
        self.train(directory="cut")
        found, warnings = self.tables("cut")
        for name, column in wanted.items():
            np.testing.assert_array_equal(found[name], column, err_msg=name)
        self.assertEqual(warnings, [])

    def test_the_first_step_goes_on_with_what_there_is(self):
        endless = ("measure.sharpness.maximum_products=100000000", "measure.sharpness.count=32",
                   "measure.sharpness.operators=[negative_hessian]")
        _, seconds = self.stop_after(lambda log: self.wait_for("parameters", log, 1.0), "endless", *endless)
        self.assertLess(seconds, 40)
        rows, warnings = self.tables("endless", ("steps", "lowest_curvature"))
        np.testing.assert_array_equal(rows["steps/step"], [0])
        self.assertTrue(np.any(rows["lowest_curvature/converged"] == 0))
        self.assertTrue(np.all(np.isfinite(rows["lowest_curvature/eigenvalues"])))
        self.assertTrue(any("to stop" in text for text in warnings), warnings)


if __name__ == "__main__":
    unittest.main()
