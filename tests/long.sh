#!/usr/bin/env bash
# The long tier: what takes too long for tests/run.sh, or needs more than Debian has. Results go to docs/.
#   tests/long.sh [compare_runs.py options, e.g. --only 'gd cdat']
# Needs network access for pip (JAX, Optax), or a Python with them in ONEDGE_REFERENCE_PYTHON.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
source jobs/setup.sh
onedge_setup "$root" build run tests long
[[ -f build/release/build.ninja ]] || cmake --preset release
cmake --build --preset release -j "$(nproc)" --target onedge_program test_unit_model_reference

python=${ONEDGE_REFERENCE_PYTHON:-}
if [[ -z $python ]]; then
  python=build/reference/bin/python
  if [[ ! -x $python ]]; then
    python3 -m venv build/reference
    "$python" -m pip install --quiet jax optax h5py pyyaml
  fi
fi

OMP_NUM_THREADS=1 "$python" tests/reference/compare_runs.py build/release/bin/onedge -o docs/reference-comparison.md "$@"
OMP_NUM_THREADS=1 "$python" tests/reference/compare_networks.py build/release/tests/unit/model/test_unit_model_reference \
  -o docs/reference-comparison.md
