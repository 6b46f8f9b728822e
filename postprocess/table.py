#!/usr/bin/env python3
"""Collects runs and sweeps into one table: what differs between them, how they ended, and the mean training loss over the
last five iterates, which says the best. Each RUN is a run directory, a sweep's directory, or a folder of these. Below the
table: the best run of every tuner, with a note where it lies at the border of its grid, and what is missing or diverged.
Exit codes: 0 done, 2 bad input."""
from __future__ import annotations

import argparse
import csv
import sys

try:
    import numpy as np

    import onedge_post
    import sweep
    from labels import differing_keys, flat, number_text
except ImportError as missing:
    print(f"table.py: needs NumPy and h5py: {missing}", file=sys.stderr)
    sys.exit(2)


def last(run, table, column):
    values = run.tables.get(table, {}).get(column, ())
    return float(values[-1]) if len(values) else None


def rows_of(collected) -> list:
    """One dictionary per case, missing ones included."""
    decks = [flat(run.deck) for run in collected.runs]
    keys = differing_keys(decks)
    rows = []
    for run, deck in zip(collected.runs, decks):
        steps = run.steps
        score = sweep.score(run)
        rows.append({"run": str(run.path.parent), "status": run.status, **{key: deck.get(key) for key in keys},
                     "steps": len(steps.get("step", ())), "loss": score if np.isfinite(score) else None,
                     "last_loss": last(run, "steps", "loss"),
                     "test_accuracy": last(run, "evaluation", "test_accuracy"),
                     "seconds": float(np.sum(steps["seconds"])) if "seconds" in steps else None})
    rows += [{"run": str(case.path), "status": "missing"} for case in collected.missing]
    columns = [name for name in dict.fromkeys(name for row in rows for name in row)
               if any(row.get(name) is not None for row in rows)]
    return [{name: row.get(name) for name in columns} for row in rows]


def cell(value) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else number_text(value)


def text_of(rows) -> str:
    names = list(rows[0])
    lines = [names] + [[cell(row[name]) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run, sweep, or folder of these")
    parser.add_argument("--csv", metavar="FILE", help="write the table there as well")
    arguments = parser.parse_args(arguments)
    try:
        collected = sweep.collect(arguments.runs)
        rows = rows_of(collected)
        if arguments.csv:
            with open(arguments.csv, "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
    except (onedge_post.ReadError, OSError) as error:
        print(f"table.py: {error}", file=sys.stderr)
        return 2
    print(text_of(rows) + "\n\n" + "\n".join(sweep.summary(collected)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
