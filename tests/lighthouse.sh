#!/usr/bin/env bash
# What lighthouse says of the page of a server that runs: tests/lighthouse.sh http://127.0.0.1:8080
# Fails below 95 of 100 for accessibility and best practices, on a desktop and on a phone. Needs node, npm and a chromium.
set -euo pipefail
address=${1:?Give the address that 'lit serve' printed.}
export CHROME_PATH=${CHROME_PATH:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
for pane in '#' '#q=a+red+heart' '#demo=1'; do
    for form in desktop mobile; do
        preset=()
        [ "$form" = mobile ] || preset=(--preset=desktop)
        npx --yes lighthouse@12.2.3 "${address%/}/$pane" --quiet "${preset[@]}" --output=json --output-path="$folder/said.json" \
            --only-categories=accessibility,best-practices,performance --chrome-flags='--headless=new --no-sandbox'
        node - "$folder/said.json" "$form" "$pane" <<'END' || failed=1
const [, , file, form, pane] = process.argv;
const { categories, audits } = JSON.parse(require("fs").readFileSync(file));
const of = (name) => Math.round(100 * categories[name].score);
const ready = audits.interactive ? `, interactive after ${audits.interactive.displayValue}` : "";
console.log(`${pane} ${form}: accessibility ${of("accessibility")}, best practices ${of("best-practices")}, performance ${of("performance")}${ready}`);
process.exit(of("accessibility") >= 95 && of("best-practices") >= 95 ? 0 : 1);
END
    done
done
exit "$failed"
