#!/usr/bin/env bash
# Kills whatever changes a store at N random points: `lit embed --update`, `lit index watch`, `lit index compact`, over pictures that come,
# go and are renamed. After each kill the store must verify and its counts add up; then the same is done to its end, and the store must
# answer as one that was never disturbed. Usage: tests/kill-index.sh [N] [seed]
RANDOM=${2:-1}
. "$(dirname "$0")/kill-loop.sh"
n=${1:-50}
(lit data draw --split pairs --count 400 --out .) >/dev/null
(lit data convert --data pairs.tar --out pool --to folder) >/dev/null
(lit embed --image-tower cifar-resnet:20 --data pairs.tar --out tuned) >/dev/null
(lit tune --data tuned --out run --text-tower text:width=32,depth=1,heads=2 --steps 20 --batch 32) >/dev/null
mkdir photos; pool=(pool/*/*.png); mv "${pool[@]:0:60}" photos/
for store in killed whole; do
    (lit embed --image-tower cifar-resnet:20 --data photos --out $store --rows-per-shard 16) >/dev/null
    (lit index build $store) >/dev/null
done
answers() { (lit search a "red cat" --each --top 1000 --model run --data "$1" --json) | grep -E '"(key|similarity)"' | sed -E 's/([0-9]\.[0-9]{3})[0-9]*/\1/' | paste - - | sort; }
change() {                                                                 # pictures come, go and are renamed
    ls pool/*/*.png 2>/dev/null | shuf -n 4 --random-source=<(yes $RANDOM) | xargs -r -I{} mv {} photos/
    ls photos | shuf -n 2 --random-source=<(yes $RANDOM) | xargs -I{} mv photos/{} pool/00000/
    for one in $(ls photos | shuf -n 2 --random-source=<(yes $RANDOM)); do mv "photos/$one" "photos/r$RANDOM-$one"; done
}
work() {                                                                   # what is done to a store, by its number
    case $2 in
        0) lit embed --image-tower cifar-resnet:20 --data photos --out "$1" --rows-per-shard 16 --update ;;
        1) lit index watch "$1" --data photos --once ;;
        2) lit index compact "$1" ;;
        3) lit index watch "$1" --data photos --settle 0.1 ;;               # goes on until it is killed
    esac
}
took=2500 good=0 cut=0
for i in $(seq "$n"); do
    kind=$((i % 4)); change
    work killed $kind >/dev/null & pid=$!
    [ $kind = 3 ] && { sleep 1; change; }
    wait_ms=$((300 + RANDOM * took / 32768)); sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
    if kill -9 $pid 2>/dev/null; then cut=$((cut + 1)); fi
    wait $pid 2>/dev/null || true
    bad=""
    (lit index status killed) >>log || bad="status"
    (lit index verify killed --sample 1000 --queries 5) >>log || bad="$bad verify"
    for store in killed whole; do (work $store 1) >/dev/null; done         # each to the end
    if [ $((i % 5)) = 0 ]; then for store in killed whole; do (work $store 2) >/dev/null; done; fi
    if [ "$(answers killed)" != "$(answers whole)" ]; then bad="$bad answers"; fi
    if [ -z "$bad" ]; then good=$((good + 1)); else echo "kill $i (work $kind): $bad"; tail -2 log; fi
done
(lit index status killed)
echo "index: $good of $n verified and answered as an undisturbed store ($cut of them were killed at work)"
[ "$good" = "$n" ]
