"""The runs of a sweep, or of several, together: which is the best of its kind, at which border of its grid it lies, what is
missing, what diverged."""
from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

import onedge_post
from labels import MAIN_KEY, differing_keys, flat, name_of, number_text

LAST = 5  # iterates whose mean loss says how good a run is (section 3 of the paper)
# Keys whose values are a grid that a best value can lie at the border of.
GRID_KEYS = ("tuner.learning_rate", "tuner.peak", "tuner.sigma", "tuner.initial")
_CASE = re.compile(r"case-(\d{4,})$")


class Missing(NamedTuple):
    """A case that has no trajectory yet."""
    path: Path


class Sweep(NamedTuple):
    runs: list  # of onedge_post.Run
    missing: list  # of Missing


class Family(NamedTuple):
    """Runs that differ in numbers of their tuner only, and the best of them."""
    name: str
    runs: list
    best: object  # a Run, or None where none has finished
    borders: list  # "η at the upper end of its grid"


def collect(paths) -> Sweep:
    """Runs, sweeps, and folders of these. Raises onedge_post.TrajectoryError where there is nothing."""
    runs, missing = [], []
    for path in map(Path, paths):
        found = _collect(path, runs, missing)
        if not found:
            raise onedge_post.TrajectoryError(f"{path}: there is no run in it")
    return Sweep(runs, missing)


def _collect(path, runs, missing) -> bool:
    if path.is_file() or (path / onedge_post.FILE_NAME).is_file():
        runs.append(onedge_post.load(path))
        return True
    if not path.is_dir():
        raise onedge_post.TrajectoryError(f"{path}: no such run")
    folders = sorted(child for child in path.iterdir() if child.is_dir())
    cases = [folder for folder in folders if _CASE.search(folder.name)]
    if not cases:
        return any([_collect(folder, runs, missing) for folder in folders])
    done = {}
    for folder in cases:
        if (folder / onedge_post.FILE_NAME).is_file():
            run = onedge_post.load(folder)
            done[int(_CASE.search(folder.name)[1])] = run
    count = max([run.attrs.get("cases", 0) for run in done.values()] +
                [int(_CASE.search(folder.name)[1]) + 1 for folder in cases])
    runs.extend(done[index] for index in sorted(done))
    missing.extend(Missing(path / f"case-{index:04d}") for index in range(count) if index not in done)
    return True


def score(run) -> float:
    """Mean loss over the last iterates; infinite where the run diverged, NaN where it is not at its end."""
    if run.status == "diverged":
        return np.inf
    if run.status != "finished" or not len(run.steps.get("loss", ())):
        return np.nan
    return float(np.mean(run.steps["loss"][-LAST:]))


def best_of(runs):
    """The finished run of the smallest score, or None."""
    finished = [run for run in runs if np.isfinite(score(run))]
    return min(finished, key=score) if finished else None


def families(runs) -> list:
    """Runs with a loss, grouped by all that differs between them but numbers of the tuner."""
    runs = [run for run in runs if "loss" in run.steps]
    decks = [flat(run.deck) for run in runs]
    keys = [key for key in differing_keys(decks)
            if not key.startswith("tuner.") or any(isinstance(deck.get(key), str) for deck in decks)]
    groups = {}
    for run, deck in zip(runs, decks):
        kind = deck.get("tuner.kind")
        named = [f"{name_of(key)}={number_text(deck[key])}" for key in keys if key in deck and key != "tuner.kind"]
        groups.setdefault(", ".join([str(kind), *named]), []).append(run)
    return [Family(name, group, best_of(group), borders(best_of(group), group)) for name, group in groups.items()]


def borders(best, runs) -> list:
    """Where the best of a family lies at the smallest or largest value of its grid (of three values or more)."""
    if best is None:
        return []
    found, here = [], flat(best.deck)
    for key in GRID_KEYS:
        values = sorted({flat(run.deck)[key] for run in runs if key in flat(run.deck)})
        if len(values) >= 3 and here.get(key) in (values[0], values[-1]):
            found.append(f"{name_of(key)} at the {'lower' if here[key] == values[0] else 'upper'} end of its grid")
    return found


def setting_text(run) -> str:
    """The tuner of a run with its main parameter."""
    deck = flat(run.deck)
    key = MAIN_KEY.get(deck.get("tuner.kind"))
    value = deck.get(f"tuner.{key}")
    return str(deck.get("tuner.kind")) + (f" {name_of(f'tuner.{key}')}={number_text(value)}" if value is not None else "")


def summary(sweep: Sweep) -> list:
    """Lines that say what a reader of the table must know."""
    lines = []
    for family in families(sweep.runs):
        diverged = sum(run.status == "diverged" for run in family.runs)
        unfinished = sum(run.status not in ("diverged", "finished") for run in family.runs)
        if family.best is None:
            text = "no run has finished"
        else:
            text = f"best {setting_text(family.best)}, loss {score(family.best):.6g} ({family.best.name})"
        notes = family.borders + [f"{count} {what}" for count, what in
                                  ((diverged, "diverged"), (unfinished, "not finished")) if count]
        lines.append(f"{family.name}: {text}" + (f"; {'; '.join(notes)}" if notes else ""))
    if sweep.missing:
        names = ", ".join(str(case.path) for case in sweep.missing[:8])
        more = f" and {len(sweep.missing) - 8} more" if len(sweep.missing) > 8 else ""
        lines.append(f"missing: {names}{more}")
    return lines
