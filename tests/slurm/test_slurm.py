"""The job scripts on a real Slurm of one node, which is started here. Exit code 77: not possible on this machine."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ["ONEDGE_PROGRAM"]
CLUSTER = Path(__file__).with_name("cluster.sh")
CLUSTER_FOLDER = tempfile.mkdtemp(prefix="onedge-slurm-")
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}

try:
    import h5py
    import matplotlib  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

DECK = """run: {name: job, steps: 6, block: 8}
data: {set: synthetic, samples: 64, features: 5, classes: 3, test_samples: 32}
model: {hidden: [7]}
output: {directory: runs/job, checkpoint: {every: 1, keep: 1}}
"""
SWEEP = DECK + "sweep: {tuner.sigma: [0.5, 1.0, 1.5, 2.0]}\n"
# Before a restart the program stops half way and asks to be called again, as it does at the end of its time.
INTERRUPTED = """#!/usr/bin/env bash
[[ -n ${{SLURM_RESTART_COUNT:-}} ]] && exec "{program}" "$@"
"{program}" "$@" run.steps=3
exit 85
"""


def setUpModule():
    done = subprocess.run(["bash", CLUSTER, "start", CLUSTER_FOLDER], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    if done.returncode != 0:
        print(done.stderr)
        shutil.rmtree(CLUSTER_FOLDER, ignore_errors=True)
        sys.exit(77 if done.returncode == 77 else 1)
    os.environ["SLURM_CONF"] = re.search(r"SLURM_CONF=(.*)", done.stdout)[1].strip()


def tearDownModule():
    subprocess.run(["bash", CLUSTER, "stop", CLUSTER_FOLDER], check=False, timeout=60)
    shutil.rmtree(CLUSTER_FOLDER, ignore_errors=True)


class Jobs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="onedge-jobs-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "deck.yaml").write_text(DECK)
        (self.folder / "sweep.yaml").write_text(SWEEP)

    def call(self, *command, code=0, **environment):
        done = subprocess.run([str(word) for word in command], cwd=self.folder, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "ONEDGE": PROGRAM, **environment})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def submit(self, *arguments, **environment):
        return self.call("sbatch", "--parsable", *arguments, **environment).stdout.strip().split(";")[0]

    def wait(self, job, patience=180):
        """{job or task: (state, exit code)} once all of them have ended."""
        deadline = time.monotonic() + patience
        while True:
            shown = self.call("scontrol", "show", "job", job, "--oneliner").stdout
            states = {re.search(r"JobId=(\d+)", line)[1]: (re.search(r"JobState=(\w+)", line)[1],
                                                          int(re.search(r"ExitCode=(\d+)", line)[1]))
                      for line in shown.splitlines() if line.startswith("JobId=")}
            if all(state in ENDED for state, _ in states.values()):
                return states
            self.assertLess(time.monotonic(), deadline, shown)
            time.sleep(1)

    def ended_well(self, job):
        states = self.wait(job)
        self.assertEqual(set(states.values()), {("COMPLETED", 0)}, self.logs())

    def logs(self):
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("*.log")))

    def attributes(self, path):
        with h5py.File(self.folder / path / "trajectory.h5", "r") as file:
            return dict(file.attrs), len(file["steps/step"]), file["segments/job_id"].asstr()[:].tolist()

    def test_train(self):
        job = self.submit("--ntasks=2", ROOT / "jobs/train.sbatch", "deck.yaml", "run.seed=1")
        self.ended_well(job)
        attributes, steps, jobs = self.attributes("runs/job")
        self.assertEqual((attributes["status"], steps, jobs), ("finished", 6, [job]))
        self.assertIn("2 rank(s)", (self.folder / f"onedge-{job}.log").read_text())

    def test_a_job_that_is_interrupted_goes_back_into_the_queue_and_on(self):
        wrapper = self.folder / "interrupted.sh"
        wrapper.write_text(INTERRUPTED.format(program=PROGRAM))
        wrapper.chmod(0o755)
        job = self.submit("--ntasks=1", ROOT / "jobs/train.sbatch", "deck.yaml", ONEDGE=str(wrapper))
        self.ended_well(job)
        attributes, steps, jobs = self.attributes("runs/job")
        self.assertEqual((attributes["status"], steps, jobs), ("finished", 6, [job, job]))
        log = (self.folder / f"onedge-{job}.log").read_text()
        self.assertIn("back into the queue", log)
        self.assertIn("going on from step 3", log)

    def figure(self, *arguments, **environment):
        """Submits figure 15's small deck with four cases, as small as can be; returns the jobs."""
        overrides = ["run.steps=3", "data.samples=128", "model.hidden=[8]", "measure.sharpness.every=0",
                     "sweep.parts={c: {tuner: {kind: constant, learning_rate: [0.1, 0.2, 0.4]}}, g: {tuner.kind: cdat}}"]
        done = self.call(ROOT / "jobs/figure.sh", "15", "--small", "--runs", self.folder / "out", "--limit", "2", *overrides,
                         *arguments, "--", "--ntasks=2", **environment)
        return re.findall(r"job (\d+)", done.stdout)

    def test_figure(self):
        array, plot = self.figure()
        self.ended_well(plot)  # which waits for the array
        self.ended_well(array)
        self.assertEqual((self.folder / "out/fig15.pdf").read_bytes()[:4], b"%PDF")
        for name in ("fig15.csv", "fig15.html"):
            self.assertTrue((self.folder / "out" / name).stat().st_size)
        for case in range(4):
            self.assertEqual(self.attributes(f"out/fig15-mlp-small/case-{case:04d}")[1], 3)
        # Again: nothing is missing, so only the plot is submitted.
        self.assertEqual(len(self.figure()), 1)

    def test_packed_cases(self):
        job = self.submit("--array=0-1%2", "--ntasks=2", ROOT / "jobs/sweep.sbatch", "sweep.yaml", ONEDGE_PACK="2")
        self.ended_well(job)
        for case in range(4):
            attributes, steps, _ = self.attributes(f"runs/job/case-{case:04d}")
            self.assertEqual((attributes["case"], attributes["status"], steps), (case, "finished", 6))

    def failure(self, *arguments, says, exit_code=2, **environment):
        job = self.submit(*arguments, **environment)
        self.assertEqual(set(self.wait(job).values()), {("FAILED", exit_code)}, self.logs())
        text = "".join(path.read_text() for path in self.folder.glob(f"*{job}*.log"))
        for expected in says:
            self.assertIn(expected, text)

    def test_bad_input_fails_the_job_and_says_why(self):
        train, sweep = ROOT / "jobs/train.sbatch", ROOT / "jobs/sweep.sbatch"
        self.failure(train, "none.yaml", says=["cannot read the deck none.yaml"])
        self.failure(train, "deck.yaml", "-d", "/proc/onedge", says=["/proc/onedge"])
        self.failure("--array=4", sweep, "sweep.yaml", says=["--case 4", "0 to 3"])
        self.failure("--array=2", "--ntasks=2", sweep, "sweep.yaml", says=["begins with case 4", "0 to 3"], ONEDGE_PACK="2")
        self.failure("--array=0", "--ntasks=2", sweep, "sweep.yaml", says=["ONEDGE_PACK=3", "divide"], ONEDGE_PACK="3")
        self.failure(train, "deck.yaml", says=["there is no program /no/onedge"], exit_code=1, ONEDGE="/no/onedge")
        self.failure(train, "deck.yaml", "run.stop.loss_above=0.0", says=["diverged"], exit_code=3)
        self.failure(ROOT / "jobs/plot.sbatch", "1", self.folder, "nothing", says=["nothing"], exit_code=1)

    def test_a_diverged_case_is_a_result(self):
        job = self.submit("--array=0", ROOT / "jobs/sweep.sbatch", "sweep.yaml", "run.stop.loss_above=0.0")
        self.ended_well(job)

    def test_figure_script_refuses(self):
        for arguments, says in ((["99"], "inputs/fig99"), ([], "which figure"), (["1", "--limit", "x"], "--limit"),
                                (["1", "sigma"], "sigma"), (["1", "run.stepss=3"], "stepss")):
            self.assertIn(says, self.call(ROOT / "jobs/figure.sh", *arguments, code=2).stderr)


if __name__ == "__main__":
    unittest.main()
