#!/usr/bin/env python3
"""Plots one or several OnEdge runs side by side: loss, learning rate, curvature along the update, and what else the
trajectories hold. Each RUN is a run directory or a trajectory.h5. Exit codes: 0 drawn, 2 bad input."""
from __future__ import annotations

import argparse
import math
import sys
from typing import Callable, NamedTuple

try:
    import numpy as np

    from drawing import InputError, add_figure_options, colour, dashes, legend_below, plt, write_figure
    from edge import hessian_edge, optimizer_name, preconditioned_edge
    from labels import common_title, labels
    from matplotlib import ticker

    import onedge_post
except ImportError as missing:
    print(f"plot.py: needs NumPy, h5py and matplotlib: {missing}", file=sys.stderr)
    sys.exit(2)

GREY = "0.35"
EDGE_LINE = dict(color=GREY, linestyle=(0, (4, 3)), linewidth=1)
LIMIT_LINE = dict(linestyle=(0, (2.5, 1.5)), linewidth=1, alpha=0.75)
OPEN_MARKER = dict(marker="o", markersize=4.5, markerfacecolor="white", linestyle="none", zorder=3)
PALE_LINE = dict(linestyle="-", linewidth=0.7, alpha=0.4, zorder=1.5)


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


def eigenvalues(table):
    """Values [record, count]: a curve for the first eigenvalue, pale ones for the others."""
    return table_column(table, "eigenvalues")


def times_learning_rate(table):
    return combine(lambda rate, found: rate[:, None] * found, LEARNING_RATE, eigenvalues(table))


def edge_along_update(learning_rate, curvature, slope):
    """η uᵀHu / (−gᵀu): for gradient descent ηλ with λ the curvature in the gradient's direction; CDAT's σ. It has no
    meaning where the update does not descend."""
    return np.where(slope < 0, learning_rate * curvature / -slope, np.nan)


LEARNING_RATE = table_column("steps", "learning_rate")
RAYLEIGH = combine(lambda curvature, norm: curvature / norm**2, along_update("curvature"),
                   table_column("steps", "update_norm"))


def curvature_panel(run):
    return RAYLEIGH(run) or along_update("curvature")(run)


class Panel(NamedTuple):
    title: str
    label: str
    quantity: Callable  # run → (steps, values) or None
    scale: str = "log"
    edge: Callable | None = None  # deck → where the edge lies in this panel, or None
    edge_name: str = "edge of stability"
    limit: Callable | None = None  # deck → η·value at the edge, or None: the panel shows limit/η
    table: str = ""  # whose column `converged` belongs to the values


def sharpness_panels(title, symbol, table, edge):
    """The eigenvalues, and the learning rate times them."""
    return (Panel(title, f"${symbol}$", eigenvalues(table), "signed log", limit=edge, table=table),
            Panel(f"Learning rate × {title[0].lower()}{title[1:]}", rf"$\eta\,{symbol}$", times_learning_rate(table),
                  "linear", edge=edge, table=table))


