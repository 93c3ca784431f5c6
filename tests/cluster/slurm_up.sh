#!/usr/bin/env bash
# A throw-away Slurm cluster of one node on localhost, for tests. Needs root, and of Debian the packages
# munge, slurmctld, slurmd and slurm-client; no systemd, no cgroups, no database.
#
#   slurm_up.sh up      configure, start, wait until the node is idle
#   slurm_up.sh status  sinfo and squeue
#   slurm_up.sh down    cancel jobs, stop the daemons by their pid, remove their state
#
# Settings (environment): SLURM_CI_DIR (state), SLURM_CI_CPUS and SLURM_CI_MEM_MB (any number: nothing
# binds them), SLURM_CI_GPUS (pretended: in Slurm's books only).
set -euo pipefail

DIR=${SLURM_CI_DIR:-/tmp/slurm-ci}
CPUS=${SLURM_CI_CPUS:-$(nproc)}
MEM=${SLURM_CI_MEM_MB:-$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)}
GPUS=${SLURM_CI_GPUS:-0}
NODE=$(hostname -s)
# Snakemake's executor drops SLURM_CONF from the environment of its srun, so the configuration must also be
# where Slurm looks for it by itself.
ETC=/etc/slurm/slurm.conf
export SLURM_CONF=$DIR/slurm.conf
export PATH=$PATH:/usr/sbin:/sbin

log() { printf 'slurm_up: %s\n' "$*" >&2; }
die() { log "$*"; for f in "$DIR"/log/*; do [ -f "$f" ] && { echo "== $f"; tail -20 "$f"; } >&2; done; exit 1; }

pid_alive() { # name: is the daemon in its pid file alive, and really that daemon?
    local f=$DIR/run/$1.pid p
    [ -s "$f" ] && p=$(cat "$f") && [ "$(cat "/proc/$p/comm" 2>/dev/null)" = "$1" ]
}

configure() {
    if [ -e "$ETC" ] && [ "$(readlink "$ETC")" != "$SLURM_CONF" ]; then
        die "$ETC exists and is not ours: this machine has a Slurm of its own"
    fi
    mkdir -p "$DIR"/{state,spool,log,run} "$(dirname "$ETC")"
    chmod 755 "$DIR" "$DIR"/{state,spool,log,run} # munged refuses group/world-writable dirs
    [ -s "$DIR/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$DIR/munge.key")
    local gres="" grestypes="" i
    if [ "$GPUS" -gt 0 ]; then
        grestypes="GresTypes=gpu"
        gres="Gres=gpu:$GPUS"
        # A device file for each, which is /dev/null's twin: CUDA_VISIBLE_DEVICES is set, nothing is bound.
        : >"$DIR/gres.conf"
        for i in $(seq 0 $((GPUS - 1))); do
            [ -e "$DIR/run/gpu$i" ] || mknod "$DIR/run/gpu$i" c 1 3
            echo "NodeName=$NODE Name=gpu File=$DIR/run/gpu$i" >>"$DIR/gres.conf"
        done
    fi
    cat >"$SLURM_CONF" <<EOF
ClusterName=ci
SlurmctldHost=$NODE(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$DIR/run/munge.socket
CredType=cred/munge
StateSaveLocation=$DIR/state
SlurmdSpoolDir=$DIR/spool
SlurmctldPidFile=$DIR/run/slurmctld.pid
SlurmdPidFile=$DIR/run/slurmd.pid
SlurmctldLogFile=$DIR/log/slurmctld.log
SlurmdLogFile=$DIR/log/slurmd.log
# neither cgroups nor systemd:
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
# No database: what has become of a job is asked of squeue, which forgets none here.
AccountingStorageType=accounting_storage/none
MinJobAge=86400
MaxJobCount=20000
MailProg=/bin/true
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
ReturnToService=2
EnforcePartLimits=ALL
# A request that no node can meet is refused, and the node has what is said here.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=5,bf_interval=2
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=60
InactiveLimit=0
MaxArraySize=1001
$grestypes
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$MEM $gres State=UNKNOWN
PartitionName=ci Nodes=ALL Default=YES DefaultTime=60 MaxTime=INFINITE DefMemPerCPU=500 State=UP
EOF
    ln -sfn "$SLURM_CONF" "$ETC"
}

start() {
    pid_alive munged || munged --force --key-file="$DIR/munge.key" --socket="$DIR/run/munge.socket" \
        --pid-file="$DIR/run/munged.pid" --log-file="$DIR/log/munged.log" \
        --seed-file="$DIR/state/munge.seed" --num-threads=2 2>>"$DIR/log/munged.err" || die "munged failed"
    pid_alive slurmctld || slurmctld -f "$SLURM_CONF" 2>>"$DIR/log/slurmctld.err" || die "slurmctld failed"
    pid_alive slurmd || slurmd -f "$SLURM_CONF" 2>>"$DIR/log/slurmd.err" || die "slurmd failed"
    local i
    for i in $(seq 150); do
        case "$(sinfo -h -o %T 2>/dev/null)" in idle* | mixed* | allocated*) return 0 ;;
            down* | drain*) scontrol update nodename="$NODE" state=resume 2>/dev/null || true ;;
        esac
        sleep 0.2
    done
    die "node not idle after 30 s: $(sinfo 2>&1)"
}

stop_one() { # by pid, waiting for it to end
    local f=$DIR/run/$1.pid p i
    pid_alive "$1" || return 0
    p=$(cat "$f")
    kill "$p"
    for i in $(seq 100); do kill -0 "$p" 2>/dev/null || return 0; sleep 0.1; done
    kill -9 "$p" 2>/dev/null || true
}

case ${1:-} in
up)
    [ "$(id -u)" = 0 ] || die "needs root"
    configure
    start
    log "up: $(sinfo -h -o '%P %N %T %c cpus %m MB %G') (SLURM_CONF=$SLURM_CONF)"
    ;;
status) sinfo; squeue ;;
down)
    if pid_alive slurmctld; then
        squeue -h -o %A 2>/dev/null | sort -u | xargs -r scancel 2>/dev/null || true
        for _ in $(seq 50); do [ -z "$(squeue -h 2>/dev/null)" ] && break; sleep 0.2; done
    fi
    for d in slurmd slurmctld munged; do stop_one $d; done
    if [ "$(readlink "$ETC" 2>/dev/null)" = "$SLURM_CONF" ]; then rm -f "$ETC"; fi
    if [ -e "$SLURM_CONF" ]; then rm -rf "$DIR"; fi # only a directory that we made
    log "down"
    ;;
*) echo "usage: $0 up|status|down" >&2; exit 2 ;;
esac
