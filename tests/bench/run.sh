#!/bin/sh
# Builds the release and the benchmarks, and measures the gateway against bare commits of the same rows
# on the disk of BENCH_FOLDER (default: build/bench/data). Arguments are those of run.py; with `adapters`
# as the first, it measures the adapters on one core instead (further arguments: adapter_bench.cpp); with
# `trust`, what authentication, authorisation and pseudonymisation cost (further arguments: trust.py); with
# `fabric`, the gateway on a real Fabric network against a bare client (further arguments: fabric.py).
set -eu
cd "$(dirname "$0")/../.."
build=${BENCH_BUILD:-build/bench}
cmake --preset release -B "$build" -DFLORA_TESTS=ON -DFLORA_BENCH=ON >/dev/null
if [ "${1:-}" = adapters ]; then
  shift
  ninja -C "$build" adapter_bench >&2
  exec "$build/tests/bench/adapter_bench" "$@"
fi
if [ "${1:-}" = trust ]; then
  shift
  ninja -C "$build" flora-gateway bench_load trust_bench >&2
  exec python3 tests/bench/trust.py "$build" "${BENCH_FOLDER:-$build/data}" "$@"
fi
if [ "${1:-}" = fabric ]; then
  shift
  ninja -C "$build" flora-gateway bench_load bench_bare_fabric >&2
  exec python3 tests/bench/fabric.py "$build" "${BENCH_FOLDER:-$build/data}" "$@"
fi
ninja -C "$build" flora-gateway http_echo_server bench_load bench_bare_commits >&2
exec python3 tests/bench/run.py "$build" "${BENCH_FOLDER:-$build/data}" "$@"
