"""Kills two-rank runs with SIGKILL at random moments: a rank, both ranks, mpirun, or all of them, half of the times as
soon as a temporary file shows that a checkpoint or the trajectory is being written. Then every file must be whole, and
the run that goes on must end in the bits of one that was never interrupted."""
import contextlib
import os
import signal
import subprocess
import time
from collections import Counter

from processes import alive, ranks_of
from survive import check_directory, check_same, main, require

VICTIMS = ("rank 0", "rank 1", "both ranks", "mpirun", "all")
PATIENCE = 60  # seconds in which a job must end once a part of it is dead


def targets(process, ranks, victim):
    """Processes to kill, in order; mpirun where there are no ranks yet."""
    chosen = {"rank 0": [ranks.get(0)], "rank 1": [ranks.get(1)], "both ranks": list(ranks.values()),
              "mpirun": [process.pid], "all": [process.pid, *ranks.values()]}[victim]
    chosen = [pid for pid in chosen if pid is not None]
    return chosen or [process.pid]


def wait_for_writing(process, folder, name):
    """Until the temporary file of a trajectory or a checkpoint is there; returns the ranks, found before."""
    ranks = {}
    while len(ranks) < 2 and process.poll() is None:
        ranks = ranks_of(folder)
    while process.poll() is None:
        with contextlib.suppress(OSError):
            if any(name in entry.name and entry.name.endswith(".tmp") for entry in os.scandir(folder)):
                break
    return ranks


def kill(process, ranks, victim):
    """Returns the seconds until everything of the job was gone."""
    began = time.monotonic()
    for pid in targets(process, ranks, victim):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=PATIENCE)
    while any(alive(pid) for pid in ranks.values()):
        require(time.monotonic() - began < PATIENCE, "ranks live on", PATIENCE, "s after the death of", victim)
        time.sleep(0.01)
    return time.monotonic() - began


class Tally:
    def __init__(self):
        self.victims, self.torn, self.ends, self.moments, self.next = Counter(), Counter(), [], [], []


def start_and_kill(job, deck, folder, duration, tally):
    """Returns the exit code where the run ended before its moment came, else None."""
    if not tally.next:
        tally.next = job.random.sample(VICTIMS, len(VICTIMS))
    victim, aim = tally.next[-1], job.random.choice((None, None, "trajectory", "checkpoint"))
    moment = job.random.uniform(0, duration)
    with open(job.folder / "output", "w+") as output:
        process = subprocess.Popen(job.command("train", deck, "-d", folder, ranks=2), cwd=job.folder, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=moment)
        ranks = ranks_of(folder)
        if aim:
            ranks = wait_for_writing(process, folder, aim)
        if process.poll() is not None:
            require(process.returncode == 0, "a run that was left alone ended with", process.returncode)
            return process.returncode
        tally.ends.append(kill(process, ranks, victim))
        output.seek(0)
        text = output.read()
    if victim.startswith("rank") and len(ranks) == 2 and process.returncode != 0:
        require(victim in text, "mpirun does not name", victim, "\n" + text)
    tally.victims[tally.next.pop()] += 1
    tally.moments.append(moment)
    for name in check_directory(folder) if folder.exists() else []:
        tally.torn["trajectory" if "trajectory" in name else "checkpoint"] += 1
    return None


def test(job):
    deck = job.deck()
    began = time.monotonic()
    job.train(deck, "whole", ranks=2)
    duration = time.monotonic() - began
    tally, runs = Tally(), 0
    while sum(tally.victims.values()) < job.count:
        folder = job.folder / f"run{runs}"
        runs += 1
        for _ in range(job.random.randint(1, 3)):
            if sum(tally.victims.values()) == job.count or start_and_kill(job, deck, folder, duration, tally) is not None:
                break
        job.train(deck, folder.name, ranks=2)
        check_same(job.folder / "whole", folder)
    victims = ", ".join(f"{name} {tally.victims[name]}" for name in VICTIMS)
    return f"""{job.count} kills of two-rank runs of 40 steps that publish and checkpoint at every step, at moments
spread over {min(tally.moments):.2f} to {max(tally.moments):.2f} s of runs of {duration:.2f} s, half of them as soon
as a temporary file appeared. Killed: {victims}. {tally.torn["trajectory"]} kills left a half-written trajectory under
its temporary name, {tally.torn["checkpoint"]} a half-written checkpoint. After every kill all files were whole; all
{runs} runs, killed one to three times each, ended in the bits of the uninterrupted one, without temporary files. The
job was gone at most {max(tally.ends):.1f} s after the kill."""


if __name__ == "__main__":
    main("Kills", 5, test, __doc__)
