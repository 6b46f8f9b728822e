#!/usr/bin/env python3
"""Shows in the terminal how a run, or a sweep, is getting on: status, steps, loss, learning rate, and the course of the
loss. Ends when nothing runs any more (or with Ctrl-C). Exit codes: 0 all ended, 2 bad input."""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

try:
    import numpy as np

    import onedge_post
    import sweep
except ImportError as missing:
    print(f"watch.py: needs NumPy and h5py: {missing}", file=sys.stderr)
    sys.exit(2)

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values, width) -> str:
    """The course of positive values on a logarithmic scale."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return ""
    picked = np.log(values[np.linspace(0, len(values) - 1, min(width, len(values))).astype(int)])
    span = np.ptp(picked) or 1.0
    return "".join(BARS[int(round((value - picked.min()) / span * (len(BARS) - 1)))] for value in picked)


def goal(run):
    """Number of steps that the run is to make; None where the deck gives epochs."""
    return (run.deck.get("run") or {}).get("steps")


def lines_of(run, width) -> list:
    steps = run.steps
    done, total = len(steps.get("step", ())), goal(run)
    age = time.time() - run.path.stat().st_mtime
    lines = [f"{run.path.parent}: {run.status}, step {done}" + (f" of {total}" if total else "") +
             (f", written {age:.0f} s ago" if run.status == "running" else "")]
    if not done:
        return lines
    shown = [f"{name.replace('_', ' ')} {steps[name][-1]:.5g}" for name in ("loss", "learning_rate", "gradient_norm")
             if name in steps]
    if "sharpness" in run.tables:
        shown.append(f"sharpness {run.tables['sharpness']['eigenvalues'][-1, 0]:.5g}")
        shown.append(f"edge {run.tables['sharpness']['edge'][-1]:.4g}")
    if "seconds" in steps and total and run.status == "running":
        left = (total - done) * float(np.mean(steps["seconds"][-100:]))
        shown.append(f"{left / 60:.0f} min left")
    lines.append("  " + ", ".join(shown))
    if "loss" in steps:
        lines.append("  loss " + sparkline(steps["loss"], width - 8))
    lines += [f"  warning at step {step}: {text}" for step, text in run.warnings[-2:]]
    return lines


def overview(collected, width) -> list:
    """A line for every case."""
    counts = {}
    lines = []
    for run in collected.runs:
        counts[run.status] = counts.get(run.status, 0) + 1
        done, total = len(run.steps.get("step", ())), goal(run)
        loss = f"loss {run.steps['loss'][-1]:<10.4g}" if done and "loss" in run.steps else ""
        name = f"{run.path.parent.name:10}" if run.path.parent.name.startswith("case-") else str(run.path.parent)
        lines.append(f"{name} {run.status:11} {done}/{total or '?'} {loss} {sparkline(run.steps.get('loss', ()), 16)} "
                     f"{sweep.setting_text(run)}"[:width])
    lines += [f"{case.path.name:10} missing" for case in collected.missing]
    if collected.missing:
        counts["missing"] = len(collected.missing)
    return [", ".join(f"{count} {status}" for status, count in counts.items()), *lines]


def snapshot(path, width):
    """(lines, whether all has ended)"""
    collected = sweep.collect([path])
    ended = not collected.missing and all(run.status in ("finished", "diverged", "failed") for run in collected.runs)
    single = len(collected.runs) == 1 and not collected.missing
    return (lines_of(collected.runs[0], width) if single else overview(collected, width)), ended


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="run directory, or a sweep's")
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="between two looks (default: 5)")
    parser.add_argument("--once", action="store_true", help="look once")
    arguments = parser.parse_args(arguments)
    terminal = sys.stdout.isatty()
    try:
        while True:
            width = 100
            lines, ended = snapshot(arguments.directory, width)
            print(("\x1b[H\x1b[J" if terminal and not arguments.once else "") + "\n".join(lines), flush=True)
            if ended or arguments.once:
                return 0
            time.sleep(arguments.every)
    except KeyboardInterrupt:
        return 0
    except (onedge_post.ReadError, OSError) as error:
        print(f"watch.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
