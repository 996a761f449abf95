#!/bin/sh
# Fetches the JSON Schema Test Suite into a folder: the copy inside one pinned source release of the
# Python package jsonschema, checked against its hash. Does nothing if it is there.
# Usage: tests/openapi/fetch-suite.sh <folder>. Needs python3 and python3-pip.
set -eu
dest=${1:?usage: fetch-suite.sh <folder>}
release='jsonschema==4.23.0'
hash='sha256:d71497fef26351a33265337fa77ffeb82423f3ea21283cd9467bb03999266bc4'
if [ "$(cat "$dest/release" 2>/dev/null)" = "$release $hash" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s --hash=%s\n' "$release" "$hash" >"$work/requirements.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary jsonschema \
  --require-hashes --requirement "$work/requirements.txt" --dest "$work"
tar -xzf "$work"/jsonschema-*.tar.gz -C "$work"
mkdir -p "$dest"
cp -R "$work"/jsonschema-*/json/tests/draft2020-12 "$dest/"
printf '%s %s\n' "$release" "$hash" >"$dest/release"