PANELS = (
    Panel("Loss", "loss $f(w_t)$", table_column("steps", "loss")),
    Panel("Learning rate", r"$\eta_t$", LEARNING_RATE),
    Panel("Curvature along the update", r"$u^\top H u\,/\,\Vert u\Vert^2$", curvature_panel, "signed log"),
    Panel("Edge along the update", r"$\eta\,u^\top H u\,/\,(-g^\top u)$",
          combine(edge_along_update, LEARNING_RATE, along_update("curvature"), along_update("slope")), "linear",
          edge=lambda deck: 2.0, edge_name="on edge"),
    Panel("Gradient norm", r"$\Vert g_t\Vert$", table_column("steps", "gradient_norm")),
    *sharpness_panels("Sharpness", r"\lambda_1(H)", "sharpness", hessian_edge),
    *sharpness_panels("Preconditioned sharpness", r"\lambda_1(P^{-1/2}HP^{-1/2})", "preconditioned_sharpness",
                      preconditioned_edge),
    Panel("Gauss-Newton sharpness", r"$\lambda_1(G)$", eigenvalues("gauss_newton_sharpness"), "signed log",
          table="gauss_newton_sharpness"),
    Panel("Lowest curvature", r"$\lambda_{\min}(H)$", eigenvalues("lowest_curvature"), "signed log",
          table="lowest_curvature"),
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
        smallest = np.percentile(np.abs(values[values != 0]), 5)
        axes.set_yscale("symlog", linthresh=max(10.0 ** np.floor(np.log10(smallest)), 1e-12))
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
    """Returns what of MARKS the panel needs explained."""
    shown, curves, marks = [], [], set()
    scale = arguments.scale or panel.scale
    for index, run in enumerate(runs):
        found = panel.quantity(run)
        if not _has_values(found):
            continue
        steps, values = found[0], np.asarray(found[1], dtype=float)
        values = values.reshape(len(steps), -1)
        x = horizontal(run, arguments.x, steps)
        sparse = dict(marker="o", markersize=2.5) if len(steps) <= 40 else {}
        axes.plot(x, values[:, 0], dashes(index), color=colour(index), linewidth=1.2, **sparse)
        marks |= draw_others(axes, x, values, colour(index))
        marks |= draw_unconverged(axes, x, values, converged(run, panel.table, steps), colour(index))
        marks |= draw_limit(axes, x, values, panel, run, colour(index), 3 if scale == "linear" else 10)
        shown.append((run, colour(index), x))
        curves.append(values)
    edges = edges_of(panel, [run for run, _, _ in shown])
    if len(edges) > 1 and max(edges) > 4 * min(edges) and not arguments.scale:
        scale = "signed log"  # a linear one would squeeze the curves at the lower edge
    set_scale(axes, scale, curves)
    curves = [values[:, 0] for values in curves]
    limit_divergence(axes, [run for run, _, _ in shown], curves)
    if edges:
        draw_edges(axes, panel.edge_name, edges, curves)
    for (run, line_colour, x), values in zip(shown, curves):
        if run.status == "diverged":
            mark_end(axes, x, values, line_colour)
    name_ticks(axes)
    axes.set_title(panel.title)
    axes.set_ylabel(panel.label)
    return marks


def draw_others(axes, x, values, line_colour):
    """The eigenvalues beyond the first."""
    if not np.any(np.isfinite(values[:, 1:])):
        return set()
    axes.plot(x, values[:, 1:], color=line_colour, **PALE_LINE)
    return {"others"}


def converged(run, table, steps):
    """[step, count] of that table's records; None where it says nothing of it."""
    columns = run.tables.get(table, {})
    if "converged" not in columns:
        return None
    return columns["converged"][np.searchsorted(columns["step"], steps)] != 0


def draw_unconverged(axes, x, values, is_converged, line_colour):
    if is_converged is None:
        return set()
    where = np.isfinite(values) & ~is_converged
    for column, (open_ones, height) in enumerate(zip(where.T, values.T)):
        if open_ones.any():
            axes.plot(x[open_ones], height[open_ones], color=line_colour, alpha=0.4 if column else 1, **OPEN_MARKER)
    return {"unconverged"} if where.any() else set()


def draw_limit(axes, x, values, panel, run, line_colour, reach):
    """The eigenvalue at which each step's learning rate is on the edge, as far as it is near the measured ones."""
    edge = panel.limit(run.deck) if panel.limit else None
    at_steps = combine(lambda rate, _: edge / rate, LEARNING_RATE, panel.quantity)(run) if edge else None
    if at_steps is None or len(at_steps[0]) != len(x):
        return set()
    sizes = np.abs(values[:, 0][np.isfinite(values[:, 0])])
    near = (at_steps[1] <= reach * sizes.max()) & (at_steps[1] >= sizes.min() / reach)
    if not near.any():
        return set()
    axes.plot(x, np.where(near, at_steps[1], np.nan), color=line_colour, **LIMIT_LINE)
    return {"limit"}


def mark_end(axes, x, values, line_colour):
    """A cross where a diverged run ended, or left the panel for good."""
    low, high = axes.get_ylim()
    finite = np.flatnonzero(np.isfinite(values))
    inside = np.flatnonzero((values >= low) & (values <= high))
    last = min(inside[-1] + 1, finite[-1]) if len(inside) else finite[-1]
    height = np.clip(np.nan_to_num(values[last], nan=high), low, high)
    axes.plot(x[last], height, "X", color=line_colour, markersize=9, markeredgecolor="white", clip_on=False, zorder=5,
              scaley=False)


def edges_of(panel, runs):
    """{edge: names of the optimizers that have it in this panel}, without names where it is the edge of all runs."""
    edges = {}
    for run in runs if panel.edge else ():
        value = panel.edge(run.deck)
        edges.setdefault(value and round(value, 9), set()).add(optimizer_name(run.deck))
    if len(edges) == 1:
        edges = {value: set() for value in edges}
    edges.pop(None, None)
    return edges


def draw_edges(axes, name, edges, curves):
    """A line at each edge, in a window that shows what happens around it."""
    highest = max(edges)
    for value, optimizers in edges.items():
        axes.axhline(value, zorder=4, **EDGE_LINE)
        whose = f" ({', '.join(sorted(optimizers))})" if optimizers else ""
        axes.annotate(f"{name}: {value:.4g}{whose}", (0.99, value), xytext=(0, 3),
                      xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
                      fontsize=7, color=GREY, zorder=6,
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})
    if axes.get_yscale() == "linear":
        finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
        bottom, top = max(finite.min() * 1.1, -highest), finite.max() * 1.1
        axes.set_ylim(min(0.0, bottom), np.clip(top, 1.25 * highest, 4 * highest))


