"""A disk that fills up (a tmpfs of limited size) while a run writes its trajectory or its checkpoints, and one that fails
(EIO from fsync, put in by strace): exit code 1, a message with file and reason, the last good files whole, and the run goes
on to the bits of an undisturbed one once there is room. Mounting needs root, or a user namespace (unshare -rm)."""
import contextlib
import os
import shutil
import subprocess
import sys
import time

from survive import check_directory, check_same, check_trajectory, main, require, skip_unless

# A checkpoint of several MiB: much more than a trajectory.
LARGE = {"model": {"hidden": [400, 400]}, "measure": {"sharpness": {"every": 0}}}
SIZE = 48 << 20
CASES = {  # what the disk still takes when it is "full", and whose writing fails then
    "trajectory.h5": (0, {"publish": 0.0, "checkpoint": {"every": 1000}}),
    "checkpoint-": (2 << 20, {"publish": 60.0, "checkpoint": {"every": 1, "keep": 2}}),
}


def as_root_of_a_namespace():
    """Runs the script once more where mounting is allowed."""
    if os.geteuid() == 0:
        return
    allowed = shutil.which("unshare") and subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    skip_unless(allowed and allowed.returncode == 0, "mounting needs root, or user namespaces")
    os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])


class Disk:
    """A file system of limited size."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True,
                              check=False)
        skip_unless(done.returncode == 0, f"cannot mount a tmpfs: {done.stderr.strip()}")

    def fill(self, free):
        """Takes all room but `free` bytes, and what a replaced file gives back meanwhile."""
        with open(self.folder / "filler", "ab") as filler, contextlib.suppress(OSError):
            room = os.statvfs(self.folder)
            taken = room.f_bavail * room.f_frsize - free
            if taken > 0:
                os.posix_fallocate(filler.fileno(), filler.tell(), taken)

    def make_room(self):
        (self.folder / "filler").unlink()

    def unmount(self):
        subprocess.run(["umount", self.folder], check=False)


def wait_for_steps(job, running, path, steps):
    deadline = time.monotonic() + 60
    while not path.exists() or check_trajectory(path) < steps:
        require(running.poll() is None and time.monotonic() < deadline, "the run does not get to step", steps)
        time.sleep(0.02)


def fails(output, code, file, reason):
    require(code == 1, "exit code", code, "\n" + output)
    lines = [line for line in output.splitlines() if line.startswith("onedge: ") and file in line and reason in line]
    require(lines, f"no message with {file} and '{reason}':\n" + output)
    return lines[0]


def fill_up(job, disk, file, free, output):
    steps = job.random.randint(3, 12)
    deck = job.deck("full", output=output, **LARGE)
    folder = disk.folder / "run"
    with open(job.folder / "said", "w+") as said:
        running = subprocess.Popen(job.command("train", deck, "run.steps=100000", "-d", folder, ranks=2), stdout=said,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            wait_for_steps(job, running, folder / "trajectory.h5", steps)
            deadline = time.monotonic() + 60
            while running.poll() is None:
                disk.fill(free)
                require(time.monotonic() < deadline, "a run on a full disk did not end in 60 s")
                time.sleep(0.01)
        finally:
            running.kill()
            running.wait()
        said.seek(0)
        message = fails(said.read(), running.returncode, file, "No space left on device")
    require(not check_directory(folder), "temporary files are left")
    reached = check_trajectory(folder / "trajectory.h5")
    require(reached >= steps, "steps that were written are lost")
    disk.make_room()
    whole = job.folder / "whole"
    rest = (f"run.steps={reached + 5}", "output.publish=60.0", "output.checkpoint.every=100000")
    job.train(deck, "whole", *rest, ranks=2)
    job.call("train", deck, *rest, "-d", folder, ranks=2)
    check_same(whole, folder)
    shutil.rmtree(whole)
    shutil.rmtree(folder)
    return message.replace(str(folder), "RUN")


def fail_to_write(job):
    """The eighth fsync and all later ones fail."""
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=8+"]
    if not shutil.which("strace") or subprocess.run([*strace, "true"], capture_output=True, check=False).returncode:
        return "EIO was not tried: no strace, or it is not allowed here."
    deck, folder = job.deck("failing"), job.folder / "failing"
    done = job.finish([*strace, *job.command("train", deck, "-d", folder)], 120)
    message = fails(done.stdout, done.returncode, str(folder), "Input/output error")
    require(not check_directory(folder), "temporary files are left")
    job.train(deck, "failing")
    job.train(deck, "whole")
    check_same(job.folder / "whole", folder)
    return f"fsync that fails with EIO: `{message.replace(str(folder), 'RUN')}`; going on gave the same bits."


def test(job):
    as_root_of_a_namespace()
    disk = Disk(job.folder / "disk")
    rows = []
    try:
        for number in range(job.count):
            for file, (free, output) in CASES.items():
                message = fill_up(job, disk, file, free, output)
                if number == 0:
                    rows.append(f"| {file.rstrip('-')} | `{message}` |")
    finally:
        disk.unmount()
    rows = "\n".join(rows)
    return f"""A file system of {SIZE >> 20} MiB was filled during two-rank runs, {job.count} times so that not even a
trajectory fits, {job.count} times so that a trajectory does and a checkpoint does not. Each time the run ended with
exit code 1 and a message, no written step was lost, all files were whole and none temporary; with room again, the run
went on to the bits of an undisturbed one.

| did not fit | message |
|---|---|
{rows}

{fail_to_write(job)}"""


if __name__ == "__main__":
    main("Full disk", 1, test, __doc__)
