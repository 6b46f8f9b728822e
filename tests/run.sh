#!/usr/bin/env bash
# Builds OnEdge and passes the fast tests, on a fresh Debian 12 too: packages, release build with warnings as errors, all
# tests; then the unit tests once more under the address and undefined-behaviour sanitizers.
#   tests/run.sh            everything
#   tests/run.sh release    or asan: one of the two stages
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
source jobs/setup.sh
cores=$(nproc)
stages=${1:-release asan}
started=$SECONDS

# ctest's own last lines (how many passed, how long) are the last ones of a stage.
run_stage() {
  local stage=$1
  shift
  echo "== $stage: configure"
  cmake --preset "$stage" "$@"
  echo "== $stage: build on $cores cores"
  cmake --build --preset "$stage" -j "$cores"
  echo "== $stage: test ($((SECONDS - started)) s so far)"
}

onedge_setup "$root" build run tests
for stage in $stages; do
  case $stage in
    release)
      run_stage release -DONEDGE_WERROR=ON -DONEDGE_TESTS=ON -DONEDGE_BENCH=ON
      ctest --preset release -j "$cores" --no-tests=error
      ;;
    asan)
      # Units and the program; ranks beyond two add time and no code.
      run_stage asan
      ctest --preset asan -j "$cores" --no-tests=error -R '^unit\.|^structure\.labels' -E '\.np[34]$'
      # MPI's own leaks cannot be told from the program's (tests/support/main.cpp can): here only errors count.
      ASAN_OPTIONS=detect_leaks=0 ctest --preset asan -j "$cores" -R '^app\.train|^survive\.mutations'
      ;;
    *)
      echo "tests/run.sh: '$stage' is neither release nor asan" >&2
      exit 2
      ;;
  esac
done
echo "== all passed in $((SECONDS - started)) s"
