#!/bin/sh
# clang-tidy with the checks of .clang-tidy, over our sources. Usage: tidy_test.sh <source> <build>
# Sixteen files of a part are read as one, so that the headers that they share are gone through once: a sixth of
# the time. That each file is whole by itself is what alone_test.py sees. What is generated is in <build>, and nobody's to mend.
set -eu
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DFLORA_TESTS=OFF \
  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16 \
  -DFLORA_VIEWER_DIR="$work" >"$work/log" || { cat "$work/log"; exit 1; }
find "$work/build" -name 'unity_*.cxx' >"$work/joined"
xargs sed -i "s#$work/build#$build#g" <"$work/joined"
sed -e "s#$work/build#$build#g" -e "s#$build/\([^ \"]*/Unity/\)#$work/build/\1#g" -e 's/ -Werror//g' \
  "$work/build/compile_commands.json" >"$work/compile_commands.json"
sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$work/compile_commands.json" | grep -v -e "^$build/" -e flora_fabric_wire |
  xargs -n 1 -P "$(nproc)" clang-tidy -p "$work" --config-file="$source/.clang-tidy" --quiet
