#!/bin/sh
# Lets Schemathesis send generated requests to a running gateway, and checks that events of every status
# were committed and every operation succeeded. Exceptions stand in schemathesis.toml, each with its reason.
# Usage: tests/conformance/schemathesis.sh <base URL> <operators' base URL> [examples per operation]
# Needs python3 with venv. The tool is installed once into tests/conformance/.venv.
set -eu
usage='usage: schemathesis.sh <base URL> <operators base URL> [examples per operation]'
base=${1:?$usage}
operators=${2:?$usage}
examples=${3:-60}
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/installed; then
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt .venv/installed
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SCHEMATHESIS_HOOKS=schemathesis_hooks FLORA_REACHED="$work/reached.json" PYTHONPATH=.
run() {  # <include or exclude the operators' paths> <URL> <phases>
  .venv/bin/st --config-file schemathesis.toml run ../../openapi/flora-gateway.yaml --url "$2" \
    "--$1-path" /health/ready "--$1-path" /metrics \
    --phases "$3" --max-examples "$examples" --seed 20260612 --generation-database none
}
run include "$operators" examples,coverage,fuzzing
run exclude "$base" examples,coverage,fuzzing,stateful
.venv/bin/python schemathesis_hooks.py "$base" "$work/reached.json"
