#!/bin/sh
# Measures what wrapping costs: `tests/bench/run.sh BUILD [shim|node]...` (build, both). Ratios within one run, never
# compared with a figure of another one; status 0 unless something could not be measured, whatever the figures are: a
# machine that is busy must fail no test.
#
#     ROUNDS=2000 NODE_ROUNDS=50    how often each way is run
#     TRACE=                        what the measuring program is run by, `perf stat` for one
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

# spawn-wrap keeps its shims in $HOME.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

freestanding() {
    "${CC:-cc}" -std=c17 -D_GNU_SOURCE -Os -I"$root" -Wall -Wextra -ffreestanding -fno-builtin -fno-stack-protector \
        -fno-pic -fno-asynchronous-unwind-tables -ffunction-sections -nostdlib -static \
        -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,norelro,-z,noseparate-code -s "$@" "$here/tiny.c"
}

# `node` is a program that only ends: Node itself takes a hundred times as long as what is measured here. The directory
# stands second on PATH, as /usr/local/bin does in Node's images.
measure_shim() {
    freestanding -o "$target/tiny"
    freestanding -DWRAPPER -o "$target/wrapper"
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
    install_spawn_wrap
    cat >"$scratch/node.ini" <<END
[wrap:module]
programs = node
wrapper = $here/wrapper.cjs
END
    HOME=$scratch PATH=$(dirname "$node"):$PATH "$node" "$here/node.cjs" "${NODE_ROUNDS:-50}" "$build/brood" \
        "$scratch/node.ini" "$target/node_modules/spawn-wrap"
}

if [ -z "$node" ]; then
    echo "tests/bench/run.sh: no ${NODE:-node} on PATH" >&2
    exit 1
fi
[ $# -gt 0 ] || set -- shim node
for part; do
    case $part in
    shim | node) "measure_$part" ;;
    *) echo "tests/bench/run.sh: $part: there are shim and node" >&2 && exit 1 ;;
    esac
done
