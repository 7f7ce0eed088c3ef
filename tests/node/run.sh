#!/bin/sh
# The tests of the Node side of wrapping, with every Node of package-lock.json and, where there is one, the machine's
# own: `tests/node/run.sh BUILD` (build). Prints each version; the output of a test only where it fails.
set -eu
cd "$(dirname "$0")/../.."

build=${1:-build}
tests/node/install.sh "$build"
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
trap 'exit 1' HUP INT TERM

"${CC:-cc}" -std=c17 -O2 -Wall -Wextra -I. -o "$log/node_args" tests/node/node_args_cli.c wrap/node_args.c
export NODE_ARGS="$log/node_args"

run() { # one node: its tests, one after the other; prints what is to be said of it
    name=$1 node=$2
    for test in same ipc sub args; do
        if ! timeout 400 "$node" "tests/node/$test.test.cjs" >"$log/$name.$test" 2>&1; then
            cat "$log/$name.$test"
            echo "tests/node/$test.test.cjs failed with $("$node" --version)"
            return
        fi
    done
    passed=$(sed -n 's/^[#ℹ] pass //p' "$log/$name".* | awk '{ sum += $1 } END { print sum }')
    echo "node: $("$node" --version) ($name): $passed tests passed"
    : >"$log/$name.passed"
}

names=
start() {
    names="$names $1"
    run "$1" "$2" >"$log/$1" 2>&1 &
}

for version in 18 20 22 26; do
    [ -x "$build/node/$version/bin/node" ] || { echo "node: no Node $version in $build/node" && exit 1; }
    start "$version" "$build/node/$version/bin/node"
done

# Debian's, or whichever the machine has, unless it is one of those.
own=$(command -v nodejs || command -v node || true)
if [ -n "$own" ] && ! grep -q "\"version\": \"$("$own" -p process.versions.node)\"" tests/node/package-lock.json; then
    start own "$own"
elif [ -n "$own" ]; then
    echo "node: $own is $("$own" --version), one of the pinned versions"
fi

wait
failed=0
for name in $names; do
    cat "$log/$name"
    [ -e "$log/$name.passed" ] || failed=1
done
exit "$failed"
