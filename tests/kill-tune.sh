#!/usr/bin/env bash
# Kills `lit tune` at N random points (SIGKILL), each time runs the same command again to its end, and compares the model's
# weights with those of an undisturbed run, byte by byte. Usage: tests/kill-tune.sh [N] [seed]
set -euo pipefail
n=${1:-20} RANDOM=${2:-1}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cd "$work"
lit() { exec "$root/artifacts/bin/LiT.Cli/release/lit" "$@" 2>>log; }   # exec: the process that is killed is the program
"$root/lit" --version >/dev/null                                            # builds it where that is needed
tune() { lit tune --data store --out "$1" --text-tower text:width=32,depth=1,heads=2 --steps 200 --batch 32 --checkpoint-every 20 --threads 1; }
(lit data draw --split pairs --count 240 --out .) >/dev/null
(lit embed --image-tower cifar-resnet:20 --data pairs.tar --out store) >/dev/null
before=$(date +%s%N); (tune whole) >/dev/null; took=$((($(date +%s%N) - before) / 1000000))
echo "undisturbed: $took ms"
same=0 cut=0
for i in $(seq "$n"); do
    rm -rf killed
    tune killed >/dev/null & pid=$!
    sleep "$(printf '%d.%03d' $((RANDOM * took / 32768 / 1000)) $((RANDOM * took / 32768 % 1000)))"
    if kill -9 $pid 2>/dev/null; then cut=$((cut + 1)); fi
    wait $pid 2>/dev/null || true
    (tune killed) >/dev/null
    if cmp -s whole/model/text.safetensors killed/model/text.safetensors; then same=$((same + 1)); else echo "kill $i: the weights differ"; fi
done
echo "$same of $n models equal byte for byte ($cut of them were killed at work)"
[ "$same" = "$n" ]
