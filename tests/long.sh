#!/usr/bin/env bash
# The long tier: what takes too long for tests/run.sh, or needs more than Debian has. Results go to docs/.
#   tests/long.sh                      everything
#   tests/long.sh survive              kills, stops, restarts, damaged files, full disks, lost hosts (docs/survival.md)
#   tests/long.sh reference [OPTIONS]  against JAX and Optax (docs/reference-comparison.md); options of compare_runs.py,
#                                      e.g. --only 'gd cdat'
# The reference needs network access for pip (JAX, Optax), or a Python with them in ONEDGE_REFERENCE_PYTHON.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
source jobs/setup.sh
stages=${1:-survive reference}
[[ $# -gt 0 ]] && shift
onedge_setup "$root" build run tests long

build() {
  local preset=$1
  shift
  [[ -f build/$preset/build.ninja ]] || cmake --preset "$preset"
  cmake --build --preset "$preset" -j "$(nproc)" --target "$@"
}

# survive PRESET NAME COUNT: one script of tests/survive with its full count.
survive() {
  ONEDGE_PROGRAM="$root/build/$1/bin/onedge" OMP_NUM_THREADS=1 /usr/bin/python3 "tests/survive/$2.py" --count "$3" \
    --page docs/survival.md || [[ $? -eq 77 ]]
}

run_survive() {
  build release onedge_program test_unit_training_bits
  build asan onedge_program
  # Ranks share cores: they must neither spin nor be bound to the same ones.
  export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
  survive release kills 50
  survive release stop 40
  survive release resume 110
  survive release bits 200
  survive release mutations 500
  survive asan mutations 500
  survive release full_disk 5
  survive release two_hosts 1
  survive release reader 1000
  # All combinations of optimizer, tuner, batch and model: the same bits on one to four ranks (docs/long-runs.md).
  ONEDGE_TEST_ALL=1 OMP_NUM_THREADS=1 mpirun -n 4 build/release/tests/unit/training/test_unit_training_bits
}

run_reference() {
  build release onedge_program test_unit_model_reference
  local python=${ONEDGE_REFERENCE_PYTHON:-}
  if [[ -z $python ]]; then
    python=build/reference/bin/python
    if [[ ! -x $python ]]; then
      python3 -m venv build/reference
      "$python" -m pip install --quiet jax optax h5py pyyaml
    fi
  fi
  OMP_NUM_THREADS=1 "$python" tests/reference/compare_runs.py build/release/bin/onedge -o docs/reference-comparison.md "$@"
  OMP_NUM_THREADS=1 "$python" tests/reference/compare_networks.py \
    build/release/tests/unit/model/test_unit_model_reference -o docs/reference-comparison.md
}

for stage in $stages; do
  case $stage in
    survive) run_survive ;;
    reference) run_reference "$@" ;;
    *)
      echo "tests/long.sh: '$stage' is neither survive nor reference" >&2
      exit 2
      ;;
  esac
done
