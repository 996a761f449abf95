#!/bin/sh
# Starts a network of two organisations and returns when it takes transactions. Its processes go on
# until down.sh ends them. Usage: examples/fabric-network/up.sh [folder [channel…]]
#   folder   where the network lives, new or empty (default: build/fabric-network); network.json in it
#            tells clients all that they need. Networks in different folders run side by side.
#   channel  further channels beside `default`, with the same chaincode; of both organisations, or of those that
#            it names: flora-sn=BundMSP
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../packages.sh" fabric
built=$("$here/build.sh")
folder=${1:-$here/../../build/fabric-network}
[ $# -eq 0 ] || shift
exec /usr/bin/python3 "$here/network.py" up "$folder" \
  --programs "$(echo "$built" | sed -n 1p)" --chaincode "$(echo "$built" | sed -n 2p)/chaincode" --channels "$@"
