#!/bin/sh
# Measures brood against its peers, and what wrapping costs: `tests/bench/run.sh BUILD [init|workers|shim|node]...`
# (build, all). Ratios within one run, never compared with a figure of another one; status 0 unless something could not be
# measured, a missing peer for one, whatever the figures are: a machine that is busy must fail no test.
#
#     START_ROUNDS=1000 SIGNAL_ROUNDS=2000 ORPHAN_ROUNDS=10 WORKER_ROUNDS=10     init and workers; root is needed
#     ROUNDS=2000 NODE_ROUNDS=50    how often each way of shim and node is run
#     TRACE=                        what the measuring program of shim is run by, `perf stat` for one
#     NODE=node                     the Node that is measured
#
# The first run fetches spawn-wrap (package-lock.json) with npm and keeps it below BUILD/bench.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
build=$(cd "${1:-build}" && pwd)
[ $# -eq 0 ] || shift
target=$build/bench
node=$(command -v "${NODE:-node}" || true)
mkdir -p "$target/bin"

program() {
    name=$1
    shift
    "${CC:-cc}" -std=c17 -D_GNU_SOURCE -O2 -I"$root" -I"$root" -Wall -Wextra -static -o "$target/$name" "$@"
}

# As in a container: the command is looked for where it usually lies.
measure_init() {
    program init "$here/init.c" "$here/orphans.c" "$here/latency.c" "$here/peers.c" "$here/figures.c"
    for part in "start ${START_ROUNDS:-1000}" "signal ${SIGNAL_ROUNDS:-2000}" "orphans ${ORPHAN_ROUNDS:-10}"; do
        # shellcheck disable=SC2086 # two words
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$target/init" $part "$build/brood"
    done
}

measure_workers() {
    freestanding pause.c -o "$target/pause"
    program workers "$here/workers.c" "$here/supervised.c" "$here/rest.c" "$here/figures.c"
    "$target/workers" "${WORKER_ROUNDS:-10}" "$build/brood" "$target/pause" "$scratch"
}

# spawn-wrap keeps its shims in $HOME.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

freestanding() {
    source=$1
    shift
    "${CC:-cc}" -std=c17 -D_GNU_SOURCE -Os -I"$root" -Wall -Wextra -ffreestanding -fno-builtin -fno-stack-protector \
        -fno-pic -fno-asynchronous-unwind-tables -ffunction-sections -nostdlib -static \
        -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,norelro,-z,noseparate-code -s "$@" "$here/$source"
}

# `node` is a program that only ends: Node itself takes a hundred times as long as what is measured here. The directory
# stands second on PATH, as /usr/local/bin does in Node's images.
measure_shim() {
    freestanding tiny.c -o "$target/tiny"
    freestanding tiny.c -DWRAPPER -o "$target/wrapper"
    cp "$target/tiny" "$target/bin/node"
    cp "$target/tiny" "$target/bin/wrapped"
    "${CC:-cc}" -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$target/shim" "$here/shim.c"
    printf '' | "${CC:-cc}" -x c -shared -nostdlib -s -Wl,-z,noseparate-code -o "$target/empty.so" -
    # glibc asks the CPU about its caches at each start: where a hypervisor answers, that is most of true's time, and
    # hides what is measured. musl doesn't.
    set -- /bin/true
    if musl-gcc -O2 -o "$target/musl-true" "$here/true.c" 2>/dev/null && "$target/musl-true"; then
        set -- "$@" "$target/musl-true"
    fi
    cat >"$scratch/shim.ini" <<END
[wrap:module]
programs = node
wrapper = $here/wrapper.cjs
[wrap:executable]
programs = wrapped
wrapper = $target/wrapper
END
    PATH=/usr/local/sbin:$target/bin:/usr/sbin:/sbin "$build/brood" -q -c "$scratch/shim.ini" -- \
        ${TRACE:-} "$target/shim" "${ROUNDS:-2000}" "$target/tiny" "$target/bin" "$target/empty.so" "$@"
}

install_spawn_wrap() {
    if ! cmp -s "$here/package-lock.json" "$target/installed"; then
        rm -f "$target/installed"
        cp "$here/package.json" "$here/package-lock.json" "$target"
        (cd "$target" && npm ci --silent --ignore-scripts --no-audit --no-fund) >&2
        cp "$here/package-lock.json" "$target/installed"
    fi
}

measure_node() {
    if [ -z "$node" ]; then
        echo "tests/bench/run.sh: no ${NODE:-node} on PATH" >&2
        exit 1
    fi
    install_spawn_wrap
    cat >"$scratch/node.ini" <<END
[wrap:module]
programs = node
wrapper = $here/wrapper.cjs
END
    HOME=$scratch PATH=$(dirname "$node"):$PATH "$node" "$here/node.cjs" "${NODE_ROUNDS:-50}" "$build/brood" \
        "$scratch/node.ini" "$target/node_modules/spawn-wrap"
}

[ $# -gt 0 ] || set -- init workers shim node
for part; do
    case $part in
    init | workers | shim | node) "measure_$part" ;;
    *) echo "tests/bench/run.sh: $part: there are init, workers, shim and node" >&2 && exit 1 ;;
    esac
done
