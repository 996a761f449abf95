#!/bin/sh
# Puts the chaincode's sources into a new folder together with the texts that close its lists: the
# OpenAPI document, the policy and the status catalogue, byte for byte. There, and only there, it builds.
# Usage: ledger-client/fabric/chaincode/lay-in.sh <new folder>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root="$here/../../.."
mkdir -p "$1"
cp "$here"/*.go "$here/go.mod" "$here/go.sum" "$root/openapi/flora-gateway.yaml" \
  "$root/config/policy.yaml" "$root/config/statuses.yaml" "$1"
