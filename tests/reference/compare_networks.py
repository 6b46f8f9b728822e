"""The networks at the paper's size against JAX, and a section on it in docs/reference-comparison.md.

  compare_networks.py TEST_PROGRAM [-o docs/reference-comparison.md] [--only NAME]

TEST_PROGRAM is the unit test of the networks (test_unit_model_reference), which here reads the values that
network_reference.py writes for the networks at full size, one network after another (up to 700 MB in a temporary folder).
Ends with 1 when anything is too far off.
"""

import argparse
import datetime
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile

HEADING = "# Networks against an independent implementation"
TEXT = """
The networks at the paper's size on 8 samples (random pixels, 32×32 and 224×224; random characters) with random weights
everywhere, heads and LayerNorm scales included, along a random direction u. The reference is JAX in double precision
(tests/reference/reference_networks.py). Numbers are relative errors, those of scalars to |loss|, ‖g‖‖u‖ and ‖u‖‖Hu‖; that of
uᵀHu is the largest of three ways (contraction, second forward order, uᵀ(Hu)). Allowed are 1e-9 in double precision, and in
single precision three times the error that JAX makes itself in single precision. Small versions of all networks are part
of the fast tests (unit.model.reference).

Written by tests/long.sh on {date}. Software: jax {jax}, numpy {numpy}.

| network | precision | loss | gradient | slope | uᵀHu | Hu | agrees |
|---|---|---|---|---|---|---|---|
"""


def rows(program, script, name, folder):
    """(lines of the table, whether all agree)."""
    file = folder / f"{name}.h5"
    subprocess.run([sys.executable, script, "full", file, "--only", name], check=True)
    environment = {**os.environ, "ONEDGE_REFERENCE_NETWORKS": str(file)}
    lines, agree = [], True
    for precision in ("Double", "Single"):
        command = [program, f"--gtest_filter=Reference.NetworksIn{precision}Precision"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        passed = done.returncode == 0 and "1 test from" in done.stdout
        if not passed:
            print(done.stdout)
        found = [line for line in done.stdout.splitlines() if line.startswith("| ")]
        lines += [f"{line} {'yes' if passed else '**no**'} |" for line in found] or [f"| {name} | {precision} |"]
        agree = agree and passed
    file.unlink()
    return lines, agree


def write(path, lines):
    versions = {name: importlib.metadata.version(name) for name in ("jax", "numpy")}
    text = path.read_text() if path.exists() else ""
    before = text.split(HEADING)[0].rstrip()
    section = HEADING + "\n" + TEXT.format(date=datetime.date.today().isoformat(), **versions) + "\n".join(lines) + "\n"
    path.write_text((before + "\n\n" if before else "") + section)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="test_unit_model_reference")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--only", help="name of one network")
    arguments = parser.parse_args()
    script = pathlib.Path(__file__).with_name("network_reference.py")
    names = subprocess.run([sys.executable, script, "names"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    lines, failures = [], []
    with tempfile.TemporaryDirectory(prefix="onedge-networks-") as folder:
        for name in names if arguments.only is None else [arguments.only]:
            found, agree = rows(arguments.program, script, name, pathlib.Path(folder))
            print(*found, sep="\n", flush=True)
            lines += found
            failures += [] if agree else [name]
    if arguments.output:
        write(arguments.output, lines)
    print(f"{len(lines)} rows, {len(failures)} networks disagree", *failures, sep="\n  ")
    return 1 if failures or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
