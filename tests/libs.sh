#!/bin/sh
# libcap and inih for a brood that is linked with musl: `tests/libs.sh DIR` leaves DIR/lib and DIR/include.
#
# Debian ships both for glibc only, and an archive that was compiled against one C library isn't linked with another. So
# their Debian source packages are fetched, with a list of sources and a state of apt's own below DIR (nothing of the
# system is changed, root is not needed, apt checks the signatures), and compiled with musl-gcc. inih is that of trixie:
# bookworm's is not to be had as source everywhere. Silent where everything is there, and then no network is needed.
# Where it fails it leaves DIR/unavailable, by which make knows that it has to do with glibc. CC, AR and MUSL_CC say for
# which machine.
set -eu

target=${1:?usage: tests/libs.sh DIRECTORY}
mkdir -p "$target"
target=$(cd "$target" && pwd)
# The archive that this machine has its packages from.
# shellcheck disable=SC2016 # apt's variable, not the shell's
debian=${DEBIAN:-$(apt-get indextargets --format '$(SITE)' | grep -m 1 '/debian/*$' || true)}
log=$target/log

[ ! -e "$target/done" ] || exit 0
rm -f "$target/unavailable"
explain() {
    [ -e "$target/done" ] && return
    cat "$log" >&3
    echo "tests/libs.sh: no libcap and inih for musl; brood is linked with glibc until they are to be had" >&3
    : >"$target/unavailable"
}
trap explain EXIT
trap 'exit 1' HUP INT TERM
exec 3>&2 >"$log" 2>&1

echo "building libcap and inih for musl in $target" >&3
mkdir -p "$target/apt/lists/partial" "$target/apt/cache/archives/partial" "$target/lib" "$target/include/sys"
cd "$target/apt"
printf 'deb-src %s %s main\n' "$debian" bookworm "$debian" trixie >sources.list

own_apt() {
    apt-get -o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$PWD/lists" \
        -o Dir::Cache="$PWD/cache" -o APT::Sandbox::User= "$@"
}

own_apt update
own_apt source --download-only libcap2/bookworm libinih/trixie

# The compiler sees the kernel's headers behind musl's own.
machine=$(${CC:-gcc} -dumpmachine)
headers="-idirafter /usr/include -idirafter /usr/include/$machine -idirafter /usr/$machine/include"
flags='-O2 -fstack-protector-strong -ffunction-sections -fdata-sections'
compiler=${MUSL_CC:-musl-gcc}
case $machine in
aarch64*) compiler="$compiler -mno-outline-atomics" ;; # see the Makefile
esac

rm -rf libcap libinih
dpkg-source --extract libcap2_*.dsc libcap
make -C libcap/libcap CC="$compiler" AR="${AR:-ar}" BUILD_CC=gcc COPTS="$flags $headers" SHARED=no PTHREADS=no GOLANG=no libcap.a
cp libcap/libcap/libcap.a "$target/lib"
cp libcap/libcap/include/sys/capability.h "$target/include/sys"

dpkg-source --extract libinih_*.dsc libinih
# shellcheck disable=SC2086 # lists of words
$compiler $flags -c -o libinih/ini.o libinih/ini.c
rm -f "$target/lib/libinih.a"
"${AR:-ar}" rcsD "$target/lib/libinih.a" libinih/ini.o
cp libinih/ini.h "$target/include"

cd "$target"
rm -rf apt
: >"$target/done"
