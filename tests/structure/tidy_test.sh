#!/bin/sh
# clang-tidy with the checks of .clang-tidy, over our sources. Usage: tidy_test.sh <source> <build>
# The build may compile many files as one; here each has its own command, with what <build> has generated.
set -eu
build=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S "$1" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DFLORA_TESTS=OFF \
  -DFLORA_VIEWER_DIR="$work" >"$work/log" || { cat "$work/log"; exit 1; }
sed -e "s#$work/build#$build#g" -e 's/ -Werror//g' "$work/build/compile_commands.json" >"$work/compile_commands.json"
cd "$1"
find gateway adapters openapi ledger-client -name '*.cpp' -print0 |
  xargs -0 -n 4 -P "$(nproc)" clang-tidy -p "$work" --quiet
