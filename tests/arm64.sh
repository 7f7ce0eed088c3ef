#!/bin/bash
# brood, its shim and its library as programs of arm64, under an emulator: `tests/emulated.py tests/arm64.sh DIRECTORY
# CC`, where DIRECTORY is what `make CROSS=aarch64-linux-gnu-` made. One line each; the status is 1 where something is
# wrong.
#
# What is the machine's own is looked at: the shim's and the library's system calls and layout in memory, how an exec
# gets from one to the other. What brood does with processes is the same code on every machine, tested there, and mostly
# beyond an emulator of single processes. brood is PID 1 of a namespace: qemu-user knows no subreaper.
set -eu

built=$(realpath "$1")
compiler=$2
programs=$(cd "$(dirname "$0")/system/programs" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

cd "$scratch"
mkdir bin
"$compiler" -O1 -static -o bin/tool "$programs/tool.c"
"$compiler" -O1 -static -o wrapper "$programs/wrapper.c"
"$compiler" -O1 -D_GNU_SOURCE -o execs "$programs/execs.c" -lpthread
printf '[wrap:all]\nprograms = tool\nwrapper = %s/wrapper\nreach = preload\n' "$scratch" >preload.ini
sed 's/preload/path/' preload.ini >path.ini
expect() { # NAME WRAPPED? CONFIG|- PROGRAM...: what it says and its status are those of an exec without brood
    local name=$1 prefix=$2 config=$3 wanted got
    shift 3
    wanted=$(printf '%s' "$prefix"; "$@" 2>/dev/null | tr '\0' '\n'; echo "status ${PIPESTATUS[0]}")
    # shellcheck disable=SC2046 # none or two words
    got=$(unshare --pid --fork --mount-proc --kill-child "$built/brood" $([ "$config" = - ] || echo "-c $config") -- "$@" \
        2>said | tr '\0' '\n'; echo "status ${PIPESTATUS[0]}")
    if [ "$got" = "$wanted" ]; then
        echo "passed: $name"
    else
        failed=1
        printf 'FAILED: %s\nwanted:\n%s\ngot:\n%s\n' "$name" "$wanted" "$got"
        cat said
    fi
}

export PATH="$scratch/bin:$PATH"
expect 'a command' '' - tool args 'a b'
expect 'its status' '' - tool exit:7
expect 'its signal' '' - sh -c 'tool raise:9'
expect 'wrapped by name' $'wrapped\n' path.ini tool args 'a b'
expect 'wrapped below a shell' $'wrapped\n' path.ini sh -c 'tool args "a b"; exit 3'
# Not system() and popen(): /bin/sh is a program of this machine; not execveat(), which qemu-user hasn't.
for way in execve execv execvp execvpe execl execlp execle fexecve spawn spawnp vfork thread handler; do
    expect "wrapped by path, $way" $'wrapped\n' preload.ini ./execs clear "$way" "$scratch/bin/tool" args x
done
[ $failed = 0 ] && echo 'arm64: brood, shim and library passed'
