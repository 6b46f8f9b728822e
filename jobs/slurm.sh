# Sourced by the job scripts: where the program is, how it is started, and what its exit codes mean for the job.

# onedge_program ROOT: ONEDGE names the program; otherwise it is the release build, or the one on PATH.
onedge_program() {
  local program=${ONEDGE:-$1/build/release/bin/onedge}
  [[ -x $program ]] || program=$(command -v "${ONEDGE:-onedge}") || {
    echo "$SLURM_JOB_NAME: there is no program ${ONEDGE:-$1/build/release/bin/onedge}: build it (README.md), or name it in ONEDGE" >&2
    return 1
  }
  echo "$program"
}

# A shared file system may have no locks, and files of ours are never changed in place. One BLAS thread per rank.
export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# onedge_srun ARGUMENTS…: a step of this job. ONEDGE_SRUN has further options (for another MPI: --mpi=…).
onedge_srun() {
  local options=(--mpi=pmix)
  # Every rank sees all devices of its node and takes its own; what --cpus-per-task says does not reach steps by itself.
  [[ -n ${SLURM_GPUS_ON_NODE:-} ]] && options+=(--gpu-bind=none)
  [[ -n ${SLURM_CPUS_PER_TASK:-} ]] && options+=("--cpus-per-task=$SLURM_CPUS_PER_TASK")
  # shellcheck disable=SC2086
  srun "${options[@]}" ${ONEDGE_SRUN:-} "$@"
}

# onedge_end CODE: ends the job. 85 (interrupted after a checkpoint) puts it back into the queue, to go on.
onedge_end() {
  if [[ $1 -eq 85 ]]; then
    echo "$SLURM_JOB_NAME: interrupted after a checkpoint; back into the queue (start $((${SLURM_RESTART_COUNT:-0} + 2)) will go on)"
    scontrol requeue "$SLURM_JOB_ID" && sleep 600 # Slurm ends this job meanwhile
    echo "$SLURM_JOB_NAME: could not be put back into the queue: submit it again, it will go on" >&2
  elif [[ $1 -ne 0 ]]; then
    echo "$SLURM_JOB_NAME: ended with exit code $1 (README.md says what it means)" >&2
  fi
  exit "$1"
}
