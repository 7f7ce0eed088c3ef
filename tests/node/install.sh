#!/bin/sh
# Puts the Node versions of package-lock.json below BUILD/node: `tests/node/install.sh BUILD` (build). Silent, and
# without the network, where they are there already; the lock file holds the hash of every binary, and nothing of a
# package is run.
#
# The binaries are then BUILD/node/18/bin/node, 20, 22 and 26: what any test that needs a certain Node executes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-build}/node"
target=$(cd "${1:-build}/node" && pwd)

case $(uname -m) in
x86_64) machine=x64 ;;
aarch64) machine=arm64 ;;
*) echo "tests/node/install.sh: no Node binaries for $(uname -m) in the lock file" >&2 && exit 1 ;;
esac

# Make may run two tests at once: the second waits for the first one's installation and finds it done.
exec 9>"$target/lock"
flock 9
if cmp -s "$here/package-lock.json" "$target/installed"; then exit 0; fi

rm -f "$target/installed"
cp "$here/package.json" "$here/package-lock.json" "$target"
(cd "$target" && npm ci --silent --ignore-scripts --no-audit --no-fund) >&2
for version in $(sed -n "s/^ *\"node\([0-9]*\)-$machine\": .*/\1/p" "$here/package.json"); do
    ln -sfn "node_modules/node$version-$machine" "$target/$version"
    # Optional packages: npm calls it a success where one could not be fetched.
    if ! "$target/$version/bin/node" --version >/dev/null; then
        echo "tests/node/install.sh: Node $version was not installed" >&2
        exit 1
    fi
done
cp "$here/package-lock.json" "$target/installed"
