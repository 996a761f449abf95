#!/bin/sh
# Converts the embedded document to OpenAPI 3.0.3 and has an independent tool check the result.
# Usage: tests/conformance/lint_30.sh <schema_check program>
set -eu
program=${1:?usage: lint_30.sh <schema_check program>}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" json-3.0 >"$work/openapi-3.0.json"
cd "$(dirname "$0")"
node_modules/.bin/redocly lint "$work/openapi-3.0.json" --config redocly.yaml
