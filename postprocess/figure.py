#!/usr/bin/env python3
"""Draws a figure of "Stepping on the Edge" (Roulet et al. 2024), 1 to 21, in the paper's panels, from runs of the decks
inputs/figNN-*.yaml. Each RUN is a run directory, a sweep's directory, or a folder of these; of every grid of learning rates
the best run is drawn (smallest mean training loss over the last five iterates). Exit codes: 0 drawn, 2 bad input."""
from __future__ import annotations

import argparse
import sys
from typing import Callable, NamedTuple

try:
    import numpy as np

    from drawing import COLOURS, InputError, add_figure_options, legend_below, plt, write_figure
    from edge import hessian_edge, preconditioned_edge
    from labels import differing_keys, flat, name_of, number_text
    from plot import EDGE_LINE, combine, eigenvalues, table_column, times_learning_rate

    import sweep
except ImportError as missing:
    print(f"figure.py: needs NumPy, h5py and matplotlib: {missing}", file=sys.stderr)
    sys.exit(2)


class Row(NamedTuple):
    """One quantity; of a sweep's settings each has a panel of its own beside the others."""
    label: str
    quantity: Callable  # run → (steps, values) or None
    scale: str = "log"
    edge: Callable | None = None  # run → height of the edge of stability, or None
    needs: str = ""  # the deck's key without which there is nothing to see


def first(quantity):
    """Of several eigenvalues the largest."""
    def values(run):
        found = quantity(run)
        return found and (found[0], np.asarray(found[1]).reshape(len(found[0]), -1)[:, 0])

    return values


def either(run, of_hessian, of_preconditioned):
    """The preconditioned Hessian's where the optimizer has a preconditioner and it was measured."""
    own = run.deck["optimizer"]["kind"] in ("rmsprop", "adam")
    return of_preconditioned if own and "preconditioned_sharpness" in run.tables else of_hessian


def of_sharpness(make):
    quantities = make("sharpness"), make("preconditioned_sharpness")
    return lambda run: either(run, *quantities)(run)


def error(run):
    found = table_column("evaluation", "test_accuracy")(run)
    return found and (found[0], 1 - found[1])


def edge(run):
    return either(run, hessian_edge, preconditioned_edge)(run.deck)


SHARPNESS = "measure.sharpness.every"
LOSS = Row("train loss", table_column("steps", "loss"))
RATE = Row(r"learning rate $\eta$", table_column("steps", "learning_rate"))
NORM = Row(r"gradient norm $\Vert g\Vert$", table_column("steps", "gradient_norm"))
LAMBDA = Row(r"sharpness $\lambda$", of_sharpness(lambda table: first(eigenvalues(table))), needs=SHARPNESS)
PRODUCT = Row(r"$\eta\lambda$", of_sharpness(lambda table: first(times_learning_rate(table))), "linear", edge, SHARPNESS)
ALIGNMENT = Row("alignment with $v_1$", of_sharpness(lambda table: table_column(table, "alignment")), "linear",
                needs=SHARPNESS)
COSINE = Row("cosine of successive updates", table_column("steps", "update_cosine"), "linear")
ERROR = Row("test error", error, needs="measure.evaluation.every")
TOY = {name: Row(label, table_column("steps", name), scale) for name, label, scale in (
    ("learning_rate", r"$\eta$", "linear"), ("sharpness", r"$\lambda$", "linear"), ("p", "$p$", "log"))}
TOY_Y = Row(r"$y = \eta\lambda - 2$", table_column("steps", "y"), "linear", lambda run: 0.0)

ROWS = {1: (LOSS,), 2: (LOSS,), 3: (RATE, LAMBDA, PRODUCT, NORM), 5: (LOSS, RATE), 6: (LAMBDA, PRODUCT, NORM),
        8: (LOSS, ERROR, RATE), 12: (RATE, LAMBDA, PRODUCT, ALIGNMENT), 13: (LOSS, RATE, LAMBDA, PRODUCT), 14: (LOSS,),
        15: (LOSS, RATE, LAMBDA, PRODUCT), 17: (ALIGNMENT, COSINE), 19: (LOSS, RATE), 20: (LOSS, ERROR, RATE),
        21: (LOSS, ERROR, RATE)}
TOY_ROWS = {4: (TOY["learning_rate"], TOY["sharpness"], TOY_Y), 9: (TOY["learning_rate"], TOY["sharpness"], TOY_Y),
            10: (TOY["p"],), 11: (TOY["p"],)}
# One setting: its panels stand side by side; several: one column each.
MODELS = {"resnet34": "ResNet34", "resnet50": "ResNet50", "mixer_ti8": "Mixer", "vit_ti32": "ViT", "nanolm": "NanoLM",
          "mlp": "MLP", "linear": "linear"}


