#!/bin/sh
# Each *.patch here is a fault that brood must not have. Every one is applied to a copy of the tree, built, and must be
# caught by a unit test, the golden stories or the simulator; one that survives fails the run. A test suite is only
# worth what it catches.
#
#     tests/mutants/run.sh [PATCH...]        run from the root of the repository; JOBS=N for N at a time
#
# Where the system calls themselves are at fault only real processes can tell: such a patch names the system tests that
# have to, in a line "system: PATTERN..." above its diff, and they are what is tried last.
#
# The copy is built once and copied with its times, so that a mutant costs one compilation. A few seeds come first: most
# mutants die there.
# shellcheck disable=SC2086 # lists of names without blanks
set -u
root=$(pwd)
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
core_units="backoff worker core descriptors config_keys"
init_units="environment framing sockets accounts privileges"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM HUP

touches() { # whether the patches $1 change a file of the room $2
    grep -q "^+++ b/$2/" "$1"
}

patterns() { # the system tests that they name
    sed -n 's/^system: //p' "$1"
}

# In the tree $1, what the patches $2 may change. With glibc: musl's brood needs sources of libraries that this copy
# lacks.
build() {
    programs=$(touches "$2" supervisor && printf 'build/unit/%s ' $core_units && echo build/sim/sim build/golden/golden)
    programs="$programs $(touches "$2" init && printf 'build/unit/%s ' $init_units)"
    [ -z "$(patterns "$2")" ] || programs="$programs build/brood"
    make -s -C "$1" O=build LIBC=glibc $programs >"$1/build.log" 2>&1
}

# Of the programs that were built. Prints what caught it and returns 0, or returns 1 where everything passed.
caught_by() { (
    cd "$1" || exit 1
    units=$(touches "$2" supervisor && echo "$core_units")
    units="$units $(touches "$2" init && echo "$init_units")"
    for unit in $units; do
        timeout 60 "build/unit/$unit" >unit.log 2>&1 || { echo "unit/$unit"; exit 0; }
    done
    if touches "$2" supervisor; then
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
    fi
    for pattern in $(patterns "$2" | tr ' ' '\n' | sort -u); do
        tests/system/run.py --brood build/brood -k "$pattern" >system.log 2>&1 || {
            echo "system: $(sed -n 's/^FAILED *[^ ]* //p' system.log | head -n 3 | tr '\n' ' ')"
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
    elif ! build "$tree" "$root/$1"; then
        verdict="DOES NOT BUILD"
    elif how=$(caught_by "$tree" "$root/$1"); then
        verdict="caught by $how"
    else
        verdict="SURVIVES"
    fi
    printf '%-28s %s\n' "$name" "$verdict" >"$work/$name.verdict"
    rm -rf "$tree"
}

[ $# -gt 0 ] || set -- tests/mutants/*.patch
mkdir "$work/base" && cp -r supervisor init wrap tests Makefile "$work/base" || exit 1
cat "$@" >"$work/all" || exit 1
build "$work/base" "$work/all" || { cat "$work/base/build.log"; exit 1; }
if how=$(caught_by "$work/base" "$work/all"); then
    echo "mutants: without any fault it fails already ($how)"
    exit 1
fi

running=0
for patch in "$@"; do
    one "$patch" &
    running=$((running + 1))
    [ $running -lt "$jobs" ] || { wait; running=0; }
done
wait
cat "$work"/*.verdict
! grep -qE 'SURVIVES|DOES NOT' "$work"/*.verdict
