#!/usr/bin/env bash
# Sends 20,000 requests of which nobody thought to a server (or as many as the first argument says): no answer may be
# the server's own trouble. The suite sends 1,000. About two minutes on two cores.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
dotnet build tests/LiT.Server.Tests -c Release -v quiet --nologo
LIT_FUZZ_REQUESTS="${1:-20000}" artifacts/bin/LiT.Server.Tests/release/LiT.Server.Tests \
    -class LiT.Server.Tests.FuzzTests -diagnostics
