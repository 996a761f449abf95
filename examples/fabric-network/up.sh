#!/bin/sh
# Starts a network of two organisations and returns when it takes transactions. Its processes go on
# until down.sh ends them. Usage: examples/fabric-network/up.sh [folder]
#   folder   where the network lives, new or empty (default: build/fabric-network); network.json in it
#            tells clients all that they need. Networks in different folders run side by side.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../packages.sh" fabric
built=$("$here/build.sh")
exec /usr/bin/python3 "$here/network.py" up "${1:-$here/../../build/fabric-network}" \
  --programs "$(echo "$built" | sed -n 1p)" --chaincode "$(echo "$built" | sed -n 2p)/chaincode"
