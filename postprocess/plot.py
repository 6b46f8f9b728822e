#!/usr/bin/env python3
"""Plots one or several OnEdge runs side by side: loss, learning rate, curvature along the update, and what else the
trajectories hold. Each RUN is a run directory or a trajectory.h5. Exit codes: 0 drawn, 2 bad input."""
from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

try:
    import matplotlib
    import numpy as np

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib import ticker

    import onedge_post
    from labels import common_title, labels
except ImportError as missing:
    print(f"plot.py: needs NumPy, h5py and matplotlib: {missing}", file=sys.stderr)
    sys.exit(2)

# Okabe and Ito's colours, told apart by colour-blind readers; dashes when there are more runs than colours.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
EDGE = 2.0


class InputError(Exception):
    """Something that the user can mend, in one line."""


def table_column(table, name):
    """A quantity that stands in a table as it is: run → (steps, values) or None."""

    def values(run):
        columns = run.tables.get(table, {})
        return (columns["step"], columns[name]) if name in columns else None

    return values


def along_update(name):
    """slope or curvature: at every step, or in a table of its own when measured at another cadence."""

    def values(run):
        return table_column("steps", name)(run) or table_column("curvature", name)(run)

    return values


def combine(function, *quantities):
    """function of several quantities at the steps that have all of them."""

    def values(run):
        found = [quantity(run) for quantity in quantities]
        if any(item is None for item in found):
            return None
        steps = found[0][0]
        for other, _ in found[1:]:
            steps = np.intersect1d(steps, other)
        with np.errstate(all="ignore"):
            return steps, function(*(data[np.searchsorted(at, steps)] for at, data in found))

    return values


def top_eigenvalue(table):
    def values(run):
        found = table_column(table, "eigenvalues")(run)
        return (found[0], found[1][:, 0]) if found else None

    return values


def edge_along_update(learning_rate, curvature, slope):
    """η uᵀHu / (−gᵀu): for gradient descent ηλ with λ the curvature in the gradient's direction; CDAT's σ. It has no
    meaning where the update does not descend."""
    return np.where(slope < 0, learning_rate * curvature / -slope, np.nan)


LEARNING_RATE = table_column("steps", "learning_rate")
RAYLEIGH = combine(lambda curvature, norm: curvature / norm**2, along_update("curvature"),
                   table_column("steps", "update_norm"))


def curvature_panel(run):
    return RAYLEIGH(run) or along_update("curvature")(run)


# (title, y label, run → (steps, values) or None, scale, whether the edge is drawn)
PANELS = (
    ("Loss", "loss $f(w_t)$", table_column("steps", "loss"), "log", False),
    ("Learning rate", r"$\eta_t$", LEARNING_RATE, "log", False),
    ("Curvature along the update", r"$u^\top H u\,/\,\Vert u\Vert^2$", curvature_panel, "signed log", False),
    ("Edge along the update", r"$\eta\,u^\top H u\,/\,(-g^\top u)$",
     combine(edge_along_update, LEARNING_RATE, along_update("curvature"), along_update("slope")), "linear", True),
    ("Gradient norm", r"$\Vert g_t\Vert$", table_column("steps", "gradient_norm"), "log", False),
    ("Sharpness", r"$\lambda_1(H)$", top_eigenvalue("sharpness"), "signed log", False),
    ("Learning rate × sharpness", r"$\eta\,\lambda_1(H)$", table_column("sharpness", "edge"), "linear", True),
    ("Preconditioned sharpness", r"$\lambda_1(P^{-1/2}HP^{-1/2})$", top_eigenvalue("preconditioned_sharpness"),
     "signed log", False),
    ("Learning rate × preconditioned sharpness", r"$\eta\,\lambda_1(P^{-1/2}HP^{-1/2})$",
     table_column("preconditioned_sharpness", "edge"), "linear", True),
)


def horizontal(run, axis, steps):
    """Where records of these steps lie on the horizontal axis."""
    if axis == "step":
        return steps
    if "seconds" not in run.steps:
        raise InputError(f"{run.path}: it has no seconds; use --x step")
    elapsed = np.cumsum(run.steps["seconds"])
    return elapsed[np.minimum(np.searchsorted(run.steps["step"], steps), len(elapsed) - 1)]


def set_scale(axes, scale, lines):
    values = np.concatenate([line[np.isfinite(line)] for line in lines] or [np.zeros(0)])
    positive = values[values > 0]
    if scale == "signed log" and np.any(values < 0) and len(positive):
        axes.set_yscale("symlog", linthresh=max(np.percentile(np.abs(values[values != 0]), 5), 1e-12))
    elif scale in ("log", "signed log") and len(positive):
        axes.set_yscale("log", nonpositive="mask")


