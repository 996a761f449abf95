#!/bin/sh
# A PostgreSQL server of the tests' own, in a folder of its own, reached by a socket in it and by
# nothing else. Usage: tests/postgresql.sh start <file> [setting=value], stop <file>,
# signal <file> <KILL|STOP|CONT> (all of its processes), or restart <file> (after a KILL).
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

folder() {
  sed -n 's/^host=\([^ ]*\) .*/\1/p' "$file"
}

launch() {
  as_user "$programs/pg_ctl" -D "$1/data" -w -t 60 -l "$1/log" start >/dev/null || {
    cat "$1/log" >&2
    exit 1
  }
}

stop() {
  [ -e "$file" ] || return 0
  folder=$(folder)
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
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$folder'" "max_connections = 200" \
      "${3:-}" >>"$folder/data/postgresql.conf"
    launch "$folder"
    ;;
  stop) stop ;;
  signal)
    server=$(head -n 1 "$(folder)/data/postmaster.pid")
    kill -STOP "$server"  # So that it makes no further processes meanwhile.
    # shellcheck disable=SC2046  # One word each.
    kill "-$3" $(pgrep -P "$server") "$server"
    ;;
  restart)
    folder=$(folder)
    cd "$folder"
    # Until its parent knows that it is dead another one does not start.
    timeout 60 tail -s 0.05 --pid="$(head -n 1 data/postmaster.pid)" -f /dev/null
    launch "$folder"
    ;;
  *)
    echo "usage: $0 start <file> [setting=value] | stop|restart <file> | signal <file> <signal>" >&2
    exit 2
    ;;
esac