def curve_name(run) -> str:
    """The runs of one curve: the best of a grid of learning rates, or one with the named parameter."""
    deck = flat(run.deck)
    kind = deck["tuner.kind"]
    if kind == "cdat" and deck["tuner.sigma"] == 1:
        return "greedy (CDAT σ=1.0)"
    named = {"cdat": ("CDAT", "σ", "sigma"), "sharpness": ("exact sharpness", "σ", "sigma"),
             "polyak": ("Polyak", "η max", "maximum")}.get(kind)
    if named:
        return f"{named[0]} {named[1]}={number_text(deck[f'tuner.{named[2]}'])}"
    return {"constant": "tuned constant", "schedule": "tuned schedule"}.get(kind, kind)


def style_of(names) -> dict:
    """The constant is black and dashed, as in every figure; others in the order that they come in."""
    styles = {}
    for name in names:
        if name == "tuned constant":
            styles[name] = dict(color="black", linestyle="--")
        else:
            index = sum(other != "tuned constant" for other in styles)
            styles[name] = dict(color=COLOURS[index % 6], linestyle="-" if index < 6 else "-.")
    return styles


def settings_of(runs) -> dict:
    """{title: runs} of what differs besides the tuner: network, data, optimizer, batch size."""
    keys = ("model.kind", "data.set", "optimizer.kind", "batch.size")
    decks = [flat(run.deck) for run in runs]
    several = [key for key in keys if len({deck.get(key) for deck in decks}) > 1] or ["model.kind"]
    groups = {}
    for run, deck in zip(runs, decks):
        words = [MODELS.get(deck.get(key), str(deck.get(key))) if key != "batch.size" else f"batch {deck.get(key)}"
                 for key in several]
        groups.setdefault(", ".join(words), []).append(run)
    return groups


def best_curves(runs) -> dict:
    """{name: run}, the best run of each curve, or one that diverged where all did."""
    groups = {}
    for run in runs:
        groups.setdefault(curve_name(run), []).append(run)
    order = sorted(groups, key=lambda name: (name != "tuned constant", not name.startswith("tuned"), name))
    return {name: sweep.best_of(groups[name]) or max(groups[name], key=lambda run: len(run.steps["step"]))
            for name in order}


def legend_text(name, runs):
    """With the best value where it is one and the same in every panel, and what diverged."""
    rates = {flat(run.deck).get("tuner.learning_rate") for run in runs} - {None}
    text = name + (f" η={number_text(*rates)}" if len(rates) == 1 else "")
    return text + (" (diverged)" if all(run.status == "diverged" for run in runs) else "")


