"""What works where no rank can start, as on a login node: everything but train and sharpness."""
import json
import os
import subprocess
import unittest

from program import DECK, ProgramTest

TOY = """run: {steps: 20}
dynamics: {kind: b, rule: cdat, a: 0.05, b: 0.1, nu: 0.1, learning_rate: 0.05, sharpness: 18.0, p: 4.0, g: 4.0}
output: {directory: toys}
sweep: {dynamics.sigma: [1.9, 2.0]}
"""


class LoginNode(ProgramTest):
    def setUp(self):
        super().setUp()
        self.toys = self.write("toys.yaml", TOY)
        self.sweep = self.write("sweep.yaml", json.dumps({**DECK, "sweep": {"run.seed": [0, 1]}}))
        self.lines = {}
        for arguments, says in ((["--help"], "dynamics"), (["train", "--help"], "--dry-run"), (["info"], "MPI       "),
                                (["info", "--keys"], "run.walltime"), (["cases", self.sweep], "1 run.seed=1"),
                                (["train", self.deck, "--dry-run"], "memory per rank"),
                                (["train", self.sweep, "--dry-run"], "2 cases"),
                                (["train", self.deck, "run.precision=single", "--dry-run"], "samples: 64"),
                                (["dynamics", self.toys], "case-0001")):
            self.lines[tuple(map(str, arguments))] = says

    def run_with(self, arguments, code=0, **environment):
        done = subprocess.run(self.command(*arguments), cwd=self.folder, timeout=60, capture_output=True, text=True,
                              env={**os.environ, **environment})
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def check(self, *more, **environment):
        self.assertNotEqual(subprocess.run(self.command("train", self.deck, *more), cwd=self.folder, timeout=60,
                                           capture_output=True, env={**os.environ, **environment}).returncode, 0)
        for arguments, says in self.lines.items():
            with self.subTest(arguments=arguments, more=more):
                done = self.run_with([*arguments, *more], **environment)
                self.assertIn(says, done.stdout)
                self.assertEqual(done.stderr, "")
        self.assertTrue((self.folder / "toys/case-0001/trajectory.h5").exists())

    def test_without_mpi(self):
        self.check(OMPI_MCA_pml="none_such")

    def test_without_kokkos(self):
        self.check("--kokkos-num-devices=none")

    def test_bad_input_is_refused_all_the_same(self):
        for arguments, says in ((["train", self.deck, "run.stepss=1", "--dry-run"], "stepss"), (["cases", self.deck], "sweep"),
                                (["dynamics", self.deck], "dynamics"), (["train", "none.yaml", "--dry-run"], "none.yaml"),
                                (["train"], "deck"), (["trian"], "trian"), ([], "command"),
                                (["train", self.deck, "--dry-run", "-d", self.deck], "deck.yaml")):
            said = self.run_with(arguments, 2, OMPI_MCA_pml="none_such").stderr
            self.assertIn(says, said)
            self.assertEqual(said.count("\n"), 1, said)

    def test_ranks_of_a_launcher_say_it_once(self):
        for arguments, says in self.lines.items():
            with self.subTest(arguments=arguments):
                both, one = (self.onedge(*arguments, ranks=ranks).stdout.splitlines() for ranks in (2, 0))
                self.assertTrue(any(says in line for line in both), both)
                self.assertEqual(len(both), len(one))
        self.assertIn("ranks     2, 2 on this node", self.onedge("info", ranks=2).stdout)
        self.assertIn("on 2 rank(s)", self.train("--dry-run", ranks=2).stdout)


if __name__ == "__main__":
    unittest.main()
