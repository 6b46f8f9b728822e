"""`onedge train`, start to end: what it writes, how it goes on, how it ends."""
import fcntl
import json
import signal
import subprocess
import threading
import time
import unittest

from program import DECK, ProgramTest, snapshot

import h5py
import numpy as np

STEPS = {"step", "loss", "data_loss", "learning_rate", "slope", "curvature", "gradient_norm", "update_norm",
         "update_cosine", "evaluations", "seconds"}
TIMES = {"seconds"}  # differ from run to run


def columns(path, group="steps"):
    with h5py.File(path, "r") as file:
        return {name: file[group][name][:] for name in file[group]}


def parameters(path):
    with h5py.File(path, "r") as file:
        found = {}
        file["parameters"].visititems(
            lambda name, item: found.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
        return found


class Training(ProgramTest):
    def assert_same(self, one, other):
        self.assertEqual(one.keys(), other.keys())
        for name in one.keys() - TIMES:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)

    def check_steps(self, path, steps):
        rows = columns(path)
        self.assertEqual(rows.keys(), STEPS)
        np.testing.assert_array_equal(rows["step"], np.arange(steps))
        for name, values in rows.items():
            self.assertTrue(np.all(np.isfinite(values)), name)
        # The formulas between the columns: w' = w + ηu, η = σn/d with averages, f = data loss + weight decay.
        self.assertTrue(np.all(rows["loss"] > rows["data_loss"]))
        self.assertTrue(np.all(rows["evaluations"] == 1))
        self.assertTrue(np.all(np.abs(rows["update_cosine"]) <= 1 + 1e-12))
        self.assertEqual(rows["update_cosine"][0], 0)
        slope, curvature = rows["slope"][0], rows["curvature"][0]
        self.assertAlmostEqual(rows["learning_rate"][0], -slope / abs(curvature), delta=1e-12)
        self.assertAlmostEqual(slope, -rows["gradient_norm"][0] ** 2, delta=1e-12)  # the first momentum step is -g
        return rows

    def check_attributes(self, path, ranks):
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs)
            self.assertEqual(attributes["format_version"], 1)
            self.assertEqual(attributes["status"], "finished")
            self.assertEqual(attributes["precision"], "double")
            self.assertEqual(attributes["parameters"], 5 * 7 + 7 + 7 * 3 + 3)
            self.assertEqual(attributes["samples"], 64)
            self.assertIn("train", attributes["command_line"])
            self.assertRegex(attributes["software_version"], r"^\d+\.\d+\.\d+")
            self.assertTrue(attributes["git_revision"])
            segments = file["segments"]
            self.assertEqual(segments["first_step"][:].tolist(), [0])
            self.assertEqual(segments["ranks"][:].tolist(), [ranks])
            for name in ("backend", "devices", "communicator", "hosts", "job_id", "revision", "time"):
                self.assertEqual(len(segments[name]), 1, name)
            for group in ("steps", "evaluation"):
                for name, dataset in file[group].items():
                    self.assertTrue(dataset.attrs["description"], name)
                    self.assertIn("units", dataset.attrs, name)
                    self.assertEqual((dataset.chunks[0], dataset.maxshape[0]), (4096, None), name)
            self.assertTrue(h5py.h5ds.is_scale(file["steps/step"].id))
            self.assertEqual(file["steps/loss"].dims[0][0], file["steps/step"])
            return attributes["deck"]

    def test_a_run_writes_trajectory_log_and_checkpoints(self):
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                name = f"run{ranks}"
                done = self.train(directory=name, ranks=ranks)
                run = self.folder / name
                self.assertEqual(done.stderr, "")
                files = {path.name for path in run.iterdir()} - {".lock"}
                checkpoints = [f"checkpoint-{step:08d}.h5" for step in (0, 3, 6, 8)]
                self.assertEqual(files, {"trajectory.h5", "run.log", *checkpoints})
                rows = self.check_steps(run / "trajectory.h5", 8)
                self.assertLess(rows["loss"][-1], rows["loss"][0])
                self.check_attributes(run / "trajectory.h5", max(ranks, 1))
                evaluation = columns(run / "trajectory.h5", "evaluation")
                self.assertEqual(evaluation["step"].tolist(), [0, 3, 6])
                self.assertEqual(evaluation.keys(), {"step", "train_accuracy", "test_loss", "test_accuracy"})
                for number, name in enumerate(("train_accuracy", "test_accuracy")):
                    hits = evaluation[name] * (64, 32)[number]
                    np.testing.assert_allclose(hits, np.round(hits), atol=1e-9)
                log = (run / "run.log").read_text()
                self.assertIn("66 parameters, 64 samples", log)
                self.assertIn("finished", log)
                shapes = {name: value.shape for name, value in parameters(run / checkpoints[-1]).items()}
                self.assertEqual(shapes, {"dense_0/kernel": (5, 7), "dense_0/bias": (7,), "dense_1/kernel": (7, 3),
                                          "dense_1/bias": (3,)})
                self.assertTrue(np.all(parameters(run / checkpoints[0])["dense_0/bias"] == 0))
        self.assert_same(columns(self.folder / "run0/trajectory.h5"), columns(self.folder / "run2/trajectory.h5"))

    def test_the_stored_deck_is_the_deck(self):
        self.train("run.steps=2")
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            stored = file.attrs["deck"]
        with h5py.File(self.folder / "run/checkpoint-00000002.h5", "r") as file:
            self.assertEqual(file.attrs["deck"], stored)
        self.train("run.steps=2", directory="again", deck=self.write("stored.yaml", stored))
        self.assert_same(columns(self.folder / "run/trajectory.h5"), columns(self.folder / "again/trajectory.h5"))
        try:
            import yaml
        except ImportError:
            self.skipTest("no module yaml")
        deck = yaml.safe_load(stored)
        self.assertEqual(deck["run"]["steps"], 2)
        self.assertEqual(deck["loss"], {"kind": "cross_entropy", "weight_decay": 0.001})
        self.assertEqual(deck["tuner"]["epsilon"], 0.0)
        self.assertIsInstance(deck["tuner"]["probe"], float)

    def test_dry_run_shows_everything_and_writes_nothing(self):
        before = snapshot(self.folder)
        for ranks in (0, 2):
            shown = self.train("--dry-run", "tuner.sigma=1.5", directory="dry", ranks=ranks).stdout
            for text in ("sigma: 1.5", "epsilon: 0.0", "parameters: 66", "dense_0/kernel [5, 7]", "samples: 64",
                         "8 blocks of 8", f"{max(1, ranks)} rank", "memory per rank", "dry/trajectory.h5", "checkpoint"):
                self.assertIn(text, shown)
        self.assertFalse((self.folder / "dry").exists())
        self.assertEqual(snapshot(self.folder), before)
        # What it shows is a deck.
        self.train("--dry-run", deck=self.write("shown.yaml", shown))

    def test_a_finished_run_says_so(self):
        self.train("run.steps=2")
        before = snapshot(self.folder)
        self.assertIn("already finished", self.train("run.steps=2").stdout)
        self.assertIn("already finished", self.train("run.steps=2", ranks=2).stdout)
        self.assertIn("already finished: would write nothing", self.train("run.steps=2", "--dry-run").stdout)
        self.assertEqual(snapshot(self.folder), before)

    def test_half_and_half_is_the_whole_bit_for_bit(self):
        self.train(directory="whole")
        for name, ranks in (("alone", (0, 0)), ("more", (0, 2)), ("fewer", (2, 0))):
            with self.subTest(name):
                self.train("run.steps=4", directory=name, ranks=ranks[0])
                resumed = self.train("run.steps=8", "run.micro_batch=16", directory=name, ranks=ranks[1])
                self.assertIn("going on from step 4", resumed.stdout)
                path = self.folder / name / "trajectory.h5"
                self.assert_same(columns(self.folder / "whole/trajectory.h5"), columns(path))
                self.assert_same(columns(self.folder / "whole/trajectory.h5", "evaluation"), columns(path, "evaluation"))
                last = "checkpoint-00000008.h5"
                self.assert_same(parameters(self.folder / "whole" / last), parameters(self.folder / name / last))
                with h5py.File(path, "r") as file:
                    self.assertEqual(file["segments/first_step"][:].tolist(), [0, 4])
                    self.assertEqual(file["segments/ranks"][:].tolist(), [max(1, r) for r in ranks])

    def test_every_optimizer_and_tuner_goes_on_as_if_never_stopped(self):
        for optimizer in ("gd", "momentum", "rmsprop", "adam"):
            for tuner in ({"kind": "linesearch"}, {"kind": "cdat", "ema": 0.9, "every": 3},
                          {"kind": "hypergradient", "initial": 0.01}):
                if optimizer in ("momentum", "rmsprop") and tuner["kind"] != "cdat":
                    continue
                with self.subTest(optimizer=optimizer, tuner=tuner):
                    deck = {**DECK, "optimizer": {"kind": optimizer}, "tuner": tuner}
                    path = self.write("pair.yaml", json.dumps(deck))
                    name = f"{optimizer}-{tuner['kind']}"
                    self.train(deck=path, directory=name)
                    self.train("run.steps=5", deck=path, directory=name + "-half")
                    self.train(deck=path, directory=name + "-half")
                    whole, half = (self.folder / end / "trajectory.h5" for end in (name, name + "-half"))
                    self.assert_same(columns(whole), columns(half))
                    if "every" in tuner:
                        self.assert_same(columns(whole, "curvature"), columns(half, "curvature"))
                        self.assertEqual(columns(half, "curvature")["step"].tolist(), [0, 3, 6])

    def test_overrides_directory_and_name(self):
        self.onedge("train", self.deck, "run.name=alpha", "run.steps=1", "tuner.kind=constant", "tuner.sigma=1.0",
                    code=2)
        deck = self.write("plain.yaml", json.dumps({**DECK, "tuner": {"kind": "constant", "learning_rate": 0.5}}))
        self.onedge("train", deck, "run.name=alpha", "run.steps=2", "tuner.learning_rate=0.25")
        rows = columns(self.folder / "runs/alpha/trajectory.h5")
        self.assertEqual(rows["learning_rate"].tolist(), [0.25, 0.25])
        self.assertNotIn("curvature", rows)
        self.assertEqual(rows["evaluations"].tolist(), [0, 0])
        self.onedge("train", deck, "run.steps=1", "output.directory=beta")
        self.assertTrue((self.folder / "beta/trajectory.h5").exists())

    def test_fresh_wants_an_absent_or_empty_directory(self):
        self.onedge("train", self.deck, "run.steps=1", "--fresh", "-d", "new")
        (self.folder / "empty").mkdir()
        self.onedge("train", self.deck, "run.steps=1", "--fresh", "-d", "empty")
        before = snapshot(self.folder)
        done = self.onedge("train", self.deck, "run.steps=2", "--fresh", "-d", "new", code=2)
        self.assertIn("--fresh", done.stderr)
        self.assertEqual(snapshot(self.folder), before)

    def test_checkpoints_kept(self):
        self.train("output.checkpoint.every=1", "output.checkpoint.keep=2", directory="two")
        kept = sorted(path.name for path in (self.folder / "two").glob("checkpoint-*"))
        self.assertEqual(kept, [f"checkpoint-{step:08d}.h5" for step in (0, 7, 8)])
        self.train("output.checkpoint.every=0", directory="none")
        self.assertEqual(list((self.folder / "none").glob("checkpoint-*")), [])
        # Nothing to go on from: say so, and leave what is there.
        before = snapshot(self.folder)
        self.assertIn("checkpoint", self.train("output.checkpoint.every=0", "run.steps=9", directory="none", code=2).stderr)
        self.assertEqual(snapshot(self.folder), before)

    def test_publish_every_so_many_seconds(self):
        path = self.folder / "run/trajectory.h5"
        running = subprocess.Popen(
            self.command("train", self.deck, "run.steps=100000000", "output.publish=0.1", "output.checkpoint.every=0",
                         "-d", self.folder / "run"), stdout=subprocess.DEVNULL)
        try:
            deadline, seen = time.monotonic() + 30, set()
            while len(seen) < 3 and time.monotonic() < deadline:
                if path.exists():
                    rows = columns(path)
                    self.assertEqual({len(values) for values in rows.values()}, {len(rows["step"])})
                    seen.add(len(rows["step"]))
                time.sleep(0.05)
            self.assertGreaterEqual(len(seen), 3)
            with h5py.File(path, "r") as file:
                self.assertEqual(file.attrs["status"], "running")
        finally:
            running.kill()
            running.wait()

    def test_a_killed_run_goes_on_or_begins_again(self):
        for checkpoints, said in ((100, "going on from step"), (0, "step 0")):
            with self.subTest(checkpoints=checkpoints):
                name = f"killed{checkpoints}"
                running = subprocess.Popen(
                    self.command("train", self.deck, "run.steps=100000000", f"output.checkpoint.every={checkpoints}",
                                 "-d", self.folder / name), stdout=subprocess.DEVNULL)
                log = self.folder / name / "run.log"
                deadline = time.monotonic() + 30
                while not (log.exists() and "step" in log.read_text()) and time.monotonic() < deadline:
                    time.sleep(0.02)
                running.send_signal(signal.SIGKILL)
                running.wait()
                shown = self.train(f"output.checkpoint.every={checkpoints}", "run.steps=1", directory=name).stdout
                self.assertTrue(said in shown or "already finished" in shown or "going on" in shown, shown)

    def test_stops_at_a_loss(self):
        first = None
        self.train("run.stop.loss_below=1.0e+9", "run.steps=5", directory="below")
        rows = columns(self.folder / "below/trajectory.h5")
        self.assertEqual(rows["step"].tolist(), [0])
        first = rows["loss"][0]
        self.train("run.stop.loss_below=1.0e+9", "run.steps=5", directory="below")  # has already finished
        self.train(f"run.stop.loss_above={first / 2!r}", directory="above", code=3)
        with h5py.File(self.folder / "above/trajectory.h5", "r") as file:
            self.assertEqual(file.attrs["status"], "diverged")
            self.assertEqual(file["steps/step"][:].tolist(), [0])
            self.assertIn("loss_above", str(file["warnings/message"][-1]))
        self.train(f"run.stop.loss_above={10 * first!r}", "run.stop.loss_below=0.0", "run.steps=3", directory="neither")
        self.assertEqual(len(columns(self.folder / "neither/trajectory.h5")["step"]), 3)

    def test_the_limit_of_the_loss_may_be_raised_afterwards(self):
        overrides = ("run.steps=6", "tuner.sigma=0.5", "output.checkpoint.every=2")
        self.train(*overrides, directory="whole")
        losses = columns(self.folder / "whole/trajectory.h5")["loss"]
        limit = f"run.stop.loss_above={(losses[0] + losses[1]) / 2!r}"
        self.assertGreater(losses[0], losses[1])
        self.train(*overrides, limit, directory="run", code=3)
        before = snapshot(self.folder / "run")
        self.assertIn("already diverged", self.train(*overrides, limit, directory="run", code=3).stdout)
        self.assertIn("already diverged",
                      self.train(*overrides, "run.stop.loss_above=0.0", directory="run", code=3).stdout)
        self.assertEqual(snapshot(self.folder / "run"), before)
        self.train(*overrides, "run.stop.loss_above=1.0e+9", directory="run")
        self.assert_same(columns(self.folder / "whole/trajectory.h5"), columns(self.folder / "run/trajectory.h5"))
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            self.assertEqual((file.attrs["status"], len(file["warnings/step"])), ("finished", 0))
        # Where the loss is no number, no limit helps.
        deck = self.write("blown.yaml", json.dumps({**DECK, "tuner": {"kind": "constant", "learning_rate": 1e200}}))
        self.train("run.stop.loss_above=1.0e+300", deck=deck, directory="blown", code=3)
        self.train("run.stop.loss_above=1.0e+308", deck=deck, directory="blown", code=3)
        # Without a checkpoint there is nothing to go on from.
        none = "output.checkpoint.every=0"
        self.train(*overrides, limit, none, directory="none", code=3)
        self.assertIn("run.stop.loss_above", self.train(*overrides, none, directory="none", code=2).stderr)

    def test_model_initial(self):
        self.train(directory="first")
        source = self.folder / "first/checkpoint-00000006.h5"
        bare = self.folder / "weights.h5"
        with h5py.File(bare, "w") as file:
            for name, value in parameters(source).items():
                file[f"parameters/{name}"] = value
        for name, path in (("second", source), ("third", bare)):
            self.train(f"model.initial={path}", "run.steps=1", directory=name, ranks=2)
            self.assert_same(parameters(source), parameters(self.folder / name / "checkpoint-00000000.h5"))
            expected = columns(self.folder / "first/trajectory.h5")
            self.assertEqual(columns(self.folder / name / "trajectory.h5")["loss"][0], expected["loss"][6])
        # The other precision is rounded.
        self.train(f"model.initial={bare}", "run.precision=single", "run.steps=1", directory="single")
        rounded = parameters(self.folder / "single/checkpoint-00000000.h5")["dense_0/kernel"]
        self.assertEqual(rounded.dtype, np.float32)
        np.testing.assert_array_equal(rounded, parameters(source)["dense_0/kernel"].astype(np.float32))

    def test_seed_changes_the_weights_and_not_the_data(self):
        for seed in (0, 1):
            self.train(f"run.seed={seed}", "run.steps=1", directory=f"seed{seed}")
        one, other = (parameters(self.folder / f"seed{seed}/checkpoint-00000000.h5") for seed in (0, 1))
        self.assertTrue(np.any(one["dense_0/kernel"] != other["dense_0/kernel"]))
        initial = self.folder / "seed0/checkpoint-00000000.h5"
        self.train("run.seed=1", f"model.initial={initial}", "run.steps=1", directory="both")
        self.assertEqual(columns(self.folder / "both/trajectory.h5")["loss"][0],
                         columns(self.folder / "seed0/trajectory.h5")["loss"][0])


