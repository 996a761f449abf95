#!/bin/sh
# Fetches the files of Swagger UI, with which /docs shows the document, into a folder: one pinned
# release from the Python package index, checked against its hash. Does nothing if they are there.
# Usage: openapi/fetch-viewer.sh <folder>. Needs python3 and python3-pip.
set -eu
dest=${1:?usage: fetch-viewer.sh <folder>}
release='drf-spectacular-sidecar==2026.10.1'
hash='sha256:fe1d005d8ac9b5d0472f2fe5deeb2e7d6dcffaa24118044f22578b4b8c4b31f2'
stamp="$dest/release"
if [ "$(cat "$stamp" 2>/dev/null)" = "$release $hash" ]; then
  exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "fetch-viewer.sh: needs pip (on Debian: apt-get install python3-pip)" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s --hash=%s\n' "$release" "$hash" >"$work/requirements.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --require-hashes --requirement "$work/requirements.txt" --dest "$work"
python3 -m zipfile -e "$work"/*.whl "$work/wheel"
files="$work/wheel/drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist"
mkdir -p "$dest"
for file in swagger-ui-bundle.js swagger-ui.css favicon-32x32.png; do
  cp "$files/$file" "$dest/$file"
done
printf '%s %s\n' "$release" "$hash" >"$stamp"
