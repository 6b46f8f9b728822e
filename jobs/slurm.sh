# Sourced by the job scripts: where the program is, how it is started, and what its exit codes mean for the job.

# onedge_program ROOT [PRESET]: ONEDGE names the program; otherwise it is the build of that preset (release), or the one
# on PATH.
onedge_program() {
  local program=${ONEDGE:-$1/build/${2:-release}/bin/onedge}
  [[ -x $program ]] || program=$(command -v "${ONEDGE:-onedge}") || {
    echo "$SLURM_JOB_NAME: there is no program ${ONEDGE:-$1/build/${2:-release}/bin/onedge}: build it (README.md), or name it in ONEDGE" >&2
    return 1
  }
  echo "$program"
}

# A shared file system may have no locks, and files of ours are never changed in place. One BLAS thread per rank.
export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# For ranks that are started by mpirun: a node that is cut off ends the job in seconds (docs/long-runs.md).
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-5}
export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-2}
export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}

# When the job ends, for run.walltime: Slurm before 23.02 does not say it, and what sbatch was called with may be stale.
SLURM_JOB_END_TIME=$(date -d "$(squeue -h -j "${SLURM_JOB_ID:-0}" -o %e 2>/dev/null)" +%s 2>/dev/null) || SLURM_JOB_END_TIME=
[[ $SLURM_JOB_END_TIME =~ ^[0-9]+$ && $SLURM_JOB_END_TIME -gt $(date +%s) ]] || SLURM_JOB_END_TIME=
export SLURM_JOB_END_TIME

# onedge_srun ARGUMENTS…: a step of this job. ONEDGE_SRUN has further options (for another MPI: --mpi=…).
onedge_srun() {
  # Without --kill-on-bad-exit the others would wait for a rank that was killed.
  local options=(--mpi=pmix --kill-on-bad-exit=1)
  # Every rank sees all devices of its node and takes its own; what --cpus-per-task says does not reach steps by itself.
  [[ -n ${SLURM_GPUS_ON_NODE:-} ]] && options+=(--gpu-bind=none)
  [[ -n ${SLURM_CPUS_PER_TASK:-} ]] && options+=("--cpus-per-task=$SLURM_CPUS_PER_TASK")
  # shellcheck disable=SC2086
  srun "${options[@]}" ${ONEDGE_SRUN:-} "$@"
}

# What the runs of this start say, and, from one start of the job to the next, how far they got: a line "NAME STEP" for each,
# and "idle COUNT", the starts without progress.
onedge_said=$(mktemp -d) || exit 1
trap 'rm -rf "$onedge_said"' EXIT
onedge_starts=.onedge-${SLURM_JOB_ID:-0}.starts

# onedge_train NAME [--OPTION…] PROGRAM ARGUMENTS…: a training run as a step of this job, with options of srun. NAME tells it
# from others of the same job.
onedge_train() {
  local name=$1 options=()
  shift
  while [[ $1 == --* ]]; do
    options+=("$1")
    shift
  done
  # A signal that comes while the program is still being loaded waits for its handler.
  env --block-signal=USR1 true 2>/dev/null && set -- env --block-signal=USR1,USR2 "$@"
  onedge_srun ${options[@]+"${options[@]}"} "$@" | tee "$onedge_said/$name"
  return "${PIPESTATUS[0]}"
}

# onedge_count_idle: sets onedge_idle to the number of starts, up to this one, that brought no run beyond where it had been.
onedge_count_idle() {
  local -A reached=()
  local name step said moved=''
  if [[ -r $onedge_starts ]]; then
    while read -r name step; do [[ $step =~ ^[0-9]+$ ]] && reached[$name]=$step; done <"$onedge_starts"
  fi
  for said in "$onedge_said"/*; do
    step=$(sed -n 's/.*stopped at step \([0-9][0-9]*\): .*/\1/p' "$said" 2>/dev/null | tail -n 1)
    name=${said##*/}
    [[ -n $step && $step -gt ${reached[$name]:-0} ]] || continue
    reached[$name]=$step moved=1
  done
  onedge_idle=$((moved ? 0 : ${reached[idle]:-0} + 1))
  reached[idle]=$onedge_idle
  for name in "${!reached[@]}"; do echo "$name ${reached[$name]}"; done >"$onedge_starts" || onedge_idle=$((moved ? 0 : 3))
}

# onedge_end CODE: ends the job. 85 (interrupted after a checkpoint) puts it back into the queue, to go on, unless nothing has
# come of its last three starts.
onedge_end() {
  local onedge_idle=0
  [[ $1 -ne 85 ]] || onedge_count_idle
  if [[ $1 -eq 85 && $onedge_idle -ge 3 ]]; then
    echo "$SLURM_JOB_NAME: no progress in $onedge_idle starts, so not back into the queue; does every start find the same run directory?" >&2
  elif [[ $1 -eq 85 ]]; then
    [[ $SECONDS -ge 60 ]] ||
      echo "$SLURM_JOB_NAME: told to stop within a minute of its start: is --time longer than what --signal leaves?" >&2
    echo "$SLURM_JOB_NAME: interrupted after a checkpoint; back into the queue (start $((${SLURM_RESTART_COUNT:-0} + 2)) will go on)"
    rm -rf "$onedge_said"
    scontrol requeue "$SLURM_JOB_ID" && sleep 600 # Slurm ends this job meanwhile
    echo "$SLURM_JOB_NAME: could not be put back into the queue: submit it again, it will go on" >&2
  elif [[ $1 -ne 0 ]]; then
    echo "$SLURM_JOB_NAME: ended with exit code $1 (README.md says what it means)" >&2
  fi
  rm -f "$onedge_starts"
  exit "$1"
}
