#!/usr/bin/env bash
# Puts PGlite, a PostgreSQL with pgvector that runs in node, where tests/LiT.Postgres.Tests looks for it.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p artifacts/pglite
cd artifacts/pglite
[ -f package.json ] || echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --no-save --save-exact \
    @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17 @electric-sql/pglite-pgvector@0.0.15
