#!/bin/sh
# clang-tidy over our sources, with what <build> has generated. Usage: tidy_test.sh <source> <build>
# Sixteen files of a part are read as one, so that the headers that they share are gone through once: a sixth of the
# time. What each file must have by itself is for alone_test.py.
set -eu
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DFLORA_TESTS=OFF \
  -DFLORA_VIEWER_DIR="$work" -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16 >"$work/log" ||
  { cat "$work/log"; exit 1; }
sed -e "s#$work/build#$build#g" -e "s#$build/\([^ \"]*/Unity/\)#$work/build/\1#g" -e 's/ -Werror//g' \
  "$work/build/compile_commands.json" >"$work/compile_commands.json"
find "$work/build" -name 'unity_*.cxx' -exec sed -i "s#$work/build#$build#g" {} +

cd "$source"
# What is generated is nobody's to mend.
sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$work/compile_commands.json" |
  grep -v -e "^$build/" -e flora_fabric_wire |
  xargs -n 1 -P "$(nproc)" clang-tidy -p "$work" --config-file=.clang-tidy --quiet --extra-arg=-Wreserved-identifier
