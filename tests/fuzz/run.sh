#!/bin/sh
# Runs one fuzz target on a copy of its corpus. Usage: tests/fuzz/run.sh <program> <corpus>
# FLORA_FUZZ_SECONDS says for how long (default 10). A finding is printed and is a failure.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$2" "$work/corpus"
cd "$work"
"$1" -max_total_time="${FLORA_FUZZ_SECONDS:-10}" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 \
  corpus
