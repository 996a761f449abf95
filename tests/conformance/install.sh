#!/bin/sh
# Installs the pinned tools of package-lock.json beside this script, unless they are there already.
# Usage: tests/conformance/install.sh. Needs node and npm.
set -eu
cd "$(dirname "$0")"
if [ -f node_modules/installed ] && cmp -s package-lock.json node_modules/installed; then exit 0; fi
npm ci --no-audit --no-fund --loglevel=error
cp package-lock.json node_modules/installed
