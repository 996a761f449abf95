#!/bin/sh
# Ends a network that up.sh has started and deletes its folder. Usage: examples/fabric-network/down.sh [folder]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec /usr/bin/python3 "$here/network.py" down "${1:-$here/../../build/fabric-network}"
