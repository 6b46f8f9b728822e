"""Memory: what does not fit is refused with its sizes, and the micro-batch is recorded and kept."""
import json
import os
import unittest
from unittest import mock

from program import DECK, ProgramTest, snapshot

import h5py
import numpy as np

FAST = {**DECK, "run": {**DECK["run"], "precision": "single", "reduction": "fast"}}


def micro_batches(folder):
    with h5py.File(folder / "trajectory.h5", "r") as file:
        return file["segments/micro_batch"][:].tolist()


def losses(folder):
    with h5py.File(folder / "trajectory.h5", "r") as file:
        return file["steps/loss"][:]


class TooLarge(ProgramTest):
    def refuse(self, *overrides, says, ranks=0):
        for dry in ([], ["--dry-run"]):
            with self.subTest(overrides=overrides, dry=dry):
                before = snapshot(self.folder)
                done = self.train(*overrides, *dry, code=2, ranks=ranks)
                ours = [line for line in done.stderr.splitlines() if line.startswith("onedge: ")]
                self.assertEqual(len(ours), 1, done.stderr)
                for text in says:
                    self.assertIn(text, ours[0])
                self.assertEqual(snapshot(self.folder), before)
                self.assertFalse((self.folder / "run").exists())

    def test_a_model_beyond_the_memory_is_refused_with_its_sizes(self):
        parameters = 5 * 10**6 + 10**6 + 10**12 + 10**6 + 3 * 10**6 + 3
        for kind in ("gd", "adam"):
            self.deck = self.write("deck.yaml", json.dumps({**DECK, "optimizer": {"kind": kind}}))
            self.refuse("model.hidden=[1000000, 1000000]", says=["memory", str(parameters), "MiB", "free"])
        self.refuse("model.hidden=[1000000, 1000000]", says=["memory", "free"], ranks=2)

    def test_sizes_that_overflow_are_refused(self):
        for hidden, says in (([10**9, 10**9], "[1000000000, 1000000000]"), ([9 * 10**18], "9000000000000000000"),
                             ([2**32, 2**32, 2**32], "4294967296"), ([10**11], "memory")):
            self.refuse(f"model.hidden={hidden}", says=[says])

    def test_what_slurm_grants_counts(self):
        large = "model.hidden=[3000, 3000]"  # 9 million parameters in double: 70 MiB each vector
        for variables in ({"SLURM_MEM_PER_NODE": "200"}, {"SLURM_MEM_PER_CPU": "50", "SLURM_CPUS_ON_NODE": "4"}):
            with mock.patch.dict(os.environ, variables):
                self.refuse(large, says=["memory", "free: 200.0 MiB"])
                self.refuse(large, says=["memory", "free: 100.0 MiB"], ranks=2)
        with mock.patch.dict(os.environ, {"SLURM_MEM_PER_CPU": "50"}):
            self.refuse(large, says=["memory", "free: 50.0 MiB"])

    def test_a_micro_batch_beyond_the_memory_is_refused(self):
        with mock.patch.dict(os.environ, {"SLURM_MEM_PER_NODE": "100"}):
            wide = ("model.hidden=[2000]", "data.samples=8192", "run.block=64")
            self.refuse(*wide, "run.micro_batch=8192", says=["memory", "8192 samples", "run.micro_batch"])
            self.train(*wide, "run.micro_batch=64", "--dry-run")


class MicroBatch(ProgramTest):
    def setUp(self):
        super().setUp()
        self.deck = self.write("fast.yaml", json.dumps(FAST))

    def test_a_run_that_goes_on_keeps_its_own(self):
        self.train("run.micro_batch=16", directory="whole")
        self.train(directory="auto")
        self.assertEqual(micro_batches(self.folder / "auto"), [64])
        for ranks in (0, 2):
            name = f"run-{ranks}"
            self.train("run.micro_batch=16", "run.steps=3", directory=name)
            self.assertIn("micro-batch 16", self.train("--dry-run", directory=name).stdout)
            self.train("run.steps=6", directory=name, ranks=ranks)
            self.assertEqual(micro_batches(self.folder / name), [16, 16])
        self.train(directory="run-0")
        np.testing.assert_array_equal(losses(self.folder / "run-0"), losses(self.folder / "whole"))
        # Unless it is told another one, which then is its own.
        self.train("run.micro_batch=32", "run.steps=10", directory="run-0")
        self.train("run.steps=12", directory="run-0")
        self.assertEqual(micro_batches(self.folder / "run-0"), [16, 16, 16, 32, 32])

    def test_a_trajectory_without_it_is_still_read(self):
        self.train("run.steps=3", directory="run")
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            self.assertIn("samples", file["segments/micro_batch"].attrs["description"])
        self.onedge("sharpness", self.folder / "run/checkpoint-00000003.h5", "-o", self.folder / "spectrum.h5")
        with h5py.File(self.folder / "spectrum.h5", "r") as file:
            self.assertEqual(file.attrs["micro_batch"], 64)

    def test_one_that_no_longer_fits_gives_way_with_a_warning(self):
        wide = ("model.hidden=[2000]", "data.samples=8192", "run.block=64", "measure.evaluation.every=0")
        self.train(*wide, "run.steps=1", "run.micro_batch=8192")
        with mock.patch.dict(os.environ, {"SLURM_MEM_PER_NODE": "100"}):
            done = self.train(*wide, "run.steps=2")
        first, second = micro_batches(self.folder / "run")
        self.assertEqual(first, 8192)
        self.assertLess(second, 8192)
        self.assertIn("the micro-batch was 8192", done.stderr)
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            self.assertIn("the micro-batch was 8192", file["warnings/message"][0].decode())


if __name__ == "__main__":
    unittest.main()
