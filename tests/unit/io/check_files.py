"""Reads the files of test_interchange.cpp as a user with h5py would. Exit code 77: there is no h5py here."""
import sys
import unittest
import zlib

try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

FOLDER = sys.argv.pop()


class Trajectory(unittest.TestCase):
    def setUp(self):
        self.file = h5py.File(f"{FOLDER}/trajectory.h5", "r")
        self.addCleanup(self.file.close)

    def test_root_attributes(self):
        attributes = dict(self.file.attrs)
        self.assertEqual(set(attributes), {"format_version", "software_version", "git_revision", "deck", "command_line",
                                           "precision", "parameters", "samples", "status"})
        self.assertEqual(attributes["format_version"], 1)
        self.assertEqual(attributes["deck"], "run: {name: η}\n")
        self.assertEqual(attributes["precision"], "double")
        self.assertEqual((attributes["parameters"], attributes["samples"]), (23, 4096))
        self.assertEqual(attributes["status"], "finished")
        for name in ("software_version", "git_revision", "command_line"):
            self.assertIsInstance(attributes[name], str)

    def test_members(self):
        self.assertEqual(set(self.file), {"segments", "warnings", "steps", "sharpness"})
        self.assertEqual(set(self.file["steps"]), {"step", "loss", "learning_rate", "evaluations"})

    def test_every_dataset_is_described_chunked_and_extensible(self):
        count = 0
        for group in self.file.values():
            for dataset in group.values():
                count += 1
                self.assertTrue(dataset.attrs["description"], dataset.name)
                self.assertIsInstance(dataset.attrs["units"], str)
                self.assertEqual(dataset.chunks[0], 4096, dataset.name)
                self.assertIsNone(dataset.maxshape[0], dataset.name)
        self.assertEqual(count, 11 + 2 + 4 + 9)

    def test_steps_are_dimension_scales(self):
        for name in ("steps", "sharpness", "warnings"):
            group = self.file[name]
            self.assertTrue(h5py.h5ds.is_scale(group["step"].id))
            for dataset in group.values():
                self.assertEqual(len(dataset), len(group["step"]), dataset.name)
                if dataset.name != group["step"].name:
                    self.assertEqual(dataset.dims[0]["step"], group["step"], dataset.name)

    def test_values(self):
        np.testing.assert_array_equal(self.file["steps/step"], np.arange(5))
        np.testing.assert_array_equal(self.file["steps/loss"], 1.0 / np.arange(1, 6))
        self.assertEqual(self.file["steps/evaluations"].dtype, np.int64)
        np.testing.assert_array_equal(self.file["sharpness/step"], [0, 2, 4])
        np.testing.assert_array_equal(self.file["sharpness/eigenvalues"], [[20, 10], [22, 10], [24, 10]])
        self.assertEqual(self.file["warnings/message"].asstr()[0], "η = 0: no curvature")
        self.assertEqual(self.file["segments/hosts"].asstr()[0], "node1,node2")
        self.assertEqual(len({len(column) for column in self.file["segments"].values()}), 1)


class Checkpoint(unittest.TestCase):
    def test_everything(self):
        with h5py.File(f"{FOLDER}/checkpoint-00000005.h5", "r") as file:
            kernel = file["parameters/dense_0/kernel"]
            self.assertEqual(kernel.dtype, np.float32)
            np.testing.assert_array_equal(kernel, np.arange(6).reshape(2, 3))
            np.testing.assert_array_equal(file["parameters/dense_0/bias"], [7, 8, 9])
            np.testing.assert_array_equal(file["optimizer/velocity"], np.full(9, 0.5))
            self.assertEqual(file["tuner"].attrs["learning_rate"], 0.1)
            self.assertEqual(set(file.attrs), {"format_version", "software_version", "git_revision", "deck", "step",
                                               "precision"})
            self.assertEqual(file.attrs["deck"], "run: {name: η}\n")
            self.assertEqual((file.attrs["step"], file.attrs["precision"]), (5, "single"))
        # The checksum behind what HDF5 sees.
        with open(f"{FOLDER}/checkpoint-00000005.h5", "rb") as file:
            contents = file.read()
        self.assertEqual(contents[-22:], b"onedge-crc32:%08x\n" % zlib.crc32(contents[:-22]))


if __name__ == "__main__":
    unittest.main()
