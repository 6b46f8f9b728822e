"""When job scripts put a job back into the queue, and when they do not: with stand-ins for Slurm's commands. On a real Slurm:
test_slurm.py."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ["ONEDGE_PROGRAM"]

# A requeue ends the job's script, as Slurm does; srun starts its command once, in the script's environment.
SCONTROL = """#!/usr/bin/env bash
[[ $1 == requeue ]] && exec kill -TERM $PPID
echo "   Command=$JOB_SCRIPT"
"""
SRUN = """#!/usr/bin/env bash
while [[ $1 == -* ]]; do
  [[ $1 == -n ]] && shift
  shift
done
exec "$@"
"""
DECK = """run: {steps: 5, block: 8, walltime: 1.0e-6}
data: {set: synthetic, samples: 16, features: 3, classes: 2}
model: {hidden: [3]}
output: {directory: run}
"""
SCRIPTS = ("train", "gpu-node", "gpu-nodes", "sweep")


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="onedge-scripts-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name, text in (("bin/scontrol", SCONTROL), ("bin/srun", SRUN), ("bin/squeue", "#!/bin/sh\nexit 1\n")):
            self.script(name, text)
        (self.folder / "work").mkdir()
        (self.folder / "work/deck.yaml").write_text(DECK)

    def script(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def program(self, body):
        """One whose command train does this; $start counts its starts, $* holds the arguments."""
        return self.script("program.sh", f"""#!/usr/bin/env bash
[[ $1 == cases ]] && printf '0\\n1\\n' && exit
[[ $1 == train ]] || exit 0
echo >> {self.folder}/starts
start=$(wc -l < {self.folder}/starts)
{body}
""")

    def job(self, script, program, most=12, **environment):
        """Runs a job as often as it is put back into the queue; returns the number of starts, exit code, all output."""
        path, said = ROOT / f"jobs/{script}.sbatch", ""
        for start in range(1, most + 1):
            done = subprocess.run(
                ["bash", path, "deck.yaml"], cwd=self.folder / "work", text=True, timeout=60, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, env={
                    **os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "JOB_SCRIPT": str(path), "SLURM_JOB_ID": "7",
                    "SLURM_JOB_NAME": "job", "SLURM_JOB_NUM_NODES": "1", "SLURM_ARRAY_TASK_ID": "0", "SLURM_NTASKS": "2",
                    "SLURM_RESTART_COUNT": str(start - 1), "ONEDGE": str(program), **environment})
            said += done.stdout
            if done.returncode != -signal.SIGTERM:
                return start, done.returncode, said
        return most, None, said

    def left(self):
        return {path.name for path in (self.folder / "work").iterdir()} - {"deck.yaml", "run"}

    def test_starts_without_progress_end(self):
        program = self.program("exit 85")
        for script, environment in (*((script, {}) for script in SCRIPTS), ("sweep", {"ONEDGE_PACK": "2"})):
            with self.subTest(script=script, **environment):
                starts, code, said = self.job(script, program, **environment)
                self.assertEqual((starts, code), (3, 85), said)
                self.assertIn("no progress in 3 starts", said)
                self.assertEqual(self.left(), set())

    def test_a_run_that_always_comes_to_the_same_step_ends(self):
        starts, code, said = self.job("train", self.program('echo "stopped at step 7: SIGUSR1"; exit 85'))
        self.assertEqual((starts, code), (4, 85), said)
        self.assertEqual(self.left(), set())

    def test_progress_goes_on(self):
        program = self.program('[[ $start -gt 9 ]] && exit 0; echo "0: stopped at step $((start / 3 + 1)): SIGTERM"; exit 85')
        starts, code, said = self.job("train", program)  # 1, 1, 2, 2, 2, 3, …
        self.assertEqual((starts, code), (10, 0), said)
        self.assertEqual(self.left(), set())

    def test_one_case_of_several_that_goes_on_is_progress(self):
        program = self.program("""[[ $start -gt 16 ]] && exit 0
[[ $* == *"--case 1" ]] && start=3
echo "stopped at step $start: SIGTERM"
exit 85""")
        starts, code, said = self.job("sweep", program, ONEDGE_PACK="2")
        self.assertEqual((starts, code), (9, 0), said)

    def test_without_room_for_notes_progress_goes_on_and_its_lack_ends(self):
        (self.folder / "work/.onedge-7.starts").mkdir()
        self.assertEqual(self.job("train", self.program("exit 85"))[:2], (1, 85))
        (self.folder / "starts").unlink()
        program = self.program('[[ $start -gt 5 ]] && exit 0; echo "stopped at step $start: SIGTERM"; exit 85')
        self.assertEqual(self.job("train", program)[:2], (6, 0))

    def test_the_program_makes_a_step_at_every_start(self):
        """Its time is too short for any."""
        for script in ("train", "gpu-nodes"):
            starts, code, said = self.job(script, PROGRAM)
            self.assertEqual((starts, code), (5, 0), said)
            for step in range(1, 5):
                self.assertIn(f"stopped at step {step}: ", said)
            shutil.rmtree(self.folder / "work/run")

    def test_a_signal_waits_until_the_program_is_loaded(self):
        program = self.program("grep SigBlk /proc/self/status")
        for script in SCRIPTS:
            starts, code, said = self.job(script, program)
            self.assertEqual((starts, code), (1, 0), said)
            held = int(re.search(r"SigBlk:\s*(\w+)", said)[1], 16)
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                self.assertTrue(held >> (number - 1) & 1, said)

    def test_other_codes_end_the_job(self):
        for code in (0, 1, 2, 3, 137):
            self.assertEqual(self.job("train", self.program(f"exit {code}"))[:2], (1, code))


if __name__ == "__main__":
    unittest.main()
