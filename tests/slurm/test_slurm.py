"""The job scripts on a real Slurm of one node, which is started here. Exit code 77: not possible on this machine."""
import os
import re
import shutil
import signal
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

    def start_endless(self, *arguments):
        """Submits the deck without an end; returns the job once it trains."""
        (self.folder / "deck.yaml").write_text(DECK.replace("steps: 6", "steps: 100000000"))
        job = self.submit("--ntasks=2", *arguments, ROOT / "jobs/train.sbatch", "deck.yaml", "output.checkpoint.every=100000")
        deadline = time.monotonic() + 120
        while not (self.folder / "runs/job/trajectory.h5").exists():
            self.assertLess(time.monotonic(), deadline, self.logs())
            time.sleep(0.2)
        return job

    def test_a_job_that_is_interrupted_goes_back_into_the_queue_and_on(self):
        job = self.start_endless()
        # What --signal=USR1@300 of train.sbatch does before the end of the job's time; the restart finds a deck with an end.
        self.call("scancel", "--signal=USR1", job)
        (self.folder / "deck.yaml").write_text(DECK)
        self.ended_well(job)
        attributes, steps, jobs = self.attributes("runs/job")
        self.assertEqual((attributes["status"], jobs), ("finished", [job, job]))
        log = (self.folder / f"onedge-{job}.log").read_text()
        for text in ("SIGUSR1", "back into the queue", f"going on from step {steps}"):
            self.assertIn(text, log)

    def test_a_killed_rank_ends_the_job_and_is_named(self):
        job = self.start_endless()
        rank = next(path for path in Path("/proc").glob("[0-9]*") if self.is_rank(path, job, 1))
        begin = time.monotonic()
        os.kill(int(rank.name), signal.SIGKILL)
        self.assertEqual([state for state, _ in self.wait(job).values()], ["FAILED"])
        self.assertLess(time.monotonic() - begin, 60)
        self.assertRegex(self.logs(), "task 1: Killed")

    def is_rank(self, process, job, rank):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            return (process / "exe").resolve() == Path(PROGRAM).resolve() and {
                f"SLURM_JOB_ID={job}".encode(), f"SLURM_PROCID={rank}".encode()} <= set(environment)
        except OSError:
            return False

    def test_the_program_knows_when_the_job_ends(self):
        program = self.folder / "program.sh"
        program.write_text("#!/usr/bin/env bash\necho \"ends $SLURM_JOB_END_TIME\"\n")
        program.chmod(0o755)
        begin = time.time()
        job = self.submit("--time=10", ROOT / "jobs/train.sbatch", "deck.yaml", ONEDGE=str(program), SLURM_JOB_END_TIME="5")
        self.ended_well(job)
        ends = int(re.search(r"ends (\d+)", self.logs())[1])
        self.assertTrue(begin + 590 < ends < time.time() + 610, ends - begin)

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