class Divergence(ProgramTest):
    def check(self, directory, rows):
        with h5py.File(self.folder / directory / "trajectory.h5", "r") as file:
            self.assertEqual(file.attrs["status"], "diverged")
            steps = file["steps"]
            self.assertGreaterEqual(len(steps["step"]), rows)
            for name in steps:
                self.assertTrue(np.all(np.isfinite(steps[name][:])), name)
            self.assertIn("diverged", str(file["warnings/message"][-1]))
            return len(steps["step"])

    def test_a_rate_that_is_too_large(self):
        deck = self.write("large.yaml", json.dumps({
            **DECK, "model": {"hidden": [7], "activation": "relu"}, "loss": {"kind": "squared_error"},
            "optimizer": {"kind": "gd"}, "tuner": {"kind": "constant", "learning_rate": 1e6}}))
        for ranks in (0, 2):
            for precision in ("single", "double"):
                name = f"{precision}{ranks}"
                done = self.train("run.steps=500", f"run.precision={precision}", deck=deck, directory=name, ranks=ranks,
                                  code=3)
                self.assertEqual(done.stderr.count("diverged"), 1, done.stderr)
                self.assertLess(self.check(name, 2), 500)
        # It stays so.
        self.assertIn("already diverged", self.train("run.steps=500", "run.precision=double", deck=deck,
                                                     directory="double0", code=3).stdout)

    def test_a_loss_that_is_infinite_from_the_start(self):
        x = np.random.default_rng(0).standard_normal((64, 5))
        x[40] = 1e200
        with h5py.File(self.folder / "large.h5", "w") as file:
            file["x"], file["y"] = x, np.arange(64) % 3
        for tuner in ("cdat", "linesearch", "polyak"):
            deck = self.write("large.yaml", json.dumps({
                **DECK, "data": {"set": "hdf5", "path": str(self.folder / "large.h5")}, "tuner": {"kind": tuner},
                "model": {"kind": "linear"}, "loss": {"kind": "squared_error"}}))
            for ranks in (0, 2) if tuner == "cdat" else (0,):
                self.train(deck=deck, directory=f"{tuner}{ranks}", ranks=ranks, code=3)
                self.assertEqual(self.check(f"{tuner}{ranks}", 0), 0)


class Patience(ProgramTest):
    def test_a_second_process_waits_for_the_first(self):
        self.train("run.steps=1")
        with open(self.folder / "run/.lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            release = threading.Timer(2.0, fcntl.flock, (lock, fcntl.LOCK_UN))
            release.start()
            begin = time.monotonic()
            self.assertIn("going on from step 1", self.train("run.steps=2").stdout)
            self.assertGreater(time.monotonic() - begin, 1.5)
            release.join()


if __name__ == "__main__":
    unittest.main()
