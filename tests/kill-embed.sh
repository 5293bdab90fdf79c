#!/usr/bin/env bash
# Kills `lit embed` at N random points (SIGKILL), each time runs the same command again to its end, and compares the store
# with an undisturbed one, byte by byte. Usage: tests/kill-embed.sh [N] [seed]
set -euo pipefail
n=${1:-50} RANDOM=${2:-1}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cd "$work"
lit() { exec "$root/artifacts/bin/LiT.Cli/release/lit" "$@" 2>>log; }   # exec: the process that is killed is the program
"$root/lit" --version >/dev/null                                            # builds it where that is needed
embed() { lit embed --image-tower cifar-resnet:20 --data pairs.tar --out "$1" --rows-per-shard 16 --batch 4 --threads 1; }
(lit data draw --split pairs --count 240 --out .) >/dev/null
before=$(date +%s%N); (embed whole) >/dev/null; took=$((($(date +%s%N) - before) / 1000000))
echo "undisturbed: $took ms"
same=0 cut=0
for i in $(seq "$n"); do
    rm -rf killed
    embed killed >/dev/null & pid=$!
    sleep "$(printf '%d.%03d' $((RANDOM * took / 32768 / 1000)) $((RANDOM * took / 32768 % 1000)))"
    if kill -9 $pid 2>/dev/null; then cut=$((cut + 1)); fi
    wait $pid 2>/dev/null || true
    (embed killed) >/dev/null
    if diff -r whole killed >>log; then same=$((same + 1)); else echo "kill $i: the stores differ"; fi
done
echo "$same of $n stores equal byte for byte ($cut of them were killed at work)"
[ "$same" = "$n" ]
