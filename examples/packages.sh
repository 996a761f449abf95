#!/bin/sh
# Installs the Debian packages that are missing. Usage: examples/packages.sh build|fabric|test
# `build`: what building and trying out need, `fabric_client` (of ledger-client/fabric) among it;
# `fabric`: what the network of examples/fabric-network needs; `test`: what the tests need besides.
set -eu

build='g++ cmake ninja-build pkg-config python3 python3-pip curl ca-certificates
  libpistache-dev libssl-dev nlohmann-json3-dev libyaml-cpp-dev libsqlite3-dev libpq-dev libre2-dev libicu-dev
  libhowardhinnant-date-dev libspdlog-dev libcurl4-openssl-dev
  libsystemd-dev libjemalloc-dev libp11-kit-dev tzdata'
fabric_client='protobuf-compiler protobuf-compiler-grpc libgrpc++-dev libprotobuf-dev'
fabric="g++ python3 python3-venv ca-certificates $fabric_client"
test='doctest-dev libexpat1-dev libsimdjson-dev clang clang-format clang-tidy libclang-rt-14-dev
  python3-venv git openssl ccache lld nginx-light slowhttptest sslscan testssl.sh
  systemd softhsm2 postgresql'

case "${1:-}" in
  build) wanted="$build $fabric_client" ;;
  fabric) wanted=$fabric ;;
  test) wanted="$build $fabric $test" ;;
  *) echo "usage: $0 build|fabric|test" >&2; exit 2 ;;
esac

missing=''
for package in $wanted; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=''
[ "$(id -u)" = 0 ] || as_root=sudo
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# No package starts a service of its own: nginx, which tests use, would listen on every address.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '$as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
