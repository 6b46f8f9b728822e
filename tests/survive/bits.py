"""CDAT at the edge of stability on one to four ranks: the same bits with `reproducible`, and how far `fast` drifts.
--count: steps, and with 40 or more in both precisions both batches."""
import h5py
import numpy as np

from survive import differences, main, merged, require

DECK = {
    "run": {"block": 64}, "loss": {"weight_decay": 0.001}, "optimizer": {"kind": "gd"},
    "data": {"samples": 2048, "features": 32, "classes": 10, "test_samples": 256},
    "model": {"hidden": [64, 64], "activation": "tanh"},
    "tuner": {"sigma": 2.0, "ema": 0.0},
    "measure": {"sharpness": {"every": 20}, "evaluation": {"every": 20}},
    "output": {"publish": 60.0, "checkpoint": {"every": 0}},
}

CELLS = (("single", "full"), ("double", 512), ("double", "full"), ("single", 512))


def column(path, name):
    with h5py.File(path, "r") as file:
        return file["steps"][name][:]


def drift(fast, other):
    """Relative differences of the losses, step by step."""
    return np.abs(fast - other) / np.abs(other)


def first_above(values, limit):
    found = np.flatnonzero(values > limit)
    return str(found[0]) if len(found) else "–"


def cost(job):
    """Seconds of the fastest of a tenth as many steps, of a network in which the work counts."""
    rows = []
    for ranks in (1, 2):
        seconds = []
        for reduction in ("fast", "reproducible"):
            deck = job.deck("large", **merged(DECK, {
                "run": {"steps": max(4, job.count // 10), "reduction": reduction}, "model": {"hidden": [256, 256, 256]},
                "data": {"samples": 4096, "features": 784},
                "measure": {"sharpness": {"every": 0}, "evaluation": {"every": 0}}}))
            job.train(deck, f"large-{reduction}-{ranks}", ranks=ranks)
            seconds.append(np.min(column(job.folder / f"large-{reduction}-{ranks}/trajectory.h5", "seconds")[1:]))
        rows.append(f"| {ranks} | {seconds[0] * 1e3:.1f} | {seconds[1] * 1e3:.1f} | {seconds[1] / seconds[0]:.2f} |")
    return "\n".join(rows)


def test(job):
    rows = []
    for precision, batch in CELLS[:job.count // 10]:
        deck = job.deck(f"{precision}-{batch}", **DECK, batch={"size": batch})
        runs = {}
        for reduction in ("reproducible", "fast"):
            for ranks in (1, 2, 3, 4):
                directory = f"{precision}-{batch}-{reduction}-{ranks}"
                job.train(deck, directory, f"run.steps={job.count}", f"run.precision={precision}",
                          f"run.reduction={reduction}", ranks=ranks)
                runs[reduction, ranks] = job.folder / directory / "trajectory.h5"
        for ranks in (2, 3, 4):
            found = differences(runs["reproducible", 1], runs["reproducible", ranks])
            require(not found, precision, batch, "on", ranks, "ranks differs from one rank in", found)
        losses = {key: column(path, "loss") for key, path in runs.items()}
        require(len(losses["fast", 1]) == job.count, "the run ended early")
        for ranks in (1, 2, 3, 4):
            apart = drift(losses["fast", ranks], losses["reproducible", 1])
            rows.append(f"| {precision} | {batch} | {ranks} | none | {apart[:20].max():.1e} | {apart.max():.1e} "
                        f"| {first_above(apart, 1e-3)} |")
    rows = "\n".join(rows)
    return f"""CDAT (gd, σ = 2) for {job.count} steps, an MLP 32-64-64-10 (tanh) on 2048 synthetic samples, full-batch
and in mini-batches of 512, with the sharpness measured at every 20th step. In `reproducible` mode all columns but the
clocks are the same bits on 1, 2, 3 and 4 ranks. In `fast` mode the loss drifts from that trajectory:

| precision | batch | ranks | reproducible: differing columns | fast: largest relative difference of the loss in 20 steps | in {job.count} steps | first step above 1e-3 |
|---|---|---|---|---|---|---|
{rows}

What `reproducible` costs: the fastest of {max(4, job.count // 10) - 1} CDAT steps of an MLP 784-256-256-256-10 on 4096 samples in single
precision:

| ranks | fast, ms | reproducible, ms | ratio |
|---|---|---|---|
{cost(job)}"""


if __name__ == "__main__":
    main("Bits", 20, test, __doc__)
