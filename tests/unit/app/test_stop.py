"""Stops that come early: every start makes a step and its checkpoint, or does not end with 85. Stops of a running one:
test_resume.py."""
import os
import re
import signal
import subprocess
import time
import unittest
from pathlib import Path

from program import ProgramTest

import h5py

SIGNALS = [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGHUP]


def catches(process, number):
    """Whether it has a handler for this signal."""
    try:
        caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
    except OSError:
        return False
    return caught is not None and int(caught[1], 16) >> (number - 1) & 1 == 1


class Early(ProgramTest):
    def wait_for_handler(self, running, number):
        deadline = time.monotonic() + 30
        while not catches(running, number) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0005)

    def interrupt(self, *arguments, number):
        """Sends the signal as soon as the program does not die of it; returns exit code, output, errors."""
        running = subprocess.Popen(self.command(*arguments), cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        try:
            self.wait_for_handler(running, number)
            running.send_signal(number)
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
            running.wait()
        return running.returncode, out, err

    def steps(self):
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            self.assertEqual(file.attrs["status"], "interrupted")
            steps = len(file["steps/step"])
        self.assertTrue((self.folder / f"run/checkpoint-{steps:08d}.h5").exists())
        return steps

    def test_a_signal_during_the_start_is_heard_after_one_step(self):
        for done, number in enumerate(SIGNALS, 1):
            with self.subTest(signal=number.name):
                code, out, err = self.interrupt("train", self.deck, "run.steps=100000000", "output.checkpoint.every=0", "-d",
                                                "run", number=number)
                self.assertEqual((code, err), (85, ""), out)
                self.assertIn(f"stopped at step {done}: {number.name}", out)
                self.assertEqual(self.steps(), done)
        self.train("run.steps=9", "output.checkpoint.every=0")

    def test_a_signal_that_is_held_back_until_the_program_is_loaded(self):
        def hold():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

        running = subprocess.Popen(self.command("train", self.deck, "run.steps=100000000", "-d", self.folder / "run"),
                                   stdout=subprocess.DEVNULL, preexec_fn=hold)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        running.send_signal(signal.SIGUSR1)
        self.assertEqual(running.wait(timeout=60), 85)
        self.assertEqual(self.steps(), 1)

    def test_a_hang_up_that_nohup_ignores(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            running = subprocess.Popen(self.command("train", self.deck, "-d", self.folder / "run"), stdout=subprocess.DEVNULL)
        finally:
            signal.signal(signal.SIGHUP, before)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        self.wait_for_handler(running, signal.SIGTERM)
        running.send_signal(signal.SIGHUP)
        self.assertEqual(running.wait(timeout=60), 0)

    def test_what_asks_for_a_stop_from_the_start(self):
        self.train("run.steps=2")
        more = ["run.steps=100000000", "output.checkpoint.every=0"]
        (self.folder / "run/stop").touch()
        self.train(*more, code=85)
        self.assertEqual(self.steps(), 3)
        self.assertFalse((self.folder / "run/stop").exists())
        for steps in (4, 5):  # not even a single step fits
            self.train(*more, "run.walltime=1.0e-6", code=85)
            self.assertEqual(self.steps(), steps)
        # A file that stays is named: it would stop every start.
        (self.folder / "run/stop").mkdir()
        (self.folder / "run/stop/mine").touch()
        self.assertIn("cannot remove", self.train(*more, code=85).stderr)
        self.assertEqual(self.steps(), 6)

    def test_a_measurement_that_is_interrupted_belongs_to_its_step(self):
        code, out, _ = self.interrupt("train", self.deck, "run.steps=100000000", "measure.sharpness.every=1",
                                      "measure.sharpness.count=3", "-d", "run", number=signal.SIGUSR1)
        self.assertEqual(code, 85, out)
        with h5py.File(self.folder / "run/trajectory.h5", "r") as file:
            self.assertEqual(len(file["sharpness/step"]), self.steps())

    def test_sharpness_has_nothing_to_go_on_from(self):
        self.train("run.steps=3")
        for number in (signal.SIGUSR1, signal.SIGTERM):
            code, _, err = self.interrupt("sharpness", "run/checkpoint-00000003.h5", number=number)
            self.assertEqual(code, 1, err)
            self.assertEqual(err, f"onedge: stopped by {number.name}: run/sharpness-00000003.h5 was not written\n")
            self.assertEqual(list((self.folder / "run").glob("*sharpness*")), [])

    def test_dynamics_stops_between_cases(self):
        deck = self.write("toy.yaml", """run: {steps: 50}
dynamics: {kind: b, rule: cdat, a: 0.05, b: 0.1, nu: 0.1, learning_rate: 0.05, sharpness: 18.0, p: 4.0, g: 4.0}
output: {directory: toys}
sweep: {dynamics.sigma: {from: 0.01, to: 2.0, by: 0.01}}
""")
        count = len(self.onedge("cases", deck).stdout.splitlines())
        done = [0]
        for number in (signal.SIGUSR1, signal.SIGTERM):
            code, out, err = self.interrupt("dynamics", deck, number=number)
            self.assertEqual((code, err), (85, ""), out)
            self.assertIn(number.name, out)
            done.append(len(list(self.folder.glob("toys/case-*/trajectory.h5"))))
            self.assertGreater(done[-1], done[-2])
        self.assertLess(done[-1], count)


if __name__ == "__main__":
    unittest.main()
