#!/bin/sh
# Runs openmetrics_test.py with the pinned reference parser, which is installed once into .venv here.
# Usage: tests/process/openmetrics.sh <flora-gateway>. Needs python3 with venv.
set -eu
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/installed; then
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt .venv/installed
fi
.venv/bin/python openmetrics_test.py "$1"
