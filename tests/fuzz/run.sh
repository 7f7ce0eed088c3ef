#!/bin/bash
# One fuzz target for some seconds: `tests/fuzz/run.sh DIRECTORY SECONDS LEAST NAME`, where DIRECTORY has fuzzer/NAME.
# Prints what it came to in one line; the whole log where it found something, and where it did fewer than LEAST
# executions: a target that became slow would find nothing, and nobody would know why. What it came across is kept in
# DIRECTORY/found/NAME, so that the next run goes on from there; an input that fails, in DIRECTORY/NAME-crash-….
#
# Inputs have at most 1024 bytes: no parser here does anything beyond that it doesn't do within. A small quarantine
# keeps the address sanitizer in the processor's caches: no target holds more than a few blocks at a time.
set -eu
directory=$1
seconds=$2
least=$3
name=$4
log=$directory/$name.log

fail() {
    cat "$log"
    printf 'fuzz: %s: FAILED: %s\n' "$name" "$1"
    exit 1
}

figure() { # the value of this name in libFuzzer's last status line
    sed -n "s/^#[0-9]*.* $1: \([^ ]*\).*/\1/p" "$log" | tail -n 1
}

mkdir -p "$directory/found/$name"
export ASAN_OPTIONS="quarantine_size_mb=8:malloc_context_size=8${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
"$directory/fuzzer/$name" -max_total_time="$seconds" -max_len=1024 -timeout=25 -print_final_stats=1 \
    -artifact_prefix="$directory/$name-" "$directory/found/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 ||
    fail "libFuzzer exited with $?"

executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
coverage=$(figure cov)
features=$(figure ft)
corpus=$(figure corp)
if [ -z "$executions" ] || [ -z "$coverage" ] || [ -z "$features" ] || [ -z "$corpus" ]; then
    fail 'its log has no figures'
fi
[ "$executions" -ge "$least" ] || fail "$executions executions, fewer than $least"
printf 'fuzz: %-9s %9d executions, %6d/s, %5d edges, %5d features, corpus %s\n' "$name:" "$executions" \
    $((executions / seconds)) "$coverage" "$features" "$corpus"
