#!/usr/bin/env bash
# Kills `lit index push` at N random points (SIGKILL). Batches are whole: what a push that was killed has left is a number of them, the
# next push goes on there, and one more finds nothing to do; in the end the table answers as its store. Needs what tests/postgres.sh
# fetches, or an address in LIT_TEST_POSTGRES. Usage: tests/kill-push.sh [N] [seed]
RANDOM=${2:-1}
. "$(dirname "$0")/kill-loop.sh"
n=${1:-10} count=5000 batch=2000
address=${LIT_TEST_POSTGRES:-}
if [ -z "$address" ]; then
    glite="${PGLITE:-$root/artifacts/pglite}"
    [ -d "$glite/node_modules" ] || { echo "run tests/postgres.sh once, or name a database in LIT_TEST_POSTGRES" >&2; exit 1; }
    cp "$root/tests/LiT.Postgres.Tests/pglite.mjs" "$glite/kill-push.mjs"
    port=$((20000 + $$ % 20000))
    mkfifo hold; node "$glite/kill-push.mjs" serve $port <hold >served & server=$!
    exec 8>hold                                                             # open as long as this script lives
    until grep -q ready served; do kill -0 $server; sleep 0.2; done
    address="postgres://postgres:secret@127.0.0.1:$port/postgres?sslmode=disable&server%20compatibility%20mode=NoTypeLoading&maximum%20pool%20size=1&copy=no"
fi
table() { case "$address" in *\?*) echo "$address&table=$1" ;; *) echo "$address?table=$1" ;; esac; }
(lit data draw --split pairs --count $count --out .) >/dev/null
(lit embed --image-tower cifar-resnet:20 --data pairs.tar --out store) >/dev/null
(lit tune --data store --out run --text-tower text:width=32,depth=1,heads=2 --steps 10 --batch 32) >/dev/null
value() { sed -nE "s/.*\"$1\": ?([0-9]+).*/\1/p" "$2"; }
answers() { (lit search "a red cat" --each --top 50 --model run --data "$1" --exact --json) | grep '"key"' | sort; }
before=$(date +%s%N); (lit index push store --to "$(table whole)" --json) >whole; took=$((($(date +%s%N) - before) / 1000000))
good=0 cut=0
for i in $(seq "$n"); do
    lit index push store --to "$(table "t$i")" >/dev/null & pid=$!
    sleep "$(printf '%d.%03d' $((RANDOM * took / 32768 / 1000)) $((RANDOM * took / 32768 % 1000)))"
    if kill -9 $pid 2>/dev/null; then cut=$((cut + 1)); fi
    wait $pid 2>/dev/null || true
    bad=""
    until (lit index push store --to "$(table "t$i")" --json) >next; do     # one connection at a time: the killed one's has to end
        tries=$((${tries:-0} + 1)); [ $tries -lt 50 ] || { tail -2 log; exit 1; }; sleep 0.5
    done
    kept=$(value kept next)
    [ $((kept % batch)) = 0 ] || [ "$kept" = $count ] || bad="a batch is not whole: $kept were there"
    [ $((kept + $(value written next))) = $count ] || bad="$bad counts"
    (lit index push store --to "$(table "t$i")" --json) >again
    [ "$(value written again)$(value removed again)" = 00 ] || bad="$bad written again"
    [ "$(answers "$(table "t$i")")" = "$(answers store)" ] || bad="$bad answers"
    if [ -z "$bad" ]; then good=$((good + 1)); else echo "kill $i: $bad"; fi
done
echo "push: $good of $n went on and answered as their store ($cut of them were killed at work)"
[ "$good" = "$n" ]
