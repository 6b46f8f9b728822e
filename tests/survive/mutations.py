"""Damages files and lets the program read them: checkpoints, trajectories, decks and data sets of every kind, truncated,
empty, of another kind, with flipped, erased, repeated or inserted bytes.

Each time the program has to end by itself within a minute, without a signal and without a sanitizer's finding, and either
with exit code 2 and one line that names the file, or with a result that is right. Right is, for

- checkpoint: the resumed run ends in the bits of the run that was never interrupted; after `onedge sharpness`, the
  eigenvalues are those of the whole checkpoint, after `run.branch` the branch is the whole checkpoint's;
- trajectory: the resumed run's trajectory has the bits of the uninterrupted one; what postprocess/ reads is all of it;
- deck: the program read what PyYAML reads in the same bytes;
- data: the run has the bits of a run on what an independent reader (gzip, NumPy, h5py) finds in the same bytes: raw pixels
  and characters have no checksum, so other pixels of the right number are other data, and no program can know. Of JPEG
  images only the end and the message are checked: there is no second decoder."""
import os

from damages import DAMAGES
from subjects import SANITIZED, SUBJECTS
from survive import main, require

FINDING = 99
# MPI's own leaks are no news.
os.environ["ASAN_OPTIONS"] = f"detect_leaks=0:exitcode={FINDING}"
os.environ["UBSAN_OPTIONS"] = f"halt_on_error=1:exitcode={FINDING}:print_stacktrace=1"


def attempt(job, subject, number):
    """One damage; returns how it ended: "refused" or "right"."""
    random = job.random
    target, damage = random.choice(subject.targets()), random.choice(DAMAGES)
    data = damage(random, subject.whole[target])
    target.write_bytes(data)
    where, text = f"mutation {number}: {damage.__name__} of {target.relative_to(job.folder)}", ""
    try:
        subject.said = subject.run()
        text = subject.said.stdout
        require(subject.said.returncode != FINDING and "runtime error" not in text, "a sanitizer's finding")
        if subject.said.returncode in (0, 3):  # 3: diverged, which other numbers may do
            subject.check(target)
            return "right"
        require(subject.said.returncode == 2, "exit code", subject.said.returncode)
        messages = [line for line in text.splitlines() if line.startswith("onedge: ")]
        require(len(messages) == 1 and text.endswith(messages[0] + "\n"), "not one line")
        require(any(name in messages[0] for name in subject.names(target)), "the message does not name what is wrong")
        return "refused"
    except AssertionError as failure:
        keep = job.folder.parent / f"onedge-mutation-{job.seed}-{number}-{target.name}"
        keep.write_bytes(data)
        return f"{where}: {failure}\n  kept: {keep}\n  " + text.strip().replace("\n", "\n  ")


def test(job):
    subjects = [make(job, name) for name, make in SUBJECTS.items()]
    outcomes = {subject.name: {"refused": 0, "right": 0} for subject in subjects}
    failures = []
    for number in range(job.count):
        subject = subjects[number % len(subjects)]
        outcome = attempt(job, subject, number)
        subject.restore()
        if outcome in outcomes[subject.name]:
            outcomes[subject.name][outcome] += 1
        else:
            failures.append(outcome)
            print(outcome, flush=True)
    require(not failures, len(failures), "of", job.count, "mutations")
    rows = "\n".join(f"| {name} | {sum(counts.values())} | {counts['refused']} | {counts['right']} |"
                     for name, counts in outcomes.items())
    how = "A build with the address and undefined-behaviour sanitizers" if SANITIZED else "The program"
    return f"""{how} read {job.count} damaged files: truncated, empty, of another kind, with flipped, erased, repeated
or inserted bytes. It never crashed or hung{', and no sanitizer spoke' if SANITIZED else ''}. Refused: exit code 2 and
one line that names the file. Right: the bits of the uninterrupted run (checkpoint, trajectory: the newest whole
checkpoint was used), those of the whole file (sharpness, branch, reader of postprocess/: the damage was to the
checksum, or there was none), or those of what an independent reader finds in the same bytes (deck, data: raw pixels,
numbers and letters carry no checksum, so other ones are other data; of JPEG images only the end and the message are
checked).

| damaged | files | refused | right |
|---|---|---|---|
{rows}"""


if __name__ == "__main__":
    main("Mutations under sanitizers" if SANITIZED else "Mutations", 50, test, __doc__)
