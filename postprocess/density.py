#!/usr/bin/env python3
"""Plots the spectral densities in files of `onedge sharpness --density`, and the eigenvalues as ticks below them: one
curve for each operator of each FILE. Exit codes: 0 drawn, 2 bad input."""
from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

try:
    import numpy as np

    from drawing import InputError, add_figure_options, colour, dashes, legend_below, plt, write_figure
    from labels import common_title, labels

    import onedge_post
except ImportError as missing:
    print(f"density.py: needs NumPy, h5py and matplotlib: {missing}", file=sys.stderr)
    sys.exit(2)

# The negative Hessian has no curve of its own: its eigenvalues are the lowest ones of H.
OPERATORS = {"hessian": "Hessian", "gauss_newton": "Gauss-Newton", "preconditioned_hessian": "Preconditioned Hessian"}
# Operators that share a panel, since their eigenvalues are of one size.
PANELS = (("eigenvalue", ("hessian", "gauss_newton")),
          ("eigenvalue of $P^{-1/2}HP^{-1/2}$", ("preconditioned_hessian",)))


class Curve(NamedTuple):
    """One operator of one file. nodes, weights: [probe, node]; width: standard deviation of the Gaussians;
    eigenvalues, converged: [count]; share: of one eigenvalue in the whole, 1/parameters."""
    operator: str
    file_name: str
    nodes: np.ndarray
    weights: np.ndarray
    width: float
    eigenvalues: np.ndarray
    converged: np.ndarray
    share: float

    def density(self, x):
        """Mean over probes of Σ weight N(x − node; width²), at each x."""
        total = np.zeros_like(x)
        for node, weight in zip(self.nodes.flat, self.weights.flat):
            near = slice(*np.searchsorted(x, (node - 10 * self.width, node + 10 * self.width)))
            total[near] += weight * np.exp(-0.5 * ((x[near] - node) / self.width) ** 2)
        return total / (len(self.nodes) * np.sqrt(2 * np.pi) * self.width)

    def abscissas(self):
        """Close enough that every Gaussian is smooth, and as far out as any of them can be seen."""
        offsets = self.width * np.linspace(-8, 8, 65)
        return np.unique((self.nodes.reshape(-1, 1) + offsets).ravel())

    def lowest_density(self):
        """Nothing below a hundredth of the height of a single eigenvalue is worth a look."""
        return 0.01 * self.share / (np.sqrt(2 * np.pi) * self.width)


def curves_of(spectrum, file_name, operators, width):
    found = spectrum.operators
    negative = found.get("negative_hessian", {})
    if "hessian" not in found and negative:
        found = {"hessian": negative, **found}
    elif negative:
        both = {key: np.concatenate([found["hessian"][key], negative[key]]) for key in ("eigenvalues", "converged")}
        found = {**found, "hessian": {**found["hessian"], **both}}
    curves = []
    for operator in operators:
        columns = found.get(operator, {})
        if "density_nodes" in columns:
            nodes = columns["density_nodes"]
            extent = np.ptp(nodes) or abs(nodes.flat[0]) or 1.0
            curves.append(Curve(operator, file_name, nodes, columns["density_weights"], width * extent,
                                columns["eigenvalues"], columns["converged"] != 0, 1 / spectrum.attrs["parameters"]))
    if not curves:
        raise InputError(f"{spectrum.path}: there is no density in it of {', '.join(operators)}; "
                         "`onedge sharpness --density` computes it")
    return curves


def file_names(spectra):
    """What tells the files apart: their runs, if these differ, and the step."""
    runs = labels(spectra) if len({spectrum.deck_text for spectrum in spectra}) > 1 else [""] * len(spectra)
    names = [", ".join(filter(None, (run, f"step {spectrum.step}"))) for run, spectrum in zip(runs, spectra)]
    return [name if names.count(name) == 1 else f"{name} [{spectrum.path.name}]"
            for name, spectrum in zip(names, spectra)]