def draw_row(axes, row, curves, styles):
    drawn = []
    for name, run in curves.items():
        found = row.quantity(run)
        if found is None or not np.any(np.isfinite(found[1])):
            continue
        values = np.asarray(found[1], dtype=float)
        if row.scale == "log":
            values = np.where(values > 0, values, np.nan)
        axes.plot(found[0], values, linewidth=1.1, **styles[name])
        calm = values[: max(1, len(values) // 2)] if run.status == "diverged" else values
        drawn.append(calm[np.isfinite(calm)])
    if not drawn:
        axes.text(0.5, 0.5, "not measured" + (f"\n({row.needs})" if row.needs else ""), ha="center",
                  transform=axes.transAxes, color="0.5")
        return
    drawn = np.concatenate(drawn)
    axes.set_yscale(row.scale)
    edges = {row.edge(run) for run in curves.values()} - {None} if row.edge else set()
    for height in edges:
        axes.axhline(height, **EDGE_LINE)
    if row.scale == "linear" and edges and max(edges) > 0:
        axes.set_ylim(min(0.0, max(drawn.min(), -max(edges))), np.clip(1.1 * drawn.max(), 1.25 * max(edges), 4 * max(edges)))
    elif row.scale == "log" and len(drawn):
        axes.set_ylim(drawn.min() / 1.5, drawn.max() * 2)


def grid_of(count_rows, count_columns):
    """Axes [row][column]; the rows of a single setting stand side by side."""
    turned = count_columns == 1
    shape = (count_columns, count_rows) if turned else (count_rows, count_columns)
    figure, axes = plt.subplots(*shape, squeeze=False, figsize=(3.6 * shape[1] + 0.4, 2.6 * shape[0] + 0.8),
                                constrained_layout=True)
    return figure, axes.T if turned else axes


def polyak_and_hypergradient(runs):
    """Figure 13 has one line of panels for Polyak's stepsizes and CDAT, and one for the hyper-gradient."""
    kinds = {title: [run for run in runs if run.deck["tuner"]["kind"] in ("constant", *kinds)]
             for title, kinds in (("Polyak, CDAT", ("polyak", "cdat")), ("hyper-gradient", ("hypergradient",)))}
    return {title: group for title, group in kinds.items() if group}


def draw_curves(rows, runs, split=settings_of):
    settings = {title: best_curves(group) for title, group in split(runs).items()}
    every = list(dict.fromkeys(name for curves in settings.values() for name in curves))
    styles = style_of(every)
    figure, axes = grid_of(len(rows), len(settings))
    for column, (title, curves) in enumerate(settings.items()):
        for line, row in enumerate(rows):
            panel = axes[line][column]
            draw_row(panel, row, curves, styles)
            if line == 0 and len(settings) > 1:
                panel.set_title(title)
            if column == 0 or len(settings) == 1:
                panel.set_ylabel(row.label)
            if line == len(rows) - 1 or len(settings) == 1:
                panel.set_xlabel("step $t$")
    names = [legend_text(name, [curves[name] for curves in settings.values() if name in curves]) for name in every]
    add_legend(figure, [styles[name] for name in every], names, axes.size)
    return figure


def add_legend(figure, styles, names, panels):
    handles = [plt.Line2D([], [], linewidth=2, **style) for style in styles]
    legend_below(figure, handles, names, max(2, min(panels, 4) * 45 // (max(map(len, names)) + 8)))


def draw_toys(rows, runs):
    figure, axes = grid_of(len(rows), 1)
    decks = [flat(run.deck) for run in runs]
    names = [f"CDAT σ={number_text(deck['dynamics.sigma'])}" if deck["dynamics.rule"] == "cdat" else
             {"constant": "constant η", "fixed": f"fixed y={number_text(deck.get('dynamics.offset'))}"}[deck["dynamics.rule"]]
             for deck in decks]
    styles = [dict(color=COLOURS[index % len(COLOURS)]) for index in range(len(runs))]
    for panel, row in zip(axes[:, 0], rows):
        draw_row(panel, row, dict(zip(range(len(runs)), runs)), dict(enumerate(styles)))
        panel.set_ylabel(row.label)
        panel.set_xlabel("step $t$")
        if max(len(run.steps["step"]) for run in runs) > 2000:
            panel.set_xscale("symlog", linthresh=10)
        panel.set_xlim(left=0)
        if row is TOY_Y:  # where a run starts far from the edge, its first steps would hide the others
            heights = np.concatenate([run.steps["y"][2:] for run in runs])
            panel.set_ylim(1.15 * min(heights.min(), 0), 1.15 * max(heights.max(), 0.02))
    add_legend(figure, styles, names, len(rows))
    return figure


def draw_heat_map(runs):
    """Figure 7: the loss of each batch size and σ, over the best of that batch size; one panel for each β."""
    values = {}
    for run in runs:
        deck = flat(run.deck)
        if deck.get("tuner.kind") == "cdat" and isinstance(deck.get("batch.size"), int):
            values[deck["tuner.ema"], deck["batch.size"], deck["tuner.sigma"]] = sweep.score(run)
    if not values:
        raise InputError("figure 7 needs runs of CDAT with mini-batches")
    averages, sizes, sigmas = (sorted({key[i] for key in values}) for i in range(3))
    best = {size: min([loss for key, loss in values.items() if key[1] == size and np.isfinite(loss)], default=np.nan)
            for size in sizes}
    figure, axes = plt.subplots(1, len(averages), squeeze=False, constrained_layout=True,
                                figsize=(1.2 + 3.4 * len(averages), 1.4 + 0.45 * len(sizes)), sharey=True)
    for panel, average in zip(axes[0], averages):
        table = np.array([[values.get((average, size, sigma), np.nan) / best[size] for sigma in sigmas] for size in sizes])
        table[~np.isfinite(table)] = np.nan
        image = panel.pcolormesh(np.arange(len(sigmas) + 1), np.arange(len(sizes) + 1), table, cmap="viridis_r",
                                 norm=plt.matplotlib.colors.LogNorm(1, max(np.nanmax(table), 1.01)))
        for row, line in enumerate(table):
            if np.any(np.isfinite(line)):
                panel.plot(np.nanargmin(line) + 0.5, row + 0.5, "*", color="white", markersize=10)
        panel.set_xticks(np.arange(len(sigmas)) + 0.5, [number_text(sigma) for sigma in sigmas])
        panel.set_yticks(np.arange(len(sizes)) + 0.5, sizes)
        panel.grid(False)
        panel.set_facecolor("0.85")
        panel.set_title(f"β = {number_text(average)}")
        panel.set_xlabel("σ")
        figure.colorbar(image, ax=panel, label="loss / best of the batch size" if panel is axes[0][-1] else None)
    axes[0][0].set_ylabel("batch size")
    return figure


def mean_of(curves):
    """Mean over runs, as far as all of them go."""
    length = min(len(values) for values in curves)
    return np.mean([values[:length] for values in curves], axis=0)


def draw_gain(runs):
    """Figure 16: losses, and what a step on the edge loses against a greedy one, along runs of σ = 1 and 2."""
    groups = {}
    for run in runs:
        if "gain" not in run.tables:
            raise InputError(f"{run.path}: figure 16 needs measure.gain.every")
        groups.setdefault(curve_name(run), []).append(run)
    figure, axes = grid_of(2, 1)
    styles = style_of(groups)
    for name, group in groups.items():
        loss = mean_of([run.steps["loss"] for run in group])
        axes[0][0].plot(np.arange(len(loss)), loss, **styles[name])
        gains = mean_of([run.tables["gain"]["on_edge"] - run.tables["gain"]["greedy"] for run in group])
        steps = group[0].tables["gain"]["step"][: len(gains)]
        axes[1][0].plot(steps, np.where(gains > 0, gains, np.nan), linewidth=1, **styles[name])
    for panel, label in zip(axes[:, 0], ("train loss", r"$f(w+\eta_{oe}u) - f(w+\eta_{qg}u)$")):
        panel.set_yscale("log")
        panel.set_xlabel("step $t$")
        panel.set_ylabel(label)
    count = len(next(iter(groups.values())))
    add_legend(figure, list(styles.values()), [f"{name}, mean of {count}" for name in groups], 2)
    return figure


def draw_sensitivity(runs):
    """Figure 18: final loss against width, depth, weight decay, or size of the subset, a panel for each."""
    by_folder = {}
    for run in runs:
        by_folder.setdefault(run.path.parent.parent, []).append(run)
    columns = min(2, len(by_folder))
    figure, axes = plt.subplots(-(-len(by_folder) // columns), columns, squeeze=False, constrained_layout=True,
                                figsize=(4.4 * columns, 3 * -(-len(by_folder) // columns) + 0.8))
    names = sorted({curve_name(run) for run in runs}, key=lambda name: (name != "tuned constant", name))
    styles = style_of(names)
    for panel, group in zip(axes.flat, by_folder.values()):
        draw_sensitivity_panel(panel, group, names, styles)
    add_legend(figure, [styles[name] for name in names], names, columns)
    return figure


def draw_sensitivity_panel(panel, runs, names, styles):
    decks = [flat(run.deck) for run in runs]
    keys = [key for key in differing_keys(decks) if key in ("model.hidden", "loss.weight_decay", "data.samples")]
    if len(keys) != 1:
        raise InputError(f"{runs[0].path.parent.parent}: figure 18 needs a sweep of one of model.hidden, loss.weight_decay, "
                         "data.samples")
    values = sorted({str(deck[keys[0]]): deck[keys[0]] for deck in decks}.values(),
                    key=lambda value: (len(value), value) if isinstance(value, list) else value)
    for name in names:
        best = [sweep.best_of([run for run, deck in zip(runs, decks) if deck[keys[0]] == value and curve_name(run) == name])
                for value in values]
        panel.plot(range(len(values)), [np.nan if run is None else run.steps["data_loss"][-sweep.LAST:].mean() for run in best],
                   marker="o", markersize=3, **styles[name])
    panel.set_xticks(range(len(values)), [f"{len(value)} × {value[0]}" if isinstance(value, list) else number_text(value)
                                          for value in values])
    panel.set_yscale("log")
    panel.set_xlabel("hidden layers × width" if keys[0] == "model.hidden" else name_of(keys[0]))
    panel.set_ylabel("final train loss")


def check_kind(number, runs):
    """Runs of toy models for the figures of toy models, trained ones for the others."""
    for run in runs:
        if ("dynamics" in run.deck) != (number in TOY_ROWS):
            what = "toy models (onedge dynamics)" if number in TOY_ROWS else "trained networks (onedge train)"
            raise InputError(f"{run.path}: figure {number} shows {what}")


def draw(number, paths, title=None):
    runs = [run for run in sweep.collect(paths).runs if len(run.steps.get("step", ()))]
    if not runs:
        raise InputError("no run has a step yet")
    check_kind(number, runs)
    if number in ROWS:
        figure = draw_curves(ROWS[number], runs, polyak_and_hypergradient if number == 13 else settings_of)
    elif number in TOY_ROWS:
        figure = draw_toys(TOY_ROWS[number], runs)
    else:
        figure = {7: draw_heat_map, 16: draw_gain, 18: draw_sensitivity}[number](runs)
    figure.suptitle(title if title is not None else f"Figure {number}", fontsize=11)
    return figure


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, choices=range(1, 22), metavar="NN", help="number of the figure, 1 to 21")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run, sweep, or folder of these")
    add_figure_options(parser)
    arguments = parser.parse_args(arguments)
    return write_figure("figure.py", arguments.output,
                        lambda: draw(arguments.number, arguments.runs, arguments.title))


if __name__ == "__main__":
    sys.exit(main())