def limit_divergence(axes, runs, curves):
    """Keeps a diverged run's last steps from squeezing everything else into a line."""
    calm = [curve if run.status != "diverged" else curve[: max(1, len(curve) // 2)] for run, curve in zip(runs, curves)]
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in calm])
    scale = axes.get_yscale()
    if scale == "log":
        finite = finite[finite > 0]
    if not any(run.status == "diverged" for run in runs) or not len(finite):
        return
    low, high = axes.get_ylim()
    top = 1.2 * finite.max() if scale == "linear" else 5 * finite.max()
    if low < top < high:
        axes.set_ylim(finite.min() / 1.3 if scale == "log" else low, top)


def name_ticks(axes):
    """Plain numbers (0.02, 0.05) where a logarithmic axis spans less than about two decades."""
    low, high = axes.get_ylim()
    if axes.get_yscale() != "log" or high / low > 150 or not 1e-4 < low < high < 1e5:
        return
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if high / low > 3 else range(1, 10)))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def draw_panel(axes, panel, runs, arguments):
    title, label, quantity, scale, has_edge = panel
    shown, curves = [], []
    for index, run in enumerate(runs):
        found = quantity(run)
        if found is None or not np.any(np.isfinite(found[1])):
            continue
        steps, values = found[0], np.asarray(found[1], dtype=float)
        style = DASHES[index // len(COLOURS) % len(DASHES)]
        x = horizontal(run, arguments.x, steps)
        sparse = dict(marker="o", markersize=2.5) if len(steps) <= 40 else {}
        axes.plot(x, values, style, color=COLOURS[index % len(COLOURS)], linewidth=1.2, **sparse)
        shown.append((run, COLOURS[index % len(COLOURS)], x))
        curves.append(values)
    set_scale(axes, arguments.scale or scale, curves)
    limit_divergence(axes, [run for run, _, _ in shown], curves)
    if has_edge:
        draw_edge(axes, curves)
    for (run, colour, x), values in zip(shown, curves):
        if run.status == "diverged":
            mark_end(axes, x, values, colour)
    name_ticks(axes)
    axes.set_title(title)
    axes.set_ylabel(label)


def mark_end(axes, x, values, colour):
    """A cross where a diverged run ended, or left the panel for good."""
    low, high = axes.get_ylim()
    finite = np.flatnonzero(np.isfinite(values))
    inside = np.flatnonzero((values >= low) & (values <= high))
    last = min(inside[-1] + 1, finite[-1]) if len(inside) else finite[-1]
    height = np.clip(np.nan_to_num(values[last], nan=high), low, high)
    axes.plot(x[last], height, "X", color=colour, markersize=9, markeredgecolor="white", clip_on=False, zorder=5,
              scaley=False)


def draw_edge(axes, curves):
    """The line at 2, in a window that shows what happens around it."""
    axes.axhline(EDGE, color="0.35", linestyle=(0, (4, 3)), linewidth=1, zorder=4)
    if axes.get_yscale() == "linear":
        finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
        bottom, top = max(finite.min() * 1.1, -EDGE), finite.max() * 1.1
        axes.set_ylim(min(0.0, bottom), np.clip(top, 1.25 * EDGE, 3 * EDGE))
    axes.annotate("edge of stability", (0.99, EDGE), xycoords=("axes fraction", "data"), xytext=(0, 3),
                  textcoords="offset points", ha="right", fontsize=7, color="0.35", zorder=6,
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})


def grid(count):
    """Rows and columns for that many panels."""
    columns = {1: 1, 2: 2, 3: 3, 4: 2, 7: 4, 8: 4}.get(count, 3)
    return math.ceil(count / columns), columns


def draw(runs, arguments):
    panels = [panel for panel in PANELS if any(_has_values(panel[2](run)) for run in runs)]
    if not panels:
        raise InputError(f"{runs[0].path}: there is no step in it yet" if len(runs) == 1 else "no run has a step yet")
    rows, columns = grid(len(panels))
    names = labels(runs)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(4.3 * columns, 2.75 * rows + 0.9),
                                sharex=True, constrained_layout=True)
    for panel, panel_axes in zip(panels, axes.flat):
        draw_panel(panel_axes, panel, runs, arguments)
    for index, panel_axes in enumerate(axes.flat):
        panel_axes.set_visible(index < len(panels))
        if index + columns >= len(panels):
            panel_axes.set_xlabel("step $t$" if arguments.x == "step" else "wall time (s)")
            panel_axes.tick_params(labelbottom=True)
    handles = [plt.Line2D([], [], color=COLOURS[i % len(COLOURS)], linestyle=DASHES[i // len(COLOURS) % len(DASHES)],
                          linewidth=2) for i in range(len(runs))]
    title = arguments.title if arguments.title is not None else common_title(runs)
    if title:
        figure.suptitle(title, fontsize=12)
    widest = max(len(name) for name in names)
    per_row = int(np.clip(38 * columns // (widest + 6), 1, len(names)))
    figure.legend(handles, names, ncol=per_row, frameon=False, **legend_place())
    return figure


def legend_place():
    """Below the panels; matplotlib 3.7 can keep the room free by itself, older ones are told where."""
    version = tuple(int(part) for part in matplotlib.__version__.split(".")[:2])
    if version >= (3, 7):
        return {"loc": "outside lower center"}
    return {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}


def _has_values(found):
    return found is not None and bool(np.any(np.isfinite(found[1])))


STYLE = {"font.size": 9, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
         "grid.color": "0.9", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.fontsize": 9, "savefig.dpi": 160}


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory or trajectory.h5")
    parser.add_argument("-o", "--output", required=True, type=Path, help="figure to write: .png, .pdf or .svg")
    parser.add_argument("--title", help="title of the figure (default: what the runs have in common)")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--linear", dest="scale", action="store_const", const="linear", help="linear scales everywhere")
    scale.add_argument("--log", dest="scale", action="store_const", const="log", help="logarithmic scales everywhere")
    parser.add_argument("--x", choices=("step", "seconds"), default="step", help="horizontal axis (default: step)")
    return parser.parse_args(arguments)


def main(arguments=None) -> int:
    arguments = parse(arguments)
    try:
        if arguments.output.suffix not in (".png", ".pdf", ".svg"):
            raise InputError(f"{arguments.output}: the figure's name must end in .png, .pdf or .svg")
        runs = [onedge_post.load(path) for path in arguments.runs]
        with plt.rc_context(STYLE):
            figure = draw(runs, arguments)
            figure.savefig(arguments.output, bbox_inches="tight")
    except (InputError, onedge_post.TrajectoryError, OSError) as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