def draw_panel(axes, label, curves, scale):
    """curves: (index, curve)."""
    highest = 0.0
    for index, curve in curves:
        x = curve.abscissas()
        density = curve.density(x)
        axes.plot(x, density, dashes(index), color=colour(index), linewidth=1.2)
        highest = max(highest, 3 * density.max())
    axes.set_yscale("log")
    lowest = min(curve.lowest_density() for _, curve in curves)
    # The curves end above a strip at the bottom that has a row of ticks for each of them.
    strip = 0.03 * len(curves) + 0.01
    axes.set_ylim(lowest * (lowest / highest) ** (strip / (1 - strip)), highest)
    axes.axhspan(axes.get_ylim()[0], lowest, facecolor="white", zorder=2.5)
    for row, (index, curve) in enumerate(curves):
        draw_ticks(axes, curve, colour(index), strip * (1 - (row + 0.5) / len(curves)))
    if scale == "symlog":
        axes.set_xscale("symlog", linthresh=10.0 ** np.round(np.log10(min(curve.width for _, curve in curves))))
    names = dict.fromkeys(OPERATORS[curve.operator] for _, curve in curves)
    axes.set_title(" and ".join(names))
    axes.set_xlabel(label)
    axes.set_ylabel("density of eigenvalues")


def draw_ticks(axes, curve, line_colour, height):
    """The eigenvalues themselves; those that are not converged as open markers."""
    for chosen, style in ((curve.converged, dict(marker="|", markersize=6, markeredgewidth=1)),
                          (~curve.converged, dict(marker="o", markersize=4, markerfacecolor="white"))):
        x = curve.eigenvalues[chosen & np.isfinite(curve.eigenvalues)]
        if len(x):
            axes.plot(x, np.full(len(x), height), linestyle="none", color=line_colour, zorder=3,
                      transform=axes.get_xaxis_transform(), **style)


def draw(spectra, arguments):
    names = file_names(spectra)
    curves = [curve for spectrum, name in zip(spectra, names)
              for curve in curves_of(spectrum, name, arguments.operators, arguments.width)]
    panels = [(label, [(index, curve) for index, curve in enumerate(curves) if curve.operator in operators])
              for label, operators in PANELS]
    panels = [panel for panel in panels if panel[1]]
    figure, axes = plt.subplots(1, len(panels), squeeze=False, figsize=(6.5 * len(panels), 4.2),
                                constrained_layout=True)
    for panel_axes, panel in zip(axes.flat, panels):
        draw_panel(panel_axes, *panel, arguments.x)
    title = arguments.title if arguments.title is not None else common_title(spectra)
    if title:
        figure.suptitle(title, fontsize=12)
    handles = [plt.Line2D([], [], color=colour(index), linestyle=dashes(index), linewidth=2)
               for index in range(len(curves))]
    texts = [f"{OPERATORS[curve.operator]}, {curve.file_name}" for curve in curves]
    legend_below(figure, handles, texts, 70 * len(panels) // (max(map(len, texts)) + 6))
    return figure


def operator_list(text):
    names = text.split(",")
    for name in names:
        if name not in OPERATORS:
            raise argparse.ArgumentTypeError(f"there is no '{name}': choose from {', '.join(OPERATORS)}")
    return names


def part(text):
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return value


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="written by `onedge sharpness --density`")
    add_figure_options(parser)
    parser.add_argument("--operators", type=operator_list, default=list(OPERATORS), metavar="NAME,…",
                        help=f"which curves, of {', '.join(OPERATORS)} (default: all that there are)")
    parser.add_argument("--width", type=part, default=0.005, metavar="PART",
                        help="width of the Gaussians as a part of the spectrum's range (default: 0.005)")
    parser.add_argument("--x", choices=("linear", "symlog"), default="linear",
                        help="scale of the eigenvalues (default: linear)")
    return parser.parse_args(arguments)


def main(arguments=None) -> int:
    arguments = parse(arguments)
    return write_figure("density.py", arguments.output,
                        lambda: draw([onedge_post.load_spectrum(path) for path in arguments.files], arguments))


if __name__ == "__main__":
    sys.exit(main())
