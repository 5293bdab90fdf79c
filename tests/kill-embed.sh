#!/usr/bin/env bash
# Kills `lit embed` at N random points and compares the stores. Usage: tests/kill-embed.sh [N] [seed]
RANDOM=${2:-1}
. "$(dirname "$0")/kill-loop.sh"
work() { lit embed --image-tower cifar-resnet:20 --data pairs.tar --out "$1" --rows-per-shard 16 --batch 4 --threads 1; }
(lit data draw --split pairs --count 240 --out .) >/dev/null
kills "${1:-50}" "lit embed"
