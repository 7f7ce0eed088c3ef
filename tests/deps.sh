#!/bin/sh
# The Debian packages that brood needs, in one place: `tests/deps.sh run` for make and `make run`, `tests/deps.sh
# containers`, `bench` and `arm64` for the targets of these names, `tests/deps.sh test` for `make test` and everything
# else. Silent where nothing is missing, and then no network is needed.
#
# dpkg is asked first and apt-get only for what is missing. A package also counts as there where an installed one
# provides it: the nodejs of another vendor brings npm along.
set -eu

run='gcc make libc6-dev libcap-dev libinih-dev musl-tools dpkg-dev'
test="$run libcmocka-dev clang libclang-rt-14-dev clang-format clang-tidy mandoc man-db nginx nodejs npm python3 strace
    util-linux procps curl patch git perl python3-coverage apache2-utils busybox tini dumb-init catatonit systemd"

containers="$run python3 docker.io podman runc catatonit uidmap mmdebstrap"
bench="$test s6 supervisor"
# Libraries of another machine lie beside those of this one.
arm64="$run python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross libc6:arm64 libcap-dev:arm64 libinih-dev:arm64 libcmocka-dev:arm64
    musl-dev:arm64 qemu-user"

case ${1-} in
run) wanted=$run ;;
test) wanted=$test ;;
containers) wanted=$containers ;;
bench) wanted=$bench ;;
arm64) wanted=$arm64 ;;
*)
    echo "usage: tests/deps.sh run|test|containers|bench|arm64" >&2
    exit 2
    ;;
esac

missing_of() {
    if ! command -v dpkg-query >/dev/null; then
        printf ' %s' "$@"
        return
    fi
    # Every name that is installed or provided by something installed, one a line; "name (= 1)" is cut to the name.
    # shellcheck disable=SC2016 # dpkg's variables, not the shell's
    dpkg-query -W -f '${db:Status-Status} ${Package}, ${Package}:${Architecture}, ${Provides}\n' | sed -n 's/^installed //p' |
        tr ',' '\n' | sed 's/^ *//; s/ .*//; s/:any$//' | sort -u >"$scratch/there"
    for package; do
        grep -Fqx "$package" "$scratch/there" || printf ' %s' "$package"
    done
}

# A newly installed nginx would be started by its maintainer script. apt's own PATH for those scripts leads to two
# programs that say yes and do nothing, so that no service starts and no file of the system has to be changed for it.
install_quietly() {
    mkdir "$scratch/bin"
    for program in invoke-rc.d deb-systemd-invoke; do
        printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/$program"
        chmod +x "$scratch/bin/$program"
    done
    export DEBIAN_FRONTEND=noninteractive
    case $* in *:arm64*) dpkg --add-architecture arm64 ;; esac
    apt-get update
    apt-get install -y --no-install-recommends \
        -o DPkg::Path="$scratch/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# shellcheck disable=SC2086 # lists of words
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "brood needs these Debian packages, and only root on Debian can install them from here:$missing" >&2
    exit 1
fi

echo "installing$missing"
# shellcheck disable=SC2086 # a list of words
install_quietly $missing
