#!/usr/bin/env bash
# Runs a figure of the paper as Slurm jobs: an array for each of its decks (inputs/figNN-*.yaml), then a job that draws it.
#   jobs/figure.sh NN [--small] [--runs FOLDER] [--limit N] [section.key=value …] [-- SLURM OPTIONS]
#     --small          the decks figNN-*-small.yaml: minutes on two cores
#     --runs FOLDER    where runs and figure go; runs/ by default, below the present directory
#     --limit N        at most N array tasks at once; 8 by default
#     --print          say what would be submitted
# What is behind -- goes to sbatch of the arrays (--ntasks, --time, --account …); so does the environment SBATCH_*. Called
# again, it submits what is missing. ONEDGE_PACK=N puts N cases side by side in one task (jobs/README.md).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "figure.sh: $1" >&2
  exit 2
}

number='' small='' runs=runs limit=8 overrides=() options=() submit=sbatch
while [[ $# -gt 0 ]]; do
  case $1 in
    --small) small=1 ;;
    --runs | --limit)
      [[ $# -gt 1 ]] || fail "$1 needs a value"
      [[ $1 == --runs ]] && runs=$2 || limit=$2
      shift
      ;;
    --print) submit="echo sbatch" ;;
    --)
      shift
      options=("$@")
      break
      ;;
    *=*) overrides+=("$1") ;;
    *)
      [[ -z $number && $1 =~ ^[0-9]+$ ]] || fail "'$1' is neither a figure's number, an option nor section.key=value"
      number=$(printf %02d "$((10#$1))")
      ;;
  esac
  shift
done
[[ -n $number ]] || fail "which figure? jobs/figure.sh NN [--small] [--runs FOLDER] [section.key=value …] [-- SLURM OPTIONS]"
[[ $limit =~ ^[1-9][0-9]*$ ]] || fail "--limit must be a number, not '$limit'"
program=${ONEDGE:-$root/build/release/bin/onedge}
[[ -x $program ]] || program=$(command -v "${ONEDGE:-onedge}") || fail "there is no program ${ONEDGE:-$program}: build it (README.md), or name it in ONEDGE"
export ONEDGE=$program

decks=()
for deck in "$root/inputs/fig$number"-*.yaml; do
  [[ -e $deck ]] || fail "there is no deck inputs/fig$number-*.yaml: the figures are 1 to 21"
  if [[ $deck == *-small.yaml ]]; then is_small=1; else is_small=''; fi
  [[ $is_small != "$small" ]] || decks+=("$deck")
done
# Toy models are a matter of seconds, and have no small decks.
[[ ${#decks[@]} -gt 0 ]] || decks=("$root/inputs/fig$number"-*.yaml)
mkdir -p "$runs" || fail "cannot write in $runs"
runs=$(cd "$runs" && pwd)
[[ -w $runs ]] || fail "cannot write in $runs"

folders=() jobs=()
for deck in "${decks[@]}"; do
  folder=$runs/$(basename "$deck" .yaml)
  folders+=("$folder")
  if grep -q '^dynamics:' "$deck"; then
    [[ $submit != sbatch ]] || "$program" dynamics "$deck" "${overrides[@]}" -d "$folder"
    continue
  fi
  missing=$("$program" cases "$deck" "${overrides[@]}" -d "$folder" --missing | cut -d' ' -f1)
  [[ -n $missing ]] || continue
  pack=${ONEDGE_PACK:-1}
  tasks=$(awk -v pack="$pack" '{ print int($1 / pack) }' <<<"$missing" | uniq | paste -sd,)
  submitted=$($submit --parsable --array="$tasks%$limit" --job-name="$(basename "$folder")" "${options[@]}" \
    "$root/jobs/sweep.sbatch" "$deck" "${overrides[@]}" -d "$folder")
  echo "$(basename "$deck"): $(wc -w <<<"$missing") cases, job $submitted"
  jobs+=("${submitted%%;*}")
done
after=()
# Cases that failed are named in the table; the figure shows the others.
[[ ${#jobs[@]} -eq 0 ]] || after=("--dependency=afterany:$(IFS=:; echo "${jobs[*]}")")
echo "figure: job $($submit --parsable "${after[@]}" "$root/jobs/plot.sbatch" "$number" "$runs" "${folders[@]}"), then $runs/fig$number.pdf"
