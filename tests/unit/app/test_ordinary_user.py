"""What an ordinary user meets: folders that are closed, names that are too long, readers that leave. Root may write
anywhere, so these tests become the user `nobody` where root runs them."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import PROGRAM, ProgramTest, snapshot

NOBODY = 65534


class OrdinaryUser(ProgramTest):
    @classmethod
    def setUpClass(cls):
        # A build folder may be closed to others.
        cls.programs = Path(tempfile.mkdtemp(prefix="onedge-program-"))
        cls.addClassCleanup(shutil.rmtree, cls.programs, ignore_errors=True)
        cls.programs.chmod(0o755)
        cls.program = shutil.copy(PROGRAM, cls.programs / "onedge")

    def setUp(self):
        super().setUp()
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+rwX", self.folder])
        self.give_away()

    def give_away(self):
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def as_user(self, **options):
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        environment = {**os.environ, "HOME": str(self.folder), "TMPDIR": "/tmp"}
        return {"cwd": self.folder, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
                **user, **options}

    def onedge(self, *arguments, code=0, ranks=0, **options):
        self.assertEqual(ranks, 0)
        done = subprocess.run([self.program, *map(str, arguments)], timeout=100, **self.as_user(**options))
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def test_a_closed_folder_is_refused_for_its_reason(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0o555)
        self.give_away()
        for directory in ("closed", "closed/run"):
            for more in ([], ["--dry-run"]):
                said = self.train(*more, directory=directory, code=2).stderr
                self.assertIn(f"cannot write in {closed}: Permission denied", said)
        closed.chmod(0)
        self.assertIn("Permission denied", self.train(directory="closed/run", code=2).stderr)
        self.assertIn("Permission denied", self.train(f"model.initial={closed}/x.h5", directory="run", code=2).stderr)

    def test_a_finished_run_needs_neither_a_pen_nor_its_data(self):
        self.train("run.steps=3")
        run, checkpoint = self.folder / "run", self.folder / "run/checkpoint-00000003.h5"
        run.chmod(0o555)
        before = snapshot(run)
        for more in ([], ["--dry-run"]):
            self.assertIn("already finished", self.train("run.steps=3", *more).stdout)
        self.assertIn("Permission denied", self.train("run.steps=4", code=2).stderr)
        self.assertIn("Permission denied", self.onedge("sharpness", checkpoint, "-k", 1, code=2).stderr)
        self.onedge("sharpness", checkpoint, "-k", 1, "-o", self.folder / "sharpness.h5")
        self.assertEqual(snapshot(run), before)
        (run / "trajectory.h5").chmod(0)
        self.assertIn("Permission denied", self.train("run.steps=3", code=2).stderr)

    def test_a_finished_toy_too(self):
        deck = self.write("toy.yaml", "run: {steps: 5}\ndynamics: {kind: a, rule: constant, a: 0.1, b: 0.2, learning_rate: 0.1, sharpness: 1.0, p: 0.1}\n")
        self.give_away()
        self.onedge("dynamics", deck, "-d", "toy")
        (self.folder / "toy").chmod(0o555)
        self.assertIn("already finished", self.onedge("dynamics", deck, "-d", "toy").stdout)

    def test_names_that_are_too_long(self):
        name = 300 * "x"
        for arguments in (["train", self.deck, "-d", name], ["train", self.deck, f"run.name={name}"],
                          ["train", self.deck, "-d", f"{name}/run", "--dry-run"], ["train", name + ".yaml"],
                          ["train", self.deck, f"model.initial={name}"], ["train", self.deck, f"run.branch={name}"],
                          ["train", self.write("m.yaml", "data: {set: mnist, path: %s}\n" % name), "-d", "run"],
                          ["train", self.write("c.yaml", "data: {set: cifar10, path: %s}\n" % name), "-d", "run"],
                          ["train", self.write("h.yaml", "data: {set: hdf5, path: %s}\n" % name), "-d", "run"],
                          ["train", self.write("t.yaml", "data: {set: text, path: %s}\nmodel: {kind: nanolm}\n" % name)],
                          ["train", self.write("i.yaml", "data: {set: images, path: %s}\n" % name), "-d", "run"],
                          ["sharpness", name], ["dynamics", self.write("d.yaml", "dynamics: {kind: a, rule: constant, a: 0.1, b: 0.2, learning_rate: 0.1, sharpness: 1.0, p: 0.1}\n"), "-d", name]):
            with self.subTest(arguments=arguments[1:]):
                said = self.onedge(*arguments, code=2).stderr
                self.assertIn("xxx", said)
                self.assertEqual(said.count("\n"), 1)
        self.train("run.steps=1")
        for output in (name, 252 * "x"):  # the second leaves no room for .NAME.tmp
            said = self.onedge("sharpness", "run/checkpoint-00000001.h5", "-k", 1, "-o", output, code=2)
            self.assertIn("File name too long", said.stderr)
            self.assertEqual(said.stdout, "")

    def test_the_lock_follows_the_umask(self):
        for umask, mode in ((0o002, 0o664), (0o077, 0o600)):
            self.train("run.steps=1", directory=f"run-{umask}", umask=umask)
            for name in (".lock", "run.log", "trajectory.h5"):
                path = self.folder / f"run-{umask}" / name
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode, path)

    def train(self, *overrides, directory="run", deck=None, code=0, **options):
        return self.onedge("train", deck or self.deck, *overrides, "-d", self.folder / directory, code=code, **options)

    def test_a_reader_that_leaves_ends_nothing(self):
        reading, writing = os.pipe()
        running = subprocess.Popen([self.program, "train", self.deck, "-d", self.folder / "run"],
                                   **self.as_user(stdout=writing))
        os.close(reading)
        os.close(writing)
        _, said = running.communicate(timeout=100)
        self.assertEqual(running.returncode, 0, said)
        self.assertIn("finished", (self.folder / "run/run.log").read_text())


if __name__ == "__main__":
    unittest.main()
