"""How a run goes on: after damage, after an interruption, under another deck, from another run."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from program import DECK, ProgramTest, forge, snapshot

import h5py
import numpy as np

NAME = "checkpoint-{:08d}.h5".format


def columns(path, group="steps"):
    with h5py.File(path, "r") as file:
        return {name: file[group][name][:] for name in file[group] if name != "seconds"}


class ResumeTest(ProgramTest):
    def assert_same(self, one, other, rows=slice(None)):
        one, other = (columns(self.folder / name / "trajectory.h5") for name in (one, other))
        self.assertEqual(one.keys(), other.keys())
        for name in one:
            np.testing.assert_array_equal(one[name][rows], other[name], err_msg=name)

    def flip(self, name, place=0.5):
        path = self.folder / name
        data = bytearray(path.read_bytes())
        data[int(place * len(data))] ^= 4
        path.write_bytes(data)
        return bytes(data)

    def first_steps(self, path):
        with h5py.File(path, "r") as file:
            return file["segments/first_step"][:].tolist()


class Damage(ResumeTest):
    def setUp(self):
        super().setUp()
        self.train(directory="whole")
        self.train("run.steps=6", directory="run")

    def test_the_checkpoint_before_a_damaged_one_is_used(self):
        damaged = self.flip("run/" + NAME(6))
        for ranks in (2, 0):
            done = self.train(directory="run", ranks=ranks)
            if ranks:
                for text in (NAME(6), "checksum does not hold", f"damaged-{NAME(6)}", f"goes on from {NAME(3)}"):
                    self.assertIn(text, done.stderr)
                    self.assertIn(text, (self.folder / "run/run.log").read_text())
                self.assertIn("going on from step 3", done.stdout)
        self.assert_same("whole", "run")
        self.assertEqual((self.folder / "run" / f"damaged-{NAME(6)}").read_bytes(), damaged)
        self.assertEqual(self.first_steps(self.folder / "run/trajectory.h5"), [0, 3])

    def test_with_no_whole_checkpoint_nothing_is_touched(self):
        for step in (0, 3, 6):
            self.flip("run/" + NAME(step), 0.1)
        before = snapshot(self.folder)
        done = self.train(directory="run", code=2)
        for step in (0, 3, 6):
            self.assertIn(NAME(step), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertEqual(snapshot(self.folder), before)
        self.train("--dry-run", directory="run", code=2)

    def test_a_damaged_trajectory_is_that_of_the_checkpoint(self):
        for contents in (b"", b"mine", self.flip("run/trajectory.h5"), None):
            path = self.folder / "again"
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(self.folder / "run", path)
            (path / "trajectory.h5").write_bytes(contents) if contents is not None else (path / "trajectory.h5").unlink()
            done = self.train(directory="again")
            self.assertIn("going on from step 6", done.stdout)
            self.assert_same("whole", "again")
            if contents is not None:
                self.assertEqual((path / "damaged-trajectory.h5").read_bytes(), contents)
                self.assertIn("trajectory.h5", done.stderr)
        # Without a checkpoint there is nothing to make it from.
        self.train("output.checkpoint.every=0", directory="none")
        self.flip("none/trajectory.h5")
        before = snapshot(self.folder)
        self.assertIn("trajectory.h5 is damaged", self.train("output.checkpoint.every=0", directory="none", code=2).stderr)
        self.assertEqual(snapshot(self.folder), before)

    def test_a_killed_writers_temporary_files_go_and_nobody_elses(self):
        for name in (f".{NAME(6)}.tmp", ".trajectory.h5.tmp", "notes.tmp", ".mine.h5.tmp"):
            (self.folder / "run" / name).write_text("x")
        self.train("run.steps=7", directory="run")
        left = {path.name for path in (self.folder / "run").iterdir() if path.suffix == ".tmp"}
        self.assertEqual(left, {"notes.tmp", ".mine.h5.tmp"})


class Rules(ResumeTest):
    def test_what_may_differ(self):
        self.train(directory="whole")
        self.train("run.steps=4", directory="run")
        self.train("run.micro_batch=8", "run.walltime=1:00:00", "run.stop.loss_above=1.0e+9", "output.publish=1.5",
                   "output.checkpoint.keep=1", "measure.sharpness.every=2", directory="run", ranks=2)
        self.assert_same("whole", "run")
        self.assertEqual(columns(self.folder / "run/trajectory.h5", "sharpness")["step"].tolist(), [4, 6])
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            self.assertIn("walltime: '1:00:00'", file.attrs["deck"])

    def test_anything_else_is_refused_with_both_values(self):
        self.train("run.steps=4", directory="run")
        before = snapshot(self.folder)
        for key, old, new in (("run.seed", "0", "1"), ("tuner.sigma", "1.0", "1.5"), ("optimizer.momentum", "0.5", "0.25"),
                              ("run.reduction", "reproducible", "fast"), ("run.branch", "''", "other.h5")):
            said = self.train(f"{key}={new}", directory="run", code=2).stderr
            self.assertIn(f"{key}: {old}, the deck {new}", said)
            self.assertIn("trajectory.h5", said)
        self.assertEqual(snapshot(self.folder), before)

    def test_a_deck_need_not_find_where_it_began(self):
        self.train("run.steps=2", directory="first")
        initial = (self.folder / "first" / NAME(2)).rename(self.folder / "initial.h5")
        for key in ("model.initial", "run.branch"):
            self.train(f"{key}={initial}", "run.steps=4", directory=key)
        initial.unlink()
        for key in ("model.initial", "run.branch"):
            self.train(f"{key}={initial}", "run.steps=5", directory=key)
            self.train(f"{key}={initial}", directory="new", code=2)
        self.assertFalse((self.folder / "new").exists())


class OtherVersions(ResumeTest):
    """Decks and files that another version of the program has stored."""

    def written_by(self, version, revision, deck="", files="*.h5"):
        def change(file):
            for group in (file, file.get("trajectory", file)):
                group.attrs["deck"] = group.attrs["deck"] + deck
                group.attrs["software_version"], group.attrs["git_revision"] = version, revision
        for path in (self.folder / "run").glob(files):
            forge(path, change)

    def test_a_key_that_this_version_does_not_know(self):
        self.train("run.steps=3")
        self.written_by("9.9.9", "abcdef0", "colour:\n  kind: red\n")
        before = snapshot(self.folder)
        checkpoint = self.folder / "run" / NAME(3)
        for done in (self.train(code=2), self.train("--dry-run", code=2), self.train(code=2, ranks=2),
                     self.train(f"run.branch={checkpoint}", directory="branch", code=2),
                     self.onedge("sharpness", checkpoint, "-k", 1, code=2)):
            for text in ("colour", "OnEdge 9.9.9 (abcdef0)"):
                self.assertIn(text, done.stderr)
        self.assertEqual(snapshot(self.folder), before)

    def test_another_revision_is_a_line_in_the_log(self):
        self.train("run.steps=3")
        self.assertNotIn("was written by", (self.folder / "run/run.log").read_text())
        self.train("run.steps=4")
        self.assertNotIn("was written by", (self.folder / "run/run.log").read_text())
        self.written_by("0.0.1", "0123abc", files=NAME(4))
        self.train("run.steps=5")
        self.assertIn(f"{NAME(4)} was written by OnEdge 0.0.1 (0123abc); this is OnEdge ",
                      (self.folder / "run/run.log").read_text())


class Branch(ResumeTest):
    def test_a_branch_with_the_same_stateless_tuner_is_the_same_run(self):
        deck = self.write("constant.yaml", json.dumps(
            {**DECK, "optimizer": {"kind": "adam"}, "tuner": {"kind": "constant", "learning_rate": 0.01},
             "measure": {"sharpness": {"every": 2}}, "batch": {"size": 24}}))
        self.train(deck=deck, directory="whole")
        self.train(f"run.branch={self.folder / 'whole' / NAME(3)}", deck=deck, directory="branch", ranks=2)
        self.assert_same("whole", "branch", rows=slice(3, None))
        whole, branch = (columns(self.folder / name / "trajectory.h5", "sharpness") for name in ("whole", "branch"))
        np.testing.assert_array_equal(whole["eigenvalues"][2:], branch["eigenvalues"])
        self.assertEqual(self.first_steps(self.folder / "branch/trajectory.h5"), [3])

    def test_another_tuner_goes_on_and_the_first_checkpoint_stays(self):
        self.train(directory="stem")
        stem = f"run.branch={self.folder / 'stem' / NAME(6)}"
        deck = self.write("line.yaml", json.dumps({**DECK, "tuner": {"kind": "linesearch"}}))
        for directory, steps in (("straight", [12]), ("halves", [8, 12])):
            for last in steps:
                self.train(stem, f"run.steps={last}", "output.checkpoint={every: 1, keep: 1}", deck=deck, directory=directory)
            kept = sorted(path.name for path in (self.folder / directory).glob("checkpoint-*"))
            self.assertEqual(kept, [NAME(6), NAME(12)])
        self.assert_same("straight", "halves")
        stem_loss = columns(self.folder / "stem/trajectory.h5")["loss"]
        rows = columns(self.folder / "straight/trajectory.h5")
        self.assertEqual(rows["step"].tolist(), list(range(6, 12)))
        self.assertEqual(rows["loss"][0], stem_loss[6])
        self.assertNotEqual(rows["update_cosine"][0], 0)  # the momentum, and the update before, came along

    def test_refusals(self):
        self.train("run.steps=6", directory="stem")
        stem = self.folder / "stem" / NAME(6)
        adam = self.write("adam.yaml", json.dumps({**DECK, "optimizer": {"kind": "adam"}}))
        said = self.train(f"run.branch={stem}", deck=adam, directory="branch", code=2).stderr
        self.assertIn("the optimizer momentum, the deck adam", said)
        for overrides, says in ((["run.branch=none.h5"], "none.h5"), ([f"run.branch={self.deck}"], "deck.yaml"),
                                ([f"run.branch={stem}", "run.steps=6"], "run.steps must be above"),
                                ([f"run.branch={stem}", "model.hidden=[8]"], "another model"),
                                ([f"run.branch={stem}", f"model.initial={stem}"], "model.initial")):
            self.assertIn(says, self.train(*overrides, directory="branch", code=2).stderr)
        self.assertFalse((self.folder / "branch").exists())


class Stop(ResumeTest):
    """tests/survive/stop.py stops runs in every way; here what the program says and leaves."""

    def start(self, *overrides, directory="run", **environment):
        running = subprocess.Popen(self.command("train", self.deck, "run.steps=100000000", "output.checkpoint.every=0",
                                                *overrides, "-d", self.folder / directory),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        return running

    def wait_for(self, path):
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    def check(self, running, said):
        out, err = running.communicate(timeout=60)
        self.assertEqual((running.returncode, err), (85, ""), out)
        self.assertIn(said, out)
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            steps = len(file["steps/step"])
            self.assertEqual(file.attrs["status"], "interrupted")
        # An interrupted run has a checkpoint, whatever the deck says.
        self.assertTrue((self.folder / "run" / NAME(steps)).exists())
        return steps

    def test_signal_and_file(self):
        running = self.start()
        self.wait_for(self.folder / "run/trajectory.h5")
        running.send_signal(signal.SIGUSR1)
        steps = self.check(running, "SIGUSR1")
        running = self.start()
        (self.folder / "run/stop").touch()
        more = self.check(running, "the file stop")
        self.assertGreaterEqual(more, steps)
        self.assertFalse((self.folder / "run/stop").exists())
        self.train(f"run.steps={more + 2}", "output.checkpoint.every=0")
        self.assertEqual(columns(self.folder / "run/trajectory.h5")["step"].tolist(), list(range(more + 2)))
        self.assertEqual(self.first_steps(self.folder / "run/trajectory.h5"), [0, steps, more])

    def test_time(self):
        begin = time.monotonic()
        steps = self.check(self.start("run.walltime=0:00:02"), "time is nearly up")
        self.assertLess(time.monotonic() - begin, 30)
        # A job whose end has come makes a step all the same, and none: no limit.
        late = {"SLURM_JOB_END_TIME": str(int(time.time()))}
        self.assertEqual(self.check(self.start(**late), "time is nearly up"), steps + 1)
        done = subprocess.run(self.command("train", self.deck, f"run.steps={steps + 5}", "run.walltime=none", "-d",
                                           self.folder / "run"), capture_output=True, env={**os.environ, **late}, timeout=60)
        self.assertEqual(done.returncode, 0)
        for bad in ("soon", "1:90:00", "-5", "1:00", "''"):
            self.assertIn("run.walltime", self.train(f"run.walltime={bad}", directory="bad", code=2).stderr)
        self.assertFalse((self.folder / "bad").exists())


if __name__ == "__main__":
    unittest.main()
