#!/usr/bin/env bash
# A real PostgreSQL with pgvector for tests/LiT.Postgres.Tests and tests/kill-push.sh, on a loopback port and in a folder of its own, and
# its address on standard output. Needs Debian's postgresql-15 and postgresql-server-dev-15, and pgvector's sources (a checkout of
# github.com/pgvector/pgvector), which are compiled there. Usage: tests/postgres-server.sh start FOLDER PGVECTOR [PORT], or stop FOLDER
set -euo pipefail
programs=${PG_BIN:-/usr/lib/postgresql/15/bin}
what=$1 folder=$(readlink -m "$2")
mkdir -p "$folder"
# PostgreSQL does not run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
if [ "$what" = stop ]; then
    as "$programs/pg_ctl" -D "$folder/data" -m fast -w stop >&2
    exit
fi
sources=$3 port=${4:-55432}
make -s -C "$sources" OPTFLAGS="" PG_CONFIG="$programs/pg_config" >&2
make -s -C "$sources" PG_CONFIG="$programs/pg_config" install >&2
[ "$(id -u)" != 0 ] || chown postgres "$folder"
if [ ! -e "$folder/data/PG_VERSION" ]; then
    echo secret >"$folder/password"
    [ "$(id -u)" != 0 ] || chown postgres "$folder/password"
    as "$programs/initdb" -D "$folder/data" -U postgres -A scram-sha-256 --pwfile="$folder/password" --locale=C.UTF-8 -E UTF8 >&2
fi
as "$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -w start \
    -o "-p $port -k '$folder' -c listen_addresses=127.0.0.1" >&2
echo "postgres://postgres:secret@127.0.0.1:$port/postgres?sslmode=disable"
