"""What the plotting programs share: style, legends, and how they end."""
from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import onedge_post  # noqa: E402

# Okabe and Ito's colours, told apart by colour-blind readers; dashes when there are more curves than colours.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
STYLE = {"font.size": 9, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
         "grid.color": "0.9", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.fontsize": 9, "savefig.dpi": 160}


class InputError(Exception):
    """Something that the user can mend, in one line."""


def colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def dashes(index: int) -> str:
    return DASHES[index // len(COLOURS) % len(DASHES)]


def add_figure_options(parser) -> None:
    parser.add_argument("-o", "--output", required=True, type=Path, help="figure to write: .png, .pdf or .svg")
    parser.add_argument("--title", help="title of the figure (default: what the inputs have in common)")


def legend_below(figure, handles, names, columns: int) -> None:
    """Below the panels; matplotlib 3.7 can keep the room free by itself, older ones are told where."""
    version = tuple(int(part) for part in matplotlib.__version__.split(".")[:2])
    place = ({"loc": "outside lower center"} if version >= (3, 7) else
             {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)})
    figure.legend(handles, names, ncol=max(1, min(columns, len(names))), frameon=False, **place)


def write_figure(program: str, output: Path, draw) -> int:
    """Writes the figure that draw() returns. The exit code: 0 drawn, 2 bad input, said in one line."""
    try:
        if output.suffix not in (".png", ".pdf", ".svg"):
            raise InputError(f"{output}: the figure's name must end in .png, .pdf or .svg")
        with plt.rc_context(STYLE):
            draw().savefig(output, bbox_inches="tight")
    except (InputError, onedge_post.ReadError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    return 0
