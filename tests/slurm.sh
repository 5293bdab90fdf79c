#!/usr/bin/env bash
# Runs docs/many-machines/*.sbatch on a Slurm cluster of one node, which it makes of Debian's packages (slurm-wlm munge,
# openmpi-bin or mpich) in a folder that is gone afterwards: an array that embeds by parts, and a tuning job of which one
# process is killed and which its script puts back into the queue, and the same told by SIGUSR1. As root; ten minutes, most
# of which is the time that Slurm lets pass before a job that was put back begins again.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d /tmp/lit-slurm.XXXXXX)
daemons=()
finish() {
    scancel --full --user=root 2>/dev/null || true
    for daemon in "${daemons[@]}"; do kill "$daemon" 2>/dev/null || true; done
    sleep 1
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT
said() { echo "slurm: $* (${SECONDS} s)"; }
fail() { echo "slurm: $*" >&2; tail -n 20 "$work"/*.log >&2; exit 1; }

host=$(hostname -s)
mkdir -p "$work/state" "$work/spool" "$work/munge"
chmod 755 "$work"
cat >"$work/slurm.conf" <<END
ClusterName=lit
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=1,requeue_delay=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$work/slurm.conf"
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none && chmod 400 "$work/munge/key"
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
    --seed-file="$work/munge/seed" --log-file="$work/munge/log" >"$work/munged.log" 2>&1 & daemons+=($!)
sleep 1
slurmctld -D -f "$SLURM_CONF" >/dev/null 2>&1 & daemons+=($!)
slurmd -D -f "$SLURM_CONF" -N "$host" >/dev/null 2>&1 & daemons+=($!)
for _ in $(seq 60); do sinfo -h -o %t 2>/dev/null | grep -q idle && break; sleep 0.5; done
sinfo -h -o %t | grep -q idle || fail "the node does not come up"
said "$(sinfo -V), one node"

"$root/lit" --version >/dev/null
export LIT="$root/artifacts/bin/LiT.Cli/release/lit" TOWER=cifar-resnet:20 DATA=pairs.tar STORE=store
cd "$work"
"$LIT" data draw --split pairs --count 240 --out . >/dev/null 2>&1
ends() { # a job's last state
    local state=
    for _ in $(seq 400); do
        state=$(squeue -h -j "$1" -o %T 2>/dev/null || true)
        [ -n "$state" ] || return 0
        sleep 0.5
    done
    squeue; fail "job $1 is still $state"
}

array=$(sbatch --parsable "$root/docs/many-machines/embed.sbatch")
ends "$array"
[ -f store/store.json ] || fail "the array has made no store"
"$LIT" embed --image-tower $TOWER --data $DATA --out whole >/dev/null 2>&1
cmp store/img_emb/img_emb_0000.npy whole/img_emb/img_emb_0000.npy || fail "the parts make another store"
said "array job $array: four parts made the store that one process makes"

# srun's way to the MPI that is installed here.
if srun --mpi=pmix true 2>/dev/null; then export MPI=pmix; else export MPI=pmi2; fi
export MORE="--text-tower text:width=32,depth=1,heads=2 --batch 32 --checkpoint-every 10 --steps 300 --doctor off"
lines() { if [ -f "$1/metrics.jsonl" ]; then wc -l <"$1/metrics.jsonl"; else echo 0; fi; }
tune=$(RUN=undisturbed sbatch --parsable "$root/docs/many-machines/tune.sbatch")
ends "$tune"
[ -f undisturbed/model/model.json ] || fail "the job has made no model"
grep '^2 processes' tune.log || fail "the two did not find each other"
said "job $tune: srun --mpi=$MPI"

rm tune.log
tune=$(RUN=killed sbatch --parsable "$root/docs/many-machines/tune.sbatch")
for _ in $(seq 600); do [ "$(lines killed)" -lt 50 ] || break; sleep 0.1; done
for process in /proc/[0-9]*; do
    if grep -qsz '^LIT_MPI_PARENT=' "$process/environ" && [ "$(readlink "$process/cwd")" = "$work" ]; then
        kill -9 "${process#/proc/}"; break
    fi
done
ends "$tune"
grep 'killed by signal 9\|put back\|going on from' tune.log || fail "the job was not put back into the queue"
cmp undisturbed/model/text.safetensors killed/model/text.safetensors || fail "the job that was killed made another model"
said "job $tune: killed, put back into the queue by its script, and equal byte for byte"

rm tune.log
tune=$(RUN=told sbatch --parsable "$root/docs/many-machines/tune.sbatch")
for _ in $(seq 600); do [ "$(lines told)" -lt 50 ] || break; sleep 0.1; done
scancel --signal=USR1 "$tune"
ends "$tune"
grep 'stopped with a checkpoint\|put back\|going on from' tune.log || fail "the job was not put back into the queue"
cmp undisturbed/model/text.safetensors told/model/text.safetensors || fail "the job that was told made another model"
said "job $tune: told by SIGUSR1, as before the end of its time, and equal byte for byte"
