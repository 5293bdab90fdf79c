#!/usr/bin/env bash
# Kills one process of `mpirun -n 4 lit tune --mpi` at N random points, starts the job again, and compares the models'
# weights. Usage: tests/kill-mpi.sh [N] [seed] [openmpi|mpich]
RANDOM=${2:-1} launcher=${3:-openmpi}
. "$(dirname "$0")/kill-loop.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
case $launcher in
openmpi) start=(mpirun.openmpi --oversubscribe --bind-to none -n 4) ;;
*) start=(mpirun.mpich -n 4) ;;
esac
job() {
    "${start[@]}" "$root/artifacts/bin/LiT.Cli/release/lit" tune --mpi --data store --out "$1" --threads 1 --doctor off \
        --text-tower text:width=32,depth=1,heads=2 --steps 100 --batch 32 --checkpoint-every 10 >/dev/null 2>>log
}
# The processes that work, not those above them: they know their parent.
workers() {
    local process
    for process in /proc/[0-9]*; do
        if grep -qsz '^LIT_MPI_PARENT=' "$process/environ" && [ "$(readlink "$process/cwd" 2>/dev/null)" = "$PWD" ]; then
            echo "${process#/proc/}"
        fi
    done
}
(lit data draw --split pairs --count 240 --out .) >/dev/null
(lit embed --image-tower cifar-resnet:20 --data pairs.tar --out store) >/dev/null

before=$(date +%s%N); job whole; took=$((($(date +%s%N) - before) / 1000000))
echo "undisturbed: $took ms"
same=0 cut=0 again=0 n=${1:-20}
for i in $(seq "$n"); do
    rm -rf killed
    job killed & pid=$!
    sleep "$(printf '%d.%03d' $((RANDOM * took / 32768 / 1000)) $((RANDOM * took / 32768 % 1000)))"
    mapfile -t all < <(workers)
    if [ ${#all[@]} -gt 0 ] && kill -9 "${all[RANDOM % ${#all[@]}]}" 2>/dev/null; then cut=$((cut + 1)); fi
    code=0; wait $pid || code=$?
    [ $code != 75 ] || again=$((again + 1))
    [ $code = 0 ] || [ $code = 75 ] || echo "kill $i: the job ended with $code"
    job killed
    if cmp -s whole/model/text.safetensors killed/model/text.safetensors; then
        same=$((same + 1))
    else
        echo "kill $i: what it made differs"
    fi
done
echo "$launcher: $same of $n equal byte for byte; one of four was killed at work $cut times, and the job said 75 $again times"
[ "$same" = "$n" ]
