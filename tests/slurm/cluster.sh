#!/usr/bin/env bash
# A Slurm of one node on this machine, with files, ports and munge of its own: start FOLDER, stop FOLDER. As root, with
# Debian's slurm-wlm and munge. Ends with 77 where that cannot be.
#   eval "$(tests/slurm/cluster.sh start FOLDER)"     sets SLURM_CONF
set -euo pipefail

cannot() {
  echo "skipped: $1" >&2
  exit 77
}

write_configuration() {
  local folder=$1 host
  host=$(hostname -s)
  mkdir -p "$folder"/{state,spool}
  cat >"$folder/slurm.conf" <<EOF
ClusterName=onedge-test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2
MpiDefault=pmix
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=60 State=UP OverSubscribe=NO
EOF
}

start() {
  local folder=$1
  [[ $(id -u) -eq 0 ]] || cannot "Slurm's daemons need root"
  for program in munged slurmctld slurmd sbatch scontrol; do
    command -v "$program" >/dev/null || cannot "there is no $program (Debian: slurm-wlm, munge)"
  done
  write_configuration "$folder"
  export SLURM_CONF=$folder/slurm.conf
  dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none
  chmod 600 "$folder/munge.key"
  {
    munged --force --num-threads=2 --socket="$folder/munge.socket" --key-file="$folder/munge.key" \
      --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
    slurmctld -c && slurmd -c
  } >"$folder/start.log" 2>&1 || cannot "Slurm does not start here: $(tail -n 1 "$folder/start.log")"
  for ((i = 0; i < 60; ++i)); do
    if sinfo -h -o %t 2>/dev/null | grep -q idle; then
      echo "export SLURM_CONF=$SLURM_CONF"
      return
    fi
    sleep 0.5
  done
  stop "$folder"
  cannot "Slurm's node does not come up: $(tail -n 1 "$folder/slurmd.log")"
}

stop() {
  local folder=$1 pid
  for daemon in slurmd slurmctld munged; do
    pid=$(cat "$folder/$daemon.pid" 2>/dev/null) && kill "$pid" 2>/dev/null || true
  done
}

"$1" "$(realpath -m "$2")"
