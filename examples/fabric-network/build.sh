#!/bin/sh
# Builds what a network consists of, unless it is there: the programs of Hyperledger Fabric, pinned by
# go.mod and go.sum beside this file, and our chaincode. Prints the two folders that hold them.
# FLORA_FABRIC_BUILD: where they are kept, each under the hash of what it was made from (default:
# build/fabric); several may build at once.
set -eu
cd "$(dirname "$0")/../.."
kept=${FLORA_FABRIC_BUILD:-build/fabric}
mkdir -p "$kept"
kept=$(cd "$kept" && pwd)
chaincode=ledger-client/fabric/chaincode

programs="$kept/programs-$(cat examples/fabric-network/go.sum examples/fabric-network/go.mod \
  examples/fabric-network/client/main.go | sha256sum | cut -c1-16)"
ours="$kept/chaincode-$(cat "$chaincode"/*.go "$chaincode/go.mod" "$chaincode/go.sum" "$chaincode/lay-in.sh" \
  openapi/flora-gateway.yaml config/policy.yaml config/statuses.yaml | sha256sum | cut -c1-16)"

# build <folder> <function>: makes the folder whole or not at all.
build() {
  [ -d "$1" ] && return
  rm -rf "$1.part"
  mkdir "$1.part"
  "$2" "$1.part"
  mv "$1.part" "$1"
}
build_programs() {
  echo 'Building Hyperledger Fabric (minutes the first time)' >&2
  pinned=github.com/hyperledger/fabric/cmd
  (cd examples/fabric-network && go build -mod=readonly -o "$1/" "$pinned/peer" "$pinned/orderer" \
    "$pinned/configtxgen" "$pinned/cryptogen" "$pinned/osnadmin" ./client)
}
build_chaincode() {
  "$chaincode/lay-in.sh" "$1/source"
  (cd "$1/source" && go build -mod=readonly -o ../chaincode .)
}

if [ ! -d "$programs" ] || [ ! -d "$ours" ]; then
  . examples/go.sh
  (
    flock 9
    build "$programs" build_programs
    build "$ours" build_chaincode
  ) 9>"$kept/lock"
fi
echo "$programs"
echo "$ours"
