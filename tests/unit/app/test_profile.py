"""`run.profile`: where the time of a run goes."""
import unittest

from program import ProgramTest

import h5py
import numpy as np

STEP = "onedge::Trainer::step"


class ProfileOfARun(ProgramTest):
    def profile(self, directory):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            rows = {name: file["profile"][name][:] for name in file["profile"]}
            for name, dataset in file["profile"].items():
                self.assertTrue(dataset.attrs["description"], name)
        regions = [region.decode() for region in rows.pop("region")]
        return {region: {name: values[i] for name, values in rows.items()} for i, region in enumerate(regions)}

    def test_phases_operations_and_communication(self):
        # The log has the operations that take longest: wide layers keep the dense ones among them on a busy machine.
        log = self.train("run.profile=true", "measure.sharpness.every=4", "model.hidden=[512, 512]", ranks=2).stdout
        found = self.profile("run")
        self.assertEqual(found[STEP]["calls"], 8)
        gradient = found[f"{STEP} > onedge::Objective::gradient"]
        self.assertEqual(gradient["calls"], 8)
        for region in (f"{STEP} > onedge::Objective::curvature", f"{STEP} > onedge::Trainer::measure_sharpness",
                       f"{STEP} > onedge::Objective::gradient > onedge::dense::reverse(0)", "onedge::Trainer::publish"):
            self.assertIn(region, found)
        self.assertTrue(any("onedge::Communicator::" in region for region in found))
        # What is within a region takes part of its time, and nothing is counted twice.
        own = sum(row["own_seconds"] for region, row in found.items() if region.startswith(STEP))
        self.assertAlmostEqual(own, found[STEP]["seconds"], delta=1e-6)
        self.assertTrue(all(row["slowest"] >= row["seconds"] - 1e-12 for row in found.values()))
        for text in ("profile of 8 steps", "phases", "communication", "operations", "dense::forward(0)"):
            self.assertIn(text, log)
        self.assertIn("dense::forward(0)", (self.folder / "run/run.log").read_text())

    def test_it_changes_no_step_and_may_begin_on_the_way(self):
        self.train()
        self.train("run.steps=5", directory="half")
        with h5py.File(self.folder / "half/trajectory.h5", "r") as file:
            self.assertNotIn("profile", file)
        self.train("run.profile=true", directory="half")
        self.assertEqual(self.profile("half")[STEP]["calls"], 3)
        with h5py.File(self.folder / "run/trajectory.h5", "r") as one, \
                h5py.File(self.folder / "half/trajectory.h5", "r") as other:
            for name in one["steps"].keys() - {"seconds"}:
                np.testing.assert_array_equal(one["steps"][name][:], other["steps"][name][:], err_msg=name)


if __name__ == "__main__":
    unittest.main()
