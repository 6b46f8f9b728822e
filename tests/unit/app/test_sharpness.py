"""Sharpness in a run and at its checkpoints: `measure.sharpness`, the tuner `sharpness`, `onedge sharpness`."""
import json
import unittest

from program import DECK, ProgramTest

import h5py
import numpy as np

MEASURE = ("measure.sharpness.every=2", "measure.sharpness.count=2",
           "measure.sharpness.operators=[hessian, preconditioned_hessian, gauss_newton, negative_hessian]",
           "measure.sharpness.tolerance=1.0e-6")
TABLES = ("sharpness", "preconditioned_sharpness", "gauss_newton_sharpness", "lowest_curvature")


def table(path, name):
    with h5py.File(path, "r") as file:
        return {column: file[name][column][:] for column in file[name]}


class Sharpness(ProgramTest):
    def setUp(self):
        super().setUp()
        self.deck = self.with_sections(optimizer={"kind": "adam"})

    def with_sections(self, **sections):
        return self.write("deck.yaml", json.dumps(DECK | sections))

    def tables(self, run):
        return {name: table(self.folder / run / "trajectory.h5", name) for name in TABLES}

    def assert_same(self, one, other):
        for name in one:
            for column in one[name].keys() - {"seconds"}:
                np.testing.assert_array_equal(one[name][column], other[name][column], err_msg=f"{name}/{column}")

    def test_a_run_records_every_operator(self):
        self.train(*MEASURE)
        found = self.tables("run")
        steps = table(self.folder / "run/trajectory.h5", "steps")
        for name, rows in found.items():
            np.testing.assert_array_equal(rows["step"], [0, 2, 4, 6])
            self.assertEqual(rows["eigenvalues"].shape, (4, 2))
            self.assertTrue(np.all(rows["converged"] == 1), name)
            np.testing.assert_array_equal(rows["edge"], steps["learning_rate"][::2] * rows["eigenvalues"][:, 0])
            self.assertTrue(np.all((rows["alignment"] > 0) & (rows["alignment"] <= 1 + 1e-12)))
            sign = -1 if name == "lowest_curvature" else 1
            self.assertTrue(np.all(sign * rows["eigenvalues"][:, 0] >= sign * rows["eigenvalues"][:, 1]))
        # G is positive semi-definite, and below H's top only by what the second derivatives of the network add.
        self.assertTrue(np.all(found["gauss_newton_sharpness"]["eigenvalues"] > 0))
        self.assertTrue(np.all(found["lowest_curvature"]["eigenvalues"] < found["sharpness"]["eigenvalues"]))

    def test_measuring_changes_no_step(self):
        self.train(directory="plain")
        self.train(*MEASURE, directory="measured")
        plain, measured = (table(self.folder / run / "trajectory.h5", "steps") for run in ("plain", "measured"))
        for column in plain.keys() - {"seconds"}:
            np.testing.assert_array_equal(plain[column], measured[column], err_msg=column)

    def test_half_and_half_is_the_whole_bit_for_bit_on_other_ranks(self):
        for tuner in ({"kind": "cdat"}, {"kind": "sharpness", "operator": "preconditioned_hessian", "sigma": 10.0}):
            with self.subTest(tuner=tuner):
                self.with_sections(optimizer={"kind": "adam"}, tuner=tuner)
                arguments = (*MEASURE, "output.checkpoint.every=2")
                whole, half = f"whole-{tuner['kind']}", f"half-{tuner['kind']}"
                self.train(*arguments, directory=whole)
                self.train(*arguments, "run.steps=4", directory=half, ranks=2)
                self.train(*arguments, directory=half, ranks=3)
                self.assert_same(self.tables(whole), self.tables(half))
                steps = [table(self.folder / run / "trajectory.h5", "steps") for run in (whole, half)]
                np.testing.assert_array_equal(steps[0]["loss"], steps[1]["loss"])

    def test_count_may_change_on_the_way(self):
        self.train(*MEASURE, "run.steps=4", "output.checkpoint.every=2")
        self.train(*MEASURE, "measure.sharpness.count=3", "measure.sharpness.every=1", "output.checkpoint.every=2")
        rows = self.tables("run")["sharpness"]
        np.testing.assert_array_equal(rows["step"], [0, 2, 4, 5, 6, 7])
        self.assertTrue(np.all(np.isnan(rows["eigenvalues"][:2, 2])))
        self.assertTrue(np.all(np.isfinite(rows["eigenvalues"][2:])))

    def test_tracking_asks_for_more_eigenvalues_above_the_threshold(self):
        self.train("measure.sharpness={every: 2, track_above: 0.01, maximum_count: 5}")
        rows = table(self.folder / "run/trajectory.h5", "sharpness")
        rate = table(self.folder / "run/trajectory.h5", "steps")["learning_rate"][::2]
        asked = np.isfinite(rows["eigenvalues"]).sum(axis=1)
        self.assertTrue(np.all(np.diff(asked) >= 0))
        self.assertGreater(asked[-1], 1)
        for count, values, eta in zip(asked, rows["eigenvalues"], rate):
            self.assertTrue(count == 5 or eta * values[count - 1] <= 0.01)

    def test_the_tuner_stays_on_its_line(self):
        self.with_sections(tuner={"kind": "sharpness", "sigma": 1.5, "tolerance": 1e-9})
        self.train("measure.sharpness={every: 1, tolerance: 1.0e-9}")
        np.testing.assert_allclose(table(self.folder / "run/trajectory.h5", "sharpness")["edge"], 1.5, rtol=1e-12)
        self.assertTrue(np.all(table(self.folder / "run/trajectory.h5", "steps")["evaluations"] > 1))

    def test_a_measurement_that_does_not_converge_is_recorded_and_ends_nothing(self):
        self.train("measure.sharpness={every: 2, tolerance: 1.0e-14, maximum_products: 4}")
        rows = table(self.folder / "run/trajectory.h5", "sharpness")
        self.assertTrue(np.all(rows["converged"] == 0))
        self.assertTrue(np.all(rows["eigenvalues"] > 0))
        self.assertTrue(np.all(rows["residuals"] > 1e-14))

    def test_a_checkpoint_has_the_eigenvalues_of_its_step(self):
        self.train(*MEASURE, "output.checkpoint.every=2")
        said = self.onedge("sharpness", self.folder / "run/checkpoint-00000004.h5", "--operators",
                           "hessian,preconditioned_hessian,gauss_newton,negative_hessian", "-k", 2, "--tolerance",
                           "1e-6", "--vectors", "--density", "--probes", 2, "--steps", 10, ranks=2)
        self.assertIn("preconditioned_hessian", said.stdout)
        names = ("hessian", "preconditioned_hessian", "gauss_newton", "negative_hessian")
        with h5py.File(self.folder / "run/sharpness-00000004.h5", "r") as file:
            self.assertEqual(file.attrs["step"], 4)
            for name, rows in zip(names, self.tables("run").values()):
                sign = -1 if name == "negative_hessian" else 1
                np.testing.assert_allclose(file[name]["eigenvalues"], rows["eigenvalues"][2], rtol=1e-9, err_msg=name)
                self.assertEqual("density_nodes" in file[name], sign > 0)  # H and −H have one density
                if sign > 0:
                    np.testing.assert_allclose(file[name]["density_weights"][:].sum(axis=1), 1, rtol=1e-12)
                    self.assertLessEqual(file[name]["density_nodes"][:].max(), file[name]["eigenvalues"][0] + 1e-9)
                vectors = [file[name][f"eigenvector_{i}"][:] for i in range(2)]
                np.testing.assert_allclose([[a @ b for a in vectors] for b in vectors], np.eye(2), atol=1e-9)

    def test_the_negative_hessian_alone_has_the_density_of_the_hessian(self):
        self.train("output.checkpoint.every=4")
        checkpoint, densities = self.folder / "run/checkpoint-00000004.h5", []
        for name in ("hessian", "negative_hessian"):
            output = self.folder / f"{name}.h5"
            self.onedge("sharpness", checkpoint, "--operators", name, "--density", "--steps", 10, "-o", output)
            with h5py.File(output, "r") as file:
                densities.append((file[name]["density_nodes"][:], file[name]["density_weights"][:]))
        np.testing.assert_allclose(densities[0], densities[1], rtol=1e-9, atol=1e-12)

    def test_mistakes_are_named(self):
        self.train("output.checkpoint.every=4")
        checkpoint = self.folder / "run/checkpoint-00000004.h5"
        for arguments, message in ((["nothing.h5"], "nothing.h5"),
                                   ([self.deck], "deck.yaml"),
                                   ([checkpoint, "tuner.sigma=2"], "tuner.sigma=2"),
                                   ([checkpoint, "data.sample=2"], "did you mean"),
                                   ([checkpoint, "--operators", "hesian"], "hesian"),
                                   ([checkpoint, "-k", 1000], "parameters"),
                                   ([checkpoint, "data.features=6"], "dense_0"),
                                   ([checkpoint, "-o", self.folder / "none/x.h5"], "none")):
            with self.subTest(arguments=arguments):
                failed = self.onedge("sharpness", *arguments, ranks=2, code=2)
                self.assertIn(message, failed.stderr)
                self.assertEqual(failed.stderr.count("onedge:"), 1)
        for override, message in (("measure.sharpness={every: 1, operators: [hessian, hesian]}", "'hesian'"),
                                  ("measure.sharpness={every: 1, operators: []}", "operators"),
                                  ("measure.sharpness={every: 1, operators: [hessian, hessian]}", "twice"),
                                  ("measure.sharpness={every: 1, count: 60}", "parameters"),
                                  ("measure.sharpness={every: 1, count: 2, solver: power}", "power"),
                                  ("measure.sharpness={every: 1, block: 0}", "block")):
            with self.subTest(override=override):
                self.assertIn(message, self.train("model.hidden=[3]", override, directory="bad", code=2).stderr)

    def test_all_eigenvalues_of_a_small_model_are_found(self):
        self.train("model.hidden=[3]", "measure.sharpness={every: 4, count: 30}")
        self.onedge("sharpness", self.folder / "run/checkpoint-00000003.h5", "-k", 30, "-o", self.folder / "all.h5")
        rows = table(self.folder / "run/trajectory.h5", "sharpness")
        self.assertTrue(np.all(rows["converged"] == 1))
        self.assertTrue(np.all(rows["solver"] == 5), "a Krylov space would fill all dimensions")
        self.assertTrue(np.all(rows["hvps"] == 30))

    def test_tracking_ends_at_all_eigenvalues_of_a_small_model(self):
        self.train("model.hidden=[]", "data.features=2", "measure.sharpness={every: 4, track_above: -1000.0}")
        self.assertEqual(table(self.folder / "run/trajectory.h5", "sharpness")["eigenvalues"].shape, (2, 9))


if __name__ == "__main__":
    unittest.main()
