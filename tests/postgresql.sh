#!/bin/sh
# A PostgreSQL server of the tests' own, in a folder of its own, reached by a socket in it and by
# nothing else. Usage: tests/postgresql.sh start <file> [setting=value], or stop <file>
# `start` writes how it is reached into the file (what libpq calls a connection string).
set -eu
command=$1
file=$2
programs=$(pg_config --bindir)

# The server refuses to run as root.
as_user() {
  if [ "$(id -u)" = 0 ]; then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

stop() {
  [ -e "$file" ] || return 0
  folder=$(sed -n 's/^host=\([^ ]*\) .*/\1/p' "$file")
  if [ -d "$folder/data" ]; then
    as_user "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null || true
  fi
  rm -rf "$folder" "$file"
}

case "$command" in
  start)
    stop  # What a run that was broken off has left.
    folder=$(mktemp -d "${TMPDIR:-/tmp}/flora-postgresql-XXXXXX")
    [ "$(id -u)" != 0 ] || chown postgres "$folder"
    cd "$folder"
    as_user "$programs/initdb" -D "$folder/data" -U flora -A trust -E UTF8 --locale=C.UTF-8 \
      --no-sync >/dev/null
    printf 'host=%s user=flora\n' "$folder" >"$file"
    as_user "$programs/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" -o \
      "-c listen_addresses= -c unix_socket_directories=$folder -c max_connections=200${3:+ -c $3}" \
      start >/dev/null || { cat "$folder/log" >&2; exit 1; }
    ;;
  stop) stop ;;
  *) echo "usage: $0 start <file> [setting=value] | stop <file>" >&2; exit 2 ;;
esac
