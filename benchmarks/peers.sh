#!/usr/bin/env bash
# Recall against time beside faiss and USearch, with captions asking: everything from the pictures to the table, in one command. What
# is there already is taken as it is. Needs Debian's python3-faiss. Usage: benchmarks/peers.sh WORK DATA [ROWS]
#   WORK  a folder for the stores and the model (1 GB)
#   DATA  captioned photographs, such as Tiny ImageNet's train.tar.gz, as docs/results.md has it
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
work=$1 data=$2 rows=${3:-40000}
mkdir -p "$work"
[ -e "$work/train/store.json" ] || {
    ./lit models pull resnet18-imagenet
    ./lit embed --image-tower resnet18-imagenet --data "$data" --out "$work/train"
}
[ -e "$work/run/model/model.json" ] || ./lit tune --data "$work/train" --out "$work/run"
dotnet build -c Release benchmarks/LiT.Benchmarks -v quiet --nologo
program=artifacts/bin/LiT.Benchmarks/release/LiT.Benchmarks
rm -rf "$work/planted" "$work/planted-again"
"$program" peers "$work/planted" "$work/run/model" "$work/train" "$rows" --keep
"$program" tables docs/performance.md
