#!/usr/bin/env bash
# Whether the OpenAPI document that the server gives is valid, by a validator that is no part of this project
# (Redocly's): its structure, its references, and that an address's parameters are those of the path. Needs node and npm.
# tests/openapi.sh [DOCUMENT OR ADDRESS]
set -euo pipefail
document=${1:-$(dirname "$0")/../docs/openapi.json}
rules=$(mktemp --suffix=.yaml)
trap 'rm -f "$rules"' EXIT
printf 'extends: [spec]\n' >"$rules"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
npx --yes @redocly/cli@2 lint --config "$rules" "$document"
