"""Opens the trajectory of a run that publishes at every step again and again: every read must be whole."""
import subprocess
import time

from survive import check_trajectory, main, require


def test(job):
    deck = job.deck(run={"steps": 10**9}, measure={"sharpness": {"every": 5}}, output={"publish": 0.0})
    path = job.folder / "run/trajectory.h5"
    running = subprocess.Popen(job.command("train", deck, "output.checkpoint.every=0", "-d", path.parent, ranks=2),
                               cwd=job.folder, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not path.exists():
            require(time.monotonic() < deadline and running.poll() is None, "no trajectory appears")
            time.sleep(0.01)
        began, lengths = time.monotonic(), []
        for _ in range(job.count):
            lengths.append(check_trajectory(path))
        took = time.monotonic() - began
        require(running.poll() is None, "the run ended with", running.poll())
    finally:
        running.kill()
        running.wait()
    require(lengths == sorted(lengths), "a reader saw an older trajectory after a newer one")
    versions = len(set(lengths))
    require(versions >= max(2, job.count // 50), "only", versions, "versions of the trajectory were seen")
    return f"""A run on two ranks published at every step; meanwhile h5py opened its trajectory {job.count} times in
{took:.1f} s and read all of it. Every read was whole: columns of equal length in every table, no step missing or
doubled. {versions} different versions were seen, the last one of {lengths[-1]} steps."""


if __name__ == "__main__":
    main("Reader", 100, test, __doc__)
