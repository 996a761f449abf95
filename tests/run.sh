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

# build <preset> [cmake arguments]: configures once, then builds what the tests of this run need. Sixteen files
# of a part are compiled as one, which takes a third of the time; structure_alone sees each by itself, with every warning.
build() {
  preset=$1
  shift
  openapi/fetch-viewer.sh build/viewer
  cmake --preset "$preset" -DFLORA_VIEWER_DIR="$PWD/build/viewer" \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16 -DFLORA_TEST_HEADERS=ON "$@" >"build/$preset.log" ||
    { cat "build/$preset.log"; exit 1; }
  cmake --build "build/$preset" -j "$jobs" >>"build/$preset.log" ||
    { tail -n 60 "build/$preset.log"; exit 1; }
}

# check <preset> [ctest arguments]
check() {
  preset=$1
  shift
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" "$@"
}

# begins_with <word> …: a regular expression, with one group, of which ctest's kind may have nine.
begins_with() {
  (IFS='|' && echo "^($*)")
}

# With a compiler cache, a second checkout of the same sources compiles little.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

mkdir -p build
export FLORA_FUZZ_SECONDS=6
if [ "$mode" = soak ]; then
  export FLORA_SOAK=1 FLORA_FUZZ_SECONDS=600
fi

# Programs of Go, tools that are not ours and what judges documents and sources give the same verdict in every
# build. Sanitizers allocate by themselves and take other paths through time: what counts allocations, watches
# memory or compares times is for the plain build. The suites of the store have been through the sanitizers on SQLite;
# two of them go through all of the code that is PostgreSQL's alone.
plain=$(begins_with structure_ fabric_ gateway_store_test_postgresql gateway_store_audit_test_postgresql \
  gateway_store_channels_test_postgresql gateway_store_keys_test_postgresql gateway_store_erasure_test_postgresql \
  gateway_store_archive_test_postgresql \
  ledger_third_party openapi_suite conformance_install conformance_spectral conformance_redocly \
  conformance_openapi_30 conformance_schema_differential conformance_schemathesis conformance_tls \
  adapter_scanner_allocation adapter_allocation openapi_schema_allocation policy_timing policy_work \
  process_cloudevents process_openmetrics process_million process_large_messages)

# What runs with the sanitizers and here as well: the real binary under load, deaths and slow clients (the long
# counts: all that it is put through), and what takes a sample with a sanitizer.
real='process_kill process_life process_flood process_slow process_idle process_quickstart'
[ "$mode" != soak ] || real=process_
both=$(begins_with $real conformance_http byte_flip_test gateway_rectification_test gateway_guard_test gateway_retention_test \
  gateway_store_erasure_test xml_expat_test adapter_scanner_test)

echo '== Plain build, and the tools that are not ours'
build dev -DFLORA_ONLY="$plain|$both" -DCMAKE_CXX_FLAGS_DEBUG=-g0
check dev -R "$plain|$both"

echo '== AddressSanitizer and UndefinedBehaviorSanitizer, fuzz targets'
build asan -DFLORA_LEFT_OUT="$plain"
check asan -E "$plain"

# A program that starts no thread tells ThreadSanitizer nothing. Of those with threads, the long runs over failing
# disks and changed bytes, the bundles, all but one suite on PostgreSQL, and what sends one request after another to
# the store or to the real binary are left out as well: other tests have the same threads, and more at a time. So is
# process_slow, whose tool must see deadlines pass within its own few seconds.
one_thread=$(begins_with xml_ adapter_bundle_ adapter_canonical adapter_code_list adapter_compile adapter_documents adapter_fixtures \
  adapter_formats adapter_functions adapter_installed adapter_issues adapter_negatives adapter_record_files \
  adapter_sample adapter_scanner adapter_text_position adapter_trace adapter_translate gateway_audit_test \
  gateway_decision gateway_event_parser gateway_expiry gateway_guard gateway_history gateway_keys \
  gateway_line_limit gateway_message_buffer gateway_policy gateway_settings gateway_tokens merkle_ model_ note_ \
  openapi_ policy_matrix telemetry_trace faults_test gateway_check_test gateway_rectification_test \
  gateway_reopen_test gateway_store_faults_test gateway_store_rotation_faults_test gateway_store_audit_test \
  gateway_store_archive_test gateway_store_channels_test gateway_store_keys_test gateway_store_erasure_test \
  gateway_store_sharing_test \
  process_adapter process_audit process_erasure process_fourth_bundle process_keys process_privacy \
  process_quickstart process_restart process_slow process_tokens byte_flip)

echo '== ThreadSanitizer'
build tsan -DFLORA_LEFT_OUT="$plain|$one_thread"
check tsan -E "$plain|$one_thread"
