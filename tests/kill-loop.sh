# Sourced by the kill-*.sh beside it. kills N WHAT: kills `work killed` at N random points (SIGKILL), each time runs it again to its end,
# and compares what it made with that of an undisturbed `work whole`, by `same`. The caller defines work and may define same.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cd "$work"
lit() { exec "$root/artifacts/bin/LiT.Cli/release/lit" "$@" 2>>log; }   # exec: the process that is killed is the program
"$root/lit" --version >/dev/null                                            # builds it where that is needed
same() { diff -r whole killed >>log; }

kills() {
    local n=$1 what=$2 before took same=0 cut=0 pid i
    rm -rf whole
    before=$(date +%s%N); (work whole) >/dev/null; took=$((($(date +%s%N) - before) / 1000000))
    echo "$what undisturbed: $took ms"
    for i in $(seq "$n"); do
        rm -rf killed
        work killed >/dev/null & pid=$!
        sleep "$(printf '%d.%03d' $((RANDOM * took / 32768 / 1000)) $((RANDOM * took / 32768 % 1000)))"
        if kill -9 $pid 2>/dev/null; then cut=$((cut + 1)); fi
        wait $pid 2>/dev/null || true
        (work killed) >/dev/null
        if same; then same=$((same + 1)); else echo "kill $i: what it made differs"; fi
    done
    echo "$what: $same of $n equal byte for byte ($cut of them were killed at work)"
    [ "$same" = "$n" ]
}
