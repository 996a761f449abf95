#!/bin/sh
# clang-tidy over our sources, with what <build> has generated. Usage: tidy_test.sh joined|alone <source> <build>
#   joined  the checks of .clang-tidy; sixteen files of a part are read as one, so that the headers that they
#           share are gone through once: a sixth of the time
#   alone   each file by itself, as the builds of run.sh do not: it has all that it names, without a warning of
#           the compiler and without a using declaration that it does not need
set -eu
how=$1
source=$(cd "$2" && pwd)
build=$(cd "$3" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

configure() {
  cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DFLORA_TESTS=OFF \
    -DFLORA_VIEWER_DIR="$work" "$@" >"$work/log" || { cat "$work/log"; exit 1; }
  sed -e "s#$work/build#$build#g" -e "s#$build/\([^ \"]*/Unity/\)#$work/build/\1#g" -e 's/ -Werror//g' \
    "$work/build/compile_commands.json" >"$work/compile_commands.json"
}

cd "$source"
if [ "$how" = joined ]; then
  configure -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16
  find "$work/build" -name 'unity_*.cxx' -exec sed -i "s#$work/build#$build#g" {} +
  # What is generated is nobody's to mend.
  sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$work/compile_commands.json" |
    grep -v -e "^$build/" -e flora_fabric_wire >"$work/files"
  set --
else
  configure
  find gateway adapters openapi ledger-client -name '*.cpp' >"$work/files"
  set -- --checks='-*,clang-diagnostic-*,misc-unused-using-decls' --extra-arg=-Wreserved-identifier
fi
xargs -n 1 -P "$(nproc)" clang-tidy -p "$work" --config-file=.clang-tidy --quiet "$@" <"$work/files"
