"""Sweeps: `onedge cases`, `onedge train --case`, and toy models with `onedge dynamics`."""
import json
import unittest

from program import DECK, ProgramTest, snapshot

import h5py
import numpy as np

SWEEP = {**DECK, "tuner": {"kind": "cdat"}, "sweep": {"tuner.sigma": [0.5, 1.0], "run.seed": {"from": 0, "to": 1}},
         "output": {"directory": "runs/sweep"}}
TOY = """run: {name: toy, steps: 30}
dynamics: {kind: b, rule: cdat, a: 0.05, b: 0.1, nu: 0.1, learning_rate: 0.05, sharpness: 18.0, p: 4.0, g: 4.0}
sweep: {dynamics.sigma: [2.0, 1.9]}
"""


class Sweep(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sweep = self.write("sweep.yaml", json.dumps(SWEEP))

    def cases(self, *arguments, deck=None):
        return self.onedge("cases", deck or self.sweep, *arguments).stdout.splitlines()

    def test_cases_are_listed(self):
        expected = ["0 tuner.sigma=0.5 run.seed=0", "1 tuner.sigma=0.5 run.seed=1", "2 tuner.sigma=1.0 run.seed=0",
                    "3 tuner.sigma=1.0 run.seed=1"]
        self.assertEqual(self.cases(), expected)
        self.assertEqual(self.onedge("cases", self.sweep, ranks=2).stdout.splitlines(), expected)
        self.assertEqual(self.cases("sweep.run.seed=[3]"), ["0 tuner.sigma=0.5 run.seed=3", "1 tuner.sigma=1.0 run.seed=3"])
        lists = self.write("lists.yaml", json.dumps({**DECK, "sweep": {"model.hidden": [[5], [5, 5]]}}))
        self.assertEqual(self.cases(deck=lists), ["0 'model.hidden=[5]'", "1 'model.hidden=[5, 5]'"])

    def test_a_case_runs_in_a_directory_of_its_own_and_is_missing_no_more(self):
        self.onedge("train", self.sweep, "--case", 2)
        run = self.folder / "runs/sweep/case-0002/trajectory.h5"
        with h5py.File(run, "r") as file:
            deck = file.attrs["deck"]
        self.assertIn("sigma: 1.0", deck)
        self.assertNotIn("sweep:", deck)
        self.assertEqual([line[0] for line in self.cases("--missing")], ["0", "1", "3"])
        # More steps make it missing again; there is no checkpoint, so that is an error with a reason.
        self.assertIn("case-0002", self.onedge("cases", self.sweep, "run.steps=9", "--missing", code=2).stderr)
        # Elsewhere nothing is there.
        self.assertEqual(len(self.cases("--missing", "-d", self.folder / "other")), 4)
        self.onedge("train", self.sweep, "--case", 0, "-d", self.folder / "other")
        self.assertEqual(len(self.cases("--missing", "-d", self.folder / "other")), 3)
        self.assertTrue((self.folder / "other/case-0000/trajectory.h5").exists())

    def test_a_diverged_case_is_not_missing(self):
        self.onedge("train", self.sweep, "run.stop.loss_above=0.0", "--case", 1, code=3)
        self.assertEqual([line[0] for line in self.cases("run.stop.loss_above=0.0", "--missing")], ["0", "2", "3"])

    def test_dry_run_shows_the_first_case_or_the_one_that_is_named(self):
        before = snapshot(self.folder)
        shown = self.onedge("train", self.sweep, "--dry-run").stdout
        self.assertIn("sigma: 0.5", shown)
        self.assertIn("# sweep: 4 cases", shown)
        self.assertIn("sigma: 1.0", self.onedge("train", self.sweep, "--dry-run", "--case", 3).stdout)
        self.assertEqual(snapshot(self.folder), before)

    def refuse(self, *arguments, says, deck=None, command="train", ranks=0):
        before = snapshot(self.folder)
        done = self.onedge(command, deck or self.sweep, *arguments, code=2, ranks=ranks)
        ours = [line for line in done.stderr.splitlines() if line.startswith("onedge: ")]
        self.assertEqual(len(ours), 1, done.stderr)
        for text in says:
            self.assertIn(text, ours[0])
        self.assertEqual(snapshot(self.folder), before)

    def test_bad_input(self):
        self.refuse(says=["sweep.yaml", "4 cases", "--case"])
        self.refuse("--case", 4, says=["--case 4", "0 to 3"])
        self.refuse("--case", 4, says=["--case 4"], ranks=2)
        self.refuse("--case", -1, says=["--case"])
        self.refuse("--case", 0, deck=self.deck, says=["no section sweep"])
        self.refuse(deck=self.deck, command="cases", says=["no section sweep"])
        self.refuse("--case", 0, "run.seed=3", says=["run.seed", "sweep"])
        # A misspelt key in any case, with its line, before the first one is run.
        wrong = self.write("wrong.yaml", "data: {set: synthetic, samples: 64}\nsweep:\n  parts:\n"
                                         "    good: {tuner.sigma: 1.0}\n    bad: {tuner.sigmaa: 1.0}\n")
        self.refuse(deck=wrong, command="cases", says=["wrong.yaml:5", "tuner.sigmaa", "sigma?"])
        self.refuse("--dry-run", deck=wrong, says=["wrong.yaml:5", "tuner.sigmaa"])


class Gain(ProgramTest):
    def test_losses_after_a_greedy_step_and_one_on_the_edge(self):
        for sigma, column in ((1.0, "greedy"), (2.0, "on_edge")):
            self.train(f"tuner.sigma={sigma}", "tuner.ema=0.0", "measure.gain.every=1",
                       "output.checkpoint.every=3", directory=column, ranks=2 if sigma == 2 else 0)
            with h5py.File(self.folder / column / "trajectory.h5", "r") as file:
                loss, gain = file["steps/loss"][:], {name: file["gain"][name][:] for name in file["gain"]}
            # The run itself takes one of these steps.
            np.testing.assert_allclose(gain[column][:-1], loss[1:], rtol=1e-12)
            self.assertTrue(np.all(gain["greedy"] != gain["on_edge"]))
            self.assertEqual(gain["step"].tolist(), list(range(8)))

    def test_measuring_changes_no_step(self):
        for tuner in ({"kind": "constant", "learning_rate": 0.1}, {"kind": "linesearch"},
                      {"kind": "cdat", "every": 3, "curvature": "gauss_newton"}):
            deck = self.write("deck.yaml", json.dumps({**DECK, "tuner": tuner}))
            tables = []
            for every in (0, 2):
                name = f"{tuner['kind']}{every}"
                self.train(f"measure.gain.every={every}", "measure.sharpness.every=4", deck=deck, directory=name)
                with h5py.File(self.folder / name / "trajectory.h5", "r") as file:
                    tables.append({f"{group}/{column}": file[group][column][:] for group in file
                                   if group not in ("segments", "warnings", "gain") for column in file[group]
                                   if column != "seconds"})
                    self.assertEqual("gain" in file, every > 0)
            self.assertEqual(tables[0].keys(), tables[1].keys())
            for column, values in tables[0].items():
                np.testing.assert_array_equal(values, tables[1][column], err_msg=column)


class Dynamics(ProgramTest):
    def test_toy_models_are_written_as_trajectories(self):
        deck = self.write("toy.yaml", TOY)
        self.assertEqual(self.onedge("cases", deck, "--missing").stdout.count("\n"), 2)
        self.onedge("dynamics", deck)
        self.assertEqual(self.onedge("cases", deck, "--missing").stdout, "")
        for index, sigma in enumerate((2.0, 1.9)):
            with h5py.File(self.folder / f"runs/toy/case-{index:04d}/trajectory.h5", "r") as file:
                self.assertEqual(file.attrs["status"], "finished")
                steps = {name: file["steps"][name][:] for name in file["steps"]}
                self.assertTrue(all(file["steps"][name].attrs["description"] for name in steps))
            np.testing.assert_array_equal(steps["step"], np.arange(30))
            np.testing.assert_allclose(steps["y"], steps["learning_rate"] * steps["sharpness"] - 2, atol=1e-12)
            lambda0, nu = 18.0, 0.1
            self.assertAlmostEqual(steps["learning_rate"][1],
                                   sigma * (lambda0**2 + nu**2) / (lambda0**3 + nu**3), places=12)
            np.testing.assert_allclose(steps["p"][1:], (1 + steps["y"][:-1]) ** 2 * steps["p"][:-1], rtol=1e-12)
        before = snapshot(self.folder)
        self.assertIn("already finished", self.onedge("dynamics", deck).stdout)
        self.assertEqual(snapshot(self.folder), before)

    def test_one_case_divergence_and_bad_input(self):
        deck = self.write("toy.yaml", TOY)
        self.onedge("dynamics", deck, "--case", 1, "-d", "one")
        self.assertEqual([path.name for path in (self.folder / "one").iterdir()], ["case-0001"])
        self.onedge("dynamics", deck, "sweep.dynamics.sigma=[2.1]", "run.steps=300", "-d", "far", code=3)
        with h5py.File(self.folder / "far/case-0000/trajectory.h5", "r") as file:
            self.assertEqual(file.attrs["status"], "diverged")
            self.assertTrue(all(np.all(np.isfinite(file["steps"][name][:])) for name in file["steps"]))
            self.assertLess(len(file["steps/step"]), 200)
        before = snapshot(self.folder)
        for arguments, says in ((["--case", 2], "0 to 1"), (["run.steps=31", "-d", "far"], "another deck"),
                                (["sweep.dynamics.sigmma=[1]"], "sigmma"), (["dynamics.nu=x"], "dynamics.nu")):
            done = self.onedge("dynamics", deck, *arguments, code=2)
            self.assertIn(says, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1)
        self.assertIn("dynamics", self.onedge("train", deck, "--case", 0, code=2).stderr)
        self.assertIn("dynamics.a: is required", self.onedge("dynamics", self.deck, code=2).stderr)
        self.assertEqual(snapshot(self.folder), before)


if __name__ == "__main__":
    unittest.main()
