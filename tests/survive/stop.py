"""Ways to stop a run: a signal to one rank or to all, SIGUSR1 to mpirun, a file `stop`, run.walltime and
Slurm's end of the job. The run finishes its step, writes a checkpoint, says `interrupted` and exits with 85; called again,
it goes on to the bits of a run that was never stopped. A second signal ends it at once and harms no file."""
import contextlib
import os
import signal
import subprocess
import time

from processes import alive, ranks_of
from survive import check_directory, check_same, check_trajectory, main, require

import h5py

INTERRUPTED = 85
SIGNALS = ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP")
WAYS = (*((name, whom) for name in SIGNALS for whom in ("one rank", "all ranks")), ("SIGUSR1", "mpirun"), ("file", ""),
        ("walltime", ""), ("Slurm", ""))


def send(name, pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, name))


def start(job, deck, folder, *overrides, environment=None):
    return subprocess.Popen(job.command("train", deck, "run.steps=100000000", *overrides, "-d", folder, ranks=2),
                            cwd=job.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, env={**os.environ, **(environment or {})})


def wait_for_steps(running, folder, steps):
    deadline = time.monotonic() + 60
    while not (folder / "trajectory.h5").exists() or check_trajectory(folder / "trajectory.h5") < steps:
        require(running.poll() is None, "the run ended with", running.returncode)
        require(time.monotonic() < deadline, "the run does not begin")
        time.sleep(0.05)


def stop(job, deck, folder, way):
    """Starts the run or goes on with it, and stops it; returns the number of steps done."""
    kind, whom = way
    before = check_trajectory(folder / "trajectory.h5") if folder.exists() else 0
    overrides = ["run.walltime=3"] if kind == "walltime" else []
    environment = {"SLURM_JOB_ID": "1", "SLURM_JOB_END_TIME": str(int(time.time()) + 64)} if kind == "Slurm" else {}
    running = start(job, deck, folder, *overrides, environment=environment)
    try:
        if kind in SIGNALS or kind == "file":
            wait_for_steps(running, folder, before + 1)
            time.sleep(job.random.uniform(0, 0.3))
            ranks = list(ranks_of(folder).values())
            if kind == "file":
                (folder / "stop").touch()
            else:
                send(kind, {"mpirun": [running.pid], "all ranks": ranks, "one rank": job.random.sample(ranks, 1)}[whom])
        said, _ = running.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{way}: the run does not stop") from None
    finally:
        running.kill()
        running.wait()
    require(running.returncode == INTERRUPTED, way, "exit code", running.returncode, "\n" + said)
    reached = check_trajectory(folder / "trajectory.h5")
    with h5py.File(folder / "trajectory.h5", "r") as file:
        require(file.attrs["status"] == "interrupted", way, "status", file.attrs["status"])
    require((folder / f"checkpoint-{reached:08d}.h5").exists(), way, "left no checkpoint of step", reached)
    require(reached > before, way, "made no step")
    require(not check_directory(folder), way, "left temporary files")
    require(not (folder / "stop").exists(), "the file stop is still there, and would stop the next start")
    return reached


def second_signal(job):
    """Within a step without end: a linesearch that wants the impossible, and is in no hurry to give in."""
    tuner = {"kind": "linesearch", "c": 1e6, "increase": 0.0, "decrease": 0.999999999, "trials": 0}
    deck, folder = job.deck("endless", tuner=tuner), job.folder / "endless"
    running = start(job, deck, folder)
    try:
        deadline = time.monotonic() + 60
        while not (folder / "checkpoint-00000000.h5").exists():
            require(time.monotonic() < deadline and running.poll() is None, "the run does not begin")
            time.sleep(0.05)
        time.sleep(1)
        ranks = list(ranks_of(folder).values())
        send("SIGTERM", ranks)
        time.sleep(2)
        require(running.poll() is None, "the step was over before the second signal: exit code", running.returncode)
        began = time.monotonic()
        send("SIGTERM", ranks)
        running.wait(timeout=60)
        took = time.monotonic() - began
    except subprocess.TimeoutExpired:
        raise AssertionError("a second signal does not end the run") from None
    finally:
        running.kill()
        running.wait()
        running.stdout.close()
    require(not any(alive(pid) for pid in ranks), "a rank lives on")
    require(running.returncode not in (0, INTERRUPTED), "exit code", running.returncode, "after a second signal")
    check_directory(folder)
    return took


def test(job):
    deck = job.deck(measure={"sharpness": {"every": 50}, "evaluation": {"every": 50}},
                    output={"publish": 0.05, "checkpoint": {"every": 500, "keep": 2}})
    ways = []
    while len(ways) < job.count:
        ways += job.random.sample(WAYS, len(WAYS))
    ways, runs = ways[:job.count], 0
    for first in range(0, job.count, 2):
        folder, whole = job.folder / f"run{runs}", job.folder / f"whole{runs}"
        runs += 1
        for way in ways[first:first + 2]:
            reached = stop(job, deck, folder, way)
        for directory in (whole, folder):
            job.train(deck, directory.name, f"run.steps={reached + 20}", ranks=2)
        check_same(whole, folder)
    took = second_signal(job)
    tried = ", ".join(" to ".join(filter(None, way)) for way in WAYS if way in ways)
    return f"""{job.count} stops of two-rank runs, two in each of {runs} runs: {tried}. Each time the run ended with
exit code 85, status `interrupted` and a checkpoint of its last step, and the next start went on; all runs ended in
the bits of uninterrupted ones. During a step without end, a second SIGTERM ended a run within {took:.1f} s; all files
were whole."""


if __name__ == "__main__":
    main("Stop", 4, test, __doc__)
