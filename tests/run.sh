#!/bin/sh
# Installs what the tests need, builds, and runs them all. Usage: tests/run.sh [soak]
#   (nothing)  everything: plain, asan+ubsan, tsan, each fuzz target for a short time
#   soak       the long counts of the same tests, and minutes of fuzzing for each target
# The build folders are below build/. Skipped tests are failures: everything is installed first.
set -eu
cd "$(dirname "$0")/.."
mode=${1:-all}

examples/packages.sh test
. tests/tools.sh
jobs=$(nproc)

# build <preset> [target [left out]]: configures once, then builds. What only the tests that match the regular
# expression `left out` need is not built.
build() {
  preset=$1
  openapi/fetch-viewer.sh build/viewer
  cmake --preset "$preset" -DFLORA_VIEWER_DIR="$PWD/build/viewer" -DFLORA_LEFT_OUT="${3:-}" \
    >"build/$preset.log" ||
    { cat "build/$preset.log"; exit 1; }
  cmake --build "build/$preset" -j "$jobs" --target "${2:-all}" >>"build/$preset.log" ||
    { tail -n 60 "build/$preset.log"; exit 1; }
}

# check <preset> [ctest arguments]
check() {
  preset=$1
  shift
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" "$@"
}

# With a compiler cache, a second checkout of the same sources compiles little.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1

mkdir -p build
export FLORA_FUZZ_SECONDS=10
if [ "$mode" = soak ]; then
  export FLORA_SOAK=1 FLORA_FUZZ_SECONDS=600
fi

echo '== Plain build, and the tools that are not ours'
build dev
check dev

# What judges documents, sources and programs of Go gives the same verdict in every build: once is enough; the table of
# what clients may send (conformance_http) holds in each. Sanitizers
# hold memory back, so that process_million and process_large_messages, which watch it, are for the plain
# build. Of the suites on PostgreSQL two go through all of the code that is PostgreSQL's alone; the others take
# minutes each under a sanitizer.
once='^(fabric_|gateway_store_(sharing|audit|keys|erasure|archive)_test_postgresql|conformance_(install|spectral|redocly|openapi_30|schema_differential|schemathesis|tls)|structure_|openapi_suite|ledger_third_party|process_cloudevents|process_openmetrics|process_million|process_large_messages)'

echo '== AddressSanitizer and UndefinedBehaviorSanitizer'
build asan all "$once"
check asan -E "$once"

# A program that starts no thread tells ThreadSanitizer nothing. Of those with threads, the long runs over failing
# disks and changed bytes, and the bundles, are left out as well: other tests have the same threads.
one_thread='^(xml_|adapter_(allocation|bundle_|canonical|code_list|compile|documents|fixtures|formats|functions|installed|issues|negatives|record_files|sample|scanner|text_position|trace|translate)|gateway_(audit_test|decision|event_parser|expiry|guard|history|keys|line_limit|message_buffer|policy|settings|tokens)|merkle_|model_|note_|openapi_|policy_matrix|telemetry_trace|gateway_store_faults|gateway_store_test_postgresql|byte_flip)'

echo '== ThreadSanitizer'
build tsan all "$once|$one_thread"
check tsan -E "$once|$one_thread"

echo '== Fuzz targets'
build fuzz fuzzers
check fuzz
