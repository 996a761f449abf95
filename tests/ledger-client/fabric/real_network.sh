#!/bin/sh
# Starts a real Fabric network, runs a test program on it, ends it. Usage: real_network.sh <program> [arguments]
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
folder=$(mktemp -d)
trap '"$root/examples/fabric-network/down.sh" "$folder/network" >/dev/null || true; rm -rf "$folder"' EXIT
FLORA_FABRIC_NETWORK=$("$root/examples/fabric-network/up.sh" "$folder/network")
export FLORA_FABRIC_NETWORK
"$@"
