#!/usr/bin/env bash
# Kills `lit tune` at N random points and compares the models' weights. Usage: tests/kill-tune.sh [N] [seed]
RANDOM=${2:-1}
. "$(dirname "$0")/kill-loop.sh"
work() { lit tune --data store --out "$1" --text-tower text:width=32,depth=1,heads=2 --steps 200 --batch 32 --checkpoint-every 20 --threads 1; }
same() { cmp -s whole/model/text.safetensors killed/model/text.safetensors; }
(lit data draw --split pairs --count 240 --out .) >/dev/null
(lit embed --image-tower cifar-resnet:20 --data pairs.tar --out store) >/dev/null
kills "${1:-20}" "lit tune"
