#!/bin/sh
# clang-tidy with the checks of .clang-tidy, over our sources. Usage: tidy_test.sh <source> <build>
# The compile commands are g++'s; flags that clang does not know are taken out of a copy.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -e 's/ -Wno-maybe-uninitialized//g; s/ -Wno-restrict//g; s/ -Werror//g' \
  -e 's/ -fstack-clash-protection//g; s/ -fcf-protection//g' \
  "$2/compile_commands.json" >"$work/compile_commands.json"
cd "$1"
find gateway adapters openapi ledger-client -name '*.cpp' -print0 |
  xargs -0 -n 4 -P "$(nproc)" clang-tidy -p "$work" --quiet
