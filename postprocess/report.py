#!/usr/bin/env python3
"""Makes one self-contained HTML page of runs: pictures inside, a table of the runs and what is the best, their decks, and
the machines they ran on. It opens without a network. Each RUN is a run directory, a sweep's directory, or a folder of these.
Exit codes: 0 written, 2 bad input."""
from __future__ import annotations

import argparse
import base64
import io
import sys
from html import escape
from pathlib import Path

try:
    import figure
    import onedge_post
    import plot
    import sweep
    import table
    from drawing import STYLE, InputError, plt
    from labels import common_title, differing_keys, flat, number_text
except ImportError as missing:
    print(f"report.py: needs NumPy, h5py and matplotlib: {missing}", file=sys.stderr)
    sys.exit(2)

MOST_CURVES = 8  # in one picture; of more runs, the best of each tuner
CSS = """body{font:15px/1.45 system-ui,sans-serif;max-width:1150px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ddd}img{max-width:100%}
table{border-collapse:collapse;font-size:.88em}td,th{padding:.25em .7em;text-align:left;border-bottom:1px solid #e5e5e5}
th{background:#f5f5f5}.scroll{overflow-x:auto}pre{background:#f7f7f7;padding:.8em;overflow-x:auto;font-size:.82em}
.best{background:#eaf5ea}.diverged,.failed{color:#b03030}.missing,.interrupted,.running{color:#886600}"""


def picture(drawn, alt) -> str:
    data = io.BytesIO()
    drawn.savefig(data, format="png", bbox_inches="tight", dpi=110)
    plt.close(drawn)
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}">'


def html_table(rows, best=()) -> str:
    names = list(rows[0])
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    body = []
    for row in rows:
        mark = ' class="best"' if row.get("run") in best else ""
        cells = "".join(f'<td class="{escape(str(row[name]))}">{escape(table.cell(row[name]))}</td>' if name == "status" else
                        f"<td>{escape(table.cell(row[name]))}</td>" for name in names)
        body.append(f"<tr{mark}>{cells}</tr>")
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def shown_runs(runs) -> list:
    if len(runs) <= MOST_CURVES:
        return runs
    best = [family.best for family in sweep.families(runs) if family.best is not None]
    return best[:MOST_CURVES] or runs[:MOST_CURVES]


def machine_rows(runs) -> list:
    """One row for each kind of machine and program, with the runs that it made."""
    rows = {}
    for run in runs:
        segments = run.segments
        for index in range(len(segments.get("ranks", ()))):
            key = (str(segments["hosts"][index]), str(segments["backend"][index]), int(segments["ranks"][index]),
                   str(segments["revision"][index]))
            entry = rows.setdefault(key, {"runs": set(), "first": str(segments["time"][index]), "jobs": set()})
            entry["runs"].add(str(run.path))
            entry["first"] = min(entry["first"], str(segments["time"][index]))
            entry["jobs"] |= {str(segments["job_id"][index])} - {""}
    return [{"hosts": hosts, "backend": backend, "ranks": ranks, "revision": revision, "runs": len(entry["runs"]),
             "first start": entry["first"], "jobs": ", ".join(sorted(entry["jobs"])[:6]) or None}
            for (hosts, backend, ranks, revision), entry in rows.items()]


def deck_section(runs) -> str:
    """The first run's deck, and what the others have instead."""
    keys = differing_keys([flat(run.deck) for run in runs])
    note = f"<p>The other runs differ in {escape(', '.join(keys))}.</p>" if keys else ""
    return f"<h2>Deck</h2><p>Of {escape(str(runs[0].path.parent))}, every default filled in.</p>{note}" \
           f"<pre>{escape(runs[0].deck_text)}</pre>"


def warnings_section(runs) -> str:
    found = [f"<li>{escape(run.name)}, step {escape(str(step))}: {escape(str(text))}</li>" for run in runs for step, text in run.warnings]
    more = f"<li>and {len(found) - 20} more</li>" if len(found) > 20 else ""
    return f"<h2>Warnings</h2><ul>{''.join(found[:20])}{more}</ul>" if found else ""


def page(arguments) -> str:
    collected = sweep.collect(arguments.runs)
    runs = [run for run in collected.runs if len(run.steps.get("step", ()))]
    if not runs:
        raise InputError("no run has a step yet")
    trained = [run for run in runs if "loss" in run.steps]
    title = arguments.title or common_title(trained or runs) or "runs"
    best = {str(family.best.path.parent) for family in sweep.families(trained) if family.best is not None}
    parts = [f"<h1>{escape(title)}</h1>"]
    if arguments.figure:
        parts.append(picture(figure.draw(arguments.figure, arguments.runs), f"figure {arguments.figure}"))
    if trained:
        options = plot.parse([*map(str, arguments.runs), "-o", "x.png", "--title", ""])
        parts.append(picture(plot.draw(shown_runs(trained), options), "curves of the runs"))
    notes = "".join(f"<li>{escape(line)}</li>" for line in sweep.summary(collected))
    parts += [f"<h2>Runs</h2><ul>{notes}</ul>", html_table(table.rows_of(collected), best),
              "<p>loss: mean over the last five iterates, of finished runs; the best of each tuner is marked.</p>"]
    machines = machine_rows(runs)
    if machines:
        parts += ["<h2>Machine and program</h2>", html_table(machines),
                  f"<p>OnEdge {escape(str(runs[0].attrs.get('software_version', '?')))}, "
                  f"{escape(str(runs[0].attrs.get('precision', '?')))} precision, "
                  f"{escape(number_text(runs[0].attrs.get('parameters', '?')))} parameters.</p>"]
    parts += [warnings_section(runs), deck_section(runs)]
    return ('<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(title)}</title><style>{CSS}</style></head><body>{''.join(parts)}</body></html>\n")


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run, sweep, or folder of these")
    parser.add_argument("-o", "--output", required=True, type=Path, help="page to write: .html")
    parser.add_argument("--figure", type=int, choices=range(1, 22), metavar="NN", help="with this figure of the paper")
    parser.add_argument("--title", help="title of the page (default: what the runs have in common)")
    arguments = parser.parse_args(arguments)
    try:
        if arguments.output.suffix != ".html":
            raise InputError(f"{arguments.output}: the page's name must end in .html")
        with plt.rc_context(STYLE):
            arguments.output.write_text(page(arguments), encoding="utf-8")
    except (InputError, onedge_post.ReadError, OSError) as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