def grid(count):
    """Rows and columns for that many panels."""
    columns = {1: 1, 2: 2, 3: 3, 4: 2, 7: 4, 8: 4}.get(count, 3 if count < 10 else 4)
    return math.ceil(count / columns), columns


# What the legend explains where a panel has it.
MARKS = {"others": ("further eigenvalues", PALE_LINE),
         "limit": (r"edge$\,/\,\eta_t$", LIMIT_LINE),
         "unconverged": ("not converged", OPEN_MARKER)}


def draw(runs, arguments):
    panels = [panel for panel in PANELS if any(_has_values(panel.quantity(run)) for run in runs)]
    if not panels:
        raise InputError(f"{runs[0].path}: there is no step in it yet" if len(runs) == 1 else "no run has a step yet")
    rows, columns = grid(len(panels))
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(4.3 * columns, 2.75 * rows + 0.9),
                                sharex=True, constrained_layout=True)
    used = set()
    for panel, panel_axes in zip(panels, axes.flat):
        used |= draw_panel(panel_axes, panel, runs, arguments)
    for index, panel_axes in enumerate(axes.flat):
        panel_axes.set_visible(index < len(panels))
        if index + columns >= len(panels):
            panel_axes.set_xlabel("step $t$" if arguments.x == "step" else "wall time (s)")
            panel_axes.tick_params(labelbottom=True)
    title = arguments.title if arguments.title is not None else common_title(runs)
    if title:
        figure.suptitle(title, fontsize=12)
    add_legend(figure, runs, used, columns)
    return figure


def add_legend(figure, runs, marks, columns):
    names = labels(runs)
    handles = [plt.Line2D([], [], color=colour(index), linestyle=dashes(index), linewidth=2)
               for index in range(len(runs))]
    explained = [MARKS[mark] for mark in MARKS if mark in marks]
    handles += [plt.Line2D([], [], color=GREY, **style) for _, style in explained]
    names += [text for text, _ in explained]
    widest = max(len(name) for name in names)
    legend_below(figure, handles, names, 38 * columns // (widest + 6))


def _has_values(found):
    return found is not None and bool(np.any(np.isfinite(found[1] if found[1].ndim == 1 else found[1][:, 0])))


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory or trajectory.h5")
    add_figure_options(parser)
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--linear", dest="scale", action="store_const", const="linear", help="linear scales everywhere")
    scale.add_argument("--log", dest="scale", action="store_const", const="log", help="logarithmic scales everywhere")
    parser.add_argument("--x", choices=("step", "seconds"), default="step", help="horizontal axis (default: step)")
    return parser.parse_args(arguments)


def main(arguments=None) -> int:
    arguments = parse(arguments)
    return write_figure("plot.py", arguments.output,
                        lambda: draw([onedge_post.load(path) for path in arguments.runs], arguments))


if __name__ == "__main__":
    sys.exit(main())
