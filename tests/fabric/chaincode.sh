#!/bin/sh
# The chaincode's own tests, in a copy of its sources with the texts that are laid in. With an argument
# also the verdicts of the gateway's guard about as many texts as FLORA_SOAK asks for.
# Usage: tests/fabric/chaincode.sh [<guard_verdicts>]
set -eu
cd "$(dirname "$0")/../.."
. examples/go.sh
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
ledger-client/fabric/chaincode/lay-in.sh "$run/source"
if [ $# = 0 ]; then
  cd "$run/source"
  go vet .
  go test -mod=readonly .
else
  "$1" "$([ -n "${FLORA_SOAK:-}" ] && echo 300000 || echo 50000)" >"$run/verdicts"
  cd "$run/source"
  FLORA_VERDICTS="$run/verdicts" go test -mod=readonly -tags parity -v -run Verdicts .
fi
