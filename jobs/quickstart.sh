#!/usr/bin/env bash
# From nothing to a figure: installs what is missing, builds, trains the network of inputs/quickstart.yaml on two ranks
# and plots loss, learning rate and curvature.
#   [RUN=DIRECTORY] jobs/quickstart.sh [section.key=value …]     changes of the deck, e.g. tuner.sigma=1.0
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
run=${RUN:-$root/runs/quickstart}
source "$root/jobs/setup.sh"
onedge_setup "$root" build run

cd "$root"
[[ -f build/release/build.ninja ]] || cmake --preset release -DONEDGE_TESTS=OFF -DONEDGE_BENCH=OFF
cmake --build --preset release -j "$(nproc)" --target onedge_program

OMP_NUM_THREADS=1 mpirun -n 2 --oversubscribe build/release/bin/onedge train inputs/quickstart.yaml -d "$run" "$@"
python=/usr/bin/python3
[[ -x $python ]] || python=python3
"$python" postprocess/plot.py "$run" -o "$run/quickstart.png"

echo "trajectory: $run/trajectory.h5"
echo "figure:     $run/quickstart.png"
