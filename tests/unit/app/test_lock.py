"""Two programs on one run directory. Slow by nature: the second waits 15 s before it gives up."""
import signal
import subprocess
import time
import unittest

from program import ProgramTest, snapshot


class Lock(ProgramTest):
    def test_the_second_names_the_first_and_leaves(self):
        run = self.folder / "run"
        endless = ["run.steps=100000000", "output.publish=1.0e+6", "output.checkpoint.every=0"]
        holder = subprocess.Popen(self.command("train", self.deck, *endless, "-d", run), stdout=subprocess.DEVNULL)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        deadline = time.monotonic() + 30
        while not (run / "trajectory.h5").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        before = snapshot(run)
        begin = time.monotonic()
        done = self.train(*endless, code=2)
        self.assertGreater(time.monotonic() - begin, 14)
        self.assertIn(f"in use by process {holder.pid} on ", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIsNone(holder.poll())
        self.assertEqual(snapshot(run).keys(), before.keys())
        # The lock of a killed process is free, and what it left is ours.
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        self.train("run.steps=2", "output.checkpoint.every=0")


if __name__ == "__main__":
    unittest.main()
