"""Ranks on unlike processors, as OPENBLAS_CORETYPE makes them out to be: they end together, with the same weights."""
import json
import subprocess
import unittest

from program import DECK, MPIRUN, PROGRAM, ProgramTest

import h5py
import numpy as np

# Small dense problems at every step, from several solvers; η depends on them.
SECTIONS = {
    "run": DECK["run"] | {"steps": 200},
    "optimizer": {"kind": "adam"},
    "tuner": {"kind": "sharpness", "sigma": 0.5},
    "measure": {"sharpness": {"every": 1, "operators": ["hessian", "negative_hessian"], "count": 3}},
    "output": {"checkpoint": {"every": 50}},
}


class UnlikeRanks(ProgramTest):
    def run_with(self, cores, directory, **changes):
        """One rank for each kind of processor."""
        deck = self.write(f"{directory}.yaml", json.dumps(DECK | SECTIONS | changes))
        command = [MPIRUN, "--oversubscribe"]
        for core in cores:
            command += [":"] if command[-1] != "--oversubscribe" else []
            command += ["-n", "1", "-x", f"OPENBLAS_CORETYPE={core}", PROGRAM, "train", str(deck), "-d",
                        str(self.folder / directory)]
        done = subprocess.run(command, cwd=self.folder, timeout=60, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.folder / directory / "trajectory.h5") as file:
            rows = {f"{table}/{name}": column[:] for table in ("steps", "sharpness", "lowest_curvature")
                    for name, column in file[table].items() if name != "seconds"}
            return rows, file["segments/arithmetic"][0].decode(), [text.decode() for text in file["warnings/message"][:]]

    def test_they_train_as_like_ones_where_products_do_not_differ(self):
        single = {"run": SECTIONS["run"] | {"precision": "single"}}  # whose products are oneDNN's
        unlike, arithmetic, warnings = self.run_with(("Prescott", "Haswell"), "unlike", **single)
        like, one, none = self.run_with(("Prescott", "Prescott"), "like", **single)
        self.assertEqual(len(unlike["steps/loss"]), 200)
        for name, column in like.items():
            np.testing.assert_array_equal(column, unlike[name], err_msg=name)
        self.assertTrue("Prescott" in arithmetic and "Haswell" in arithmetic, arithmetic)
        self.assertTrue(any("unlike" in text for text in warnings), warnings)
        self.assertNotIn(",", one)
        self.assertFalse(any("unlike" in text for text in none), none)

    def test_they_end_together_where_products_differ(self):
        for tuner in ({"kind": "sharpness", "sigma": 0.5}, {"kind": "linesearch"}, {"kind": "cdat"}):
            with self.subTest(tuner=tuner):
                rows, _, _ = self.run_with(("Prescott", "Haswell"), tuner["kind"], tuner=tuner)
                self.assertEqual(len(rows["steps/loss"]), 200)


if __name__ == "__main__":
    unittest.main()
