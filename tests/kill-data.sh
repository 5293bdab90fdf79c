#!/usr/bin/env bash
# Kills `lit data convert`, `filter` and `dedup` at N random points each and compares what they made; a download needs a server, so
# that is killed in tests/LiT.Cli.Tests. Usage: tests/kill-data.sh [N] [seed]
RANDOM=${2:-1}
. "$(dirname "$0")/kill-loop.sh"
(lit data draw --split pairs --count 2000 --out .) >/dev/null
(lit data draw --split test --count 200 --out .) >/dev/null
for verb in "convert --samples-per-shard 100" "convert --to parquet --samples-per-shard 100" "convert --to folder --samples-per-shard 100" \
    "filter --min-side 0 --min-words 2 --min-token-count 2 --samples-per-shard 100" "dedup --against test.tar"; do
    work() { lit data $verb --data pairs.tar --out "$1"; }                    # the verb's words are split on purpose
    kills "${1:-20}" "lit data $verb"
done
