"""What onedge_bench_operations measures, as a table for compare.py."""

import json
import os
import subprocess

PASSES = ("forward_0", "reverse_0", "forward_1", "contract", "reverse_1")


def measure(build, core):
    """(ceilings as the program says them, {operation: {pass: (value, unit, share)}})."""
    done = subprocess.run(["taskset", "-c", str(core), str(build / "bench" / "onedge_bench_operations"),
                           "--benchmark_format=json", "--benchmark_min_time=0.1"], capture_output=True, text=True, check=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    ceilings = next((line for line in (done.stdout + done.stderr).splitlines() if line.startswith("ceilings")), "")
    operations = {}
    for row in json.loads(done.stdout[done.stdout.index("{"):])["benchmarks"]:
        operation, _, kind = row["name"].partition("/")
        unit = next((unit for unit in ("GFLOP/s", "GB/s") if unit in row), None)
        if unit:
            # What is no pass of an operation has one value.
            operations.setdefault(operation, {})[kind if kind in PASSES else PASSES[0]] = (row[unit], unit, row["share"])
    return ceilings, operations


def lines(ceilings, operations):
    """The table: achieved rate, and in brackets its share of the ceiling."""
    result = ["## Single operations", "",
              f"One core, `onedge_bench_operations`; {ceilings.replace('ceilings: ', 'ceilings: a large product and a large copy reach ')}.",
              "In brackets the share of the ceiling; above 1 where the data lie in a cache. `forward_k`, `reverse_k`: the k-th "
              "derivative forward and back;", "`contract`: curvature from planes at hand, of activations and `normalize` "
              "with forward_1 in the same sweep.", "",
              f"| operation | unit | {' | '.join(PASSES)} |", "|---|---|" + "---|" * len(PASSES)]
    for operation, values in operations.items():
        unit = next(iter(values.values()))[1]
        cells = [f"{values[kind][0]:.0f} ({values[kind][2]:.2f})" if kind in values else "–" for kind in PASSES]
        result.append(f"| {operation} | {unit} | {' | '.join(cells)} |")
    return [*result, ""]
