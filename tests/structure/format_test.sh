#!/bin/sh
# Every C++ file is as clang-format writes it. Usage: format_test.sh <source folder>
set -eu
cd "$1"
find gateway adapters openapi ledger-client tests -name node_modules -prune -o \
  \( -name '*.h' -o -name '*.cpp' \) -print | xargs clang-format --dry-run --Werror
