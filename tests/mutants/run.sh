#!/bin/sh
# Each *.patch here is a fault that brood must not have. Every one is applied to a copy of the tree, built, and must
# be caught by the unit tests of the core, the golden stories or the simulator; one that survives fails the run. A
# test suite is only worth what it catches.
#
#     tests/mutants/run.sh [PATCH...]        run from the root of the repository; JOBS=N for N at a time
#
# The copy is built once and copied with its times, so that a mutant costs one compilation. A few seeds come first: most
# mutants die there.
set -u
root=$(pwd)
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
units="backoff worker core"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM HUP

build() { # in the tree $1
    make -s -C "$1" O=build build/sim/sim build/golden/golden $(printf 'build/unit/%s ' $units) >"$1/build.log" 2>&1
}

# Prints what caught it and returns 0, or returns 1 where everything passed.
caught_by() { (
    cd "$1" || exit 1
    for unit in $units; do
        timeout 60 "build/unit/$unit" >unit.log 2>&1 || { echo "unit/$unit"; exit 0; }
    done
    timeout 60 build/golden/golden tests/golden/*.story >golden.log 2>&1 || {
        echo "golden: $(sed -n 's,^--- tests/golden/\([^ ]*\)\.story .*,\1,p' golden.log | head -n 3 | tr '\n' ' ')"
        exit 0
    }
    for seeds in 300 20000; do
        timeout 120 build/sim/sim --seeds $seeds >sim.log 2>&1 || {
            echo "$(sed -n 's/^sim: seed \([0-9]*\) failed.*/sim: seed \1/p' sim.log)"
            exit 0
        }
    done
    exit 1
) }

one() {
    name=$(basename "$1" .patch)
    tree=$work/$name
    cp -a "$work/base" "$tree"
    if ! patch -s -p1 -d "$tree" <"$root/$1" >"$tree/patch.log" 2>&1; then
        verdict="DOES NOT APPLY"
    elif ! build "$tree"; then
        verdict="DOES NOT BUILD"
    elif how=$(caught_by "$tree"); then
        verdict="caught by $how"
    else
        verdict="SURVIVES"
    fi
    printf '%-28s %s\n' "$name" "$verdict" >"$work/$name.verdict"
    rm -rf "$tree"
}

mkdir "$work/base" && cp -r supervisor init tests Makefile "$work/base" || exit 1
build "$work/base" || { cat "$work/base/build.log"; exit 1; }
if how=$(caught_by "$work/base"); then
    echo "mutants: without any fault it fails already ($how)"
    exit 1
fi

[ $# -gt 0 ] || set -- tests/mutants/*.patch
running=0
for patch in "$@"; do
    one "$patch" &
    running=$((running + 1))
    [ $running -lt "$jobs" ] || { wait; running=0; }
done
wait
cat "$work"/*.verdict
! grep -qE 'SURVIVES|DOES NOT' "$work"/*.verdict
