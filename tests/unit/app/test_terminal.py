"""What `onedge` shows: help, progress on a terminal and in a pipe."""
import os
import pty
import subprocess
import unittest

from program import ProgramTest


class Help(ProgramTest):
    def test_help_and_info(self):
        for arguments in (["--help"], ["train", "--help"], ["info", "-h"]):
            done = self.onedge(*arguments)
            self.assertIn("Usage: onedge", done.stdout)
            self.assertNotIn("Kokkos", done.stdout)  # which has a --help of its own
            self.assertEqual(done.stderr, "")
        shown = self.onedge("info", ranks=2).stdout
        self.assertEqual(shown.count("onedge "), 1)
        for library in ("Kokkos", "MPI", "HDF5", "oneDNN", "BLAS"):
            self.assertIn(library, shown)
        self.assertIn("ranks     2", shown)


class Progress(ProgramTest):
    def test_one_live_line_on_a_terminal_and_plain_lines_elsewhere(self):
        plain = self.train("run.steps=8", directory="plain").stdout
        self.assertNotIn("\r", plain)
        self.assertIn("step 8/8  loss", plain)
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal here: {error}")
        running = subprocess.Popen(self.command("train", self.deck, "run.steps=4000", "-d", self.folder / "live"),
                                   stdout=theirs, stderr=subprocess.STDOUT)
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        self.assertEqual(running.wait(), 0)
        text = shown.decode()
        self.assertRegex(text, r"\r\x1b\[Kstep \d+/4000  loss [\d.e+-]+  learning rate [\d.e+-]+  \d+ (s|min).* left")
        self.assertRegex(text, r"step 4000/4000")

    def test_plain_lines_where_mpirun_writes_to_a_pipe(self):
        # mpirun gives its ranks a pseudo-terminal all the same.
        self.assertNotIn("\r\x1b[K", self.train(ranks=2).stdout)


if __name__ == "__main__":
    unittest.main()
