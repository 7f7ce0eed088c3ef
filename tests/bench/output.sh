#!/bin/sh
# Measures what goes through brood: `tests/bench/output.sh BUILD` prints MB/s of a worker's lines (62 bytes each) with
# output = inherit, prefix and json, beside `sed -u` as a prefixer and, where it is installed, supervisord, which only
# passes bytes on. First of a worker that writes in large blocks, then, for prefix and supervisord, of one that writes
# line by line, as a log does. Ratios within one run, of the best of ROUNDS; status 0 unless something could not be
# measured.
#
#     ROUNDS=3  MEGABYTES=1000    how much;  sed -u gets a twentieth of that, supervisord a fifth
set -eu
build=$(cd "${1:-build}" && pwd)
rounds=${ROUNDS:-3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

text=0123456789012345678901234567890123456789012345678901234567890
lines=$((${MEGABYTES:-1000} * 1000000 / 62))
few=$((lines / 20)) some=$((lines / 5))

config() { # OUTPUT
    printf "[worker:web]\nstart = sh -c 'yes %s | head -c %s'\noutput = %s\n" $text $((lines * 62)) "$1" >"$scratch/$1.ini"
}

until_killed() { # BYTES COMMAND...: for what doesn't end by itself
    bytes=$1
    shift
    mkfifo "$scratch/fifo"
    "$@" >"$scratch/fifo" 2>/dev/null &
    head -c "$bytes" <"$scratch/fifo"
    kill $!
    wait $! || true
    rm "$scratch/fifo"
}

# Each ends when everything has arrived: the reader counts bytes, so that how a supervisor ends isn't measured.
run() { # WAY
    case $1 in
    inherit) "$build/brood" -q -q -s -c "$scratch/inherit.ini" | head -c $((lines * 62)) ;;
    prefix) "$build/brood" -q -q -s -c "$scratch/prefix.ini" | head -c $((lines * 70)) ;;
    json) "$build/brood" -q -q -s -c "$scratch/json.ini" | head -c $((lines * 155)) ;;
    sed) sh -c "yes $text | head -c $((few * 62))" | sed -u 's,^,web/0 | ,' | head -c $((few * 70)) ;;
    supervisord) until_killed $((some * 62)) supervisord -n -c "$scratch/supervisord.conf" ;;
    supervisord-lines) until_killed $((few * 62)) supervisord -n -c "$scratch/lines.conf" ;;
    prefix-lines) until_killed $((few * 70)) "$build/brood" -q -q -s -c "$scratch/lines.ini" ;;
    esac | tail -c 400 >"$scratch/out"
}

# Which bytes arrive must be right, too: the last lines' text is there.
check() { # WAY
    grep -q $text "$scratch/out" || { echo "tests/bench/output.sh: $1: no output" >&2 && exit 1; }
}

rate() { # WAY COUNT: MB/s of the worker's own bytes, the best and the median
    for _ in $(seq "$rounds"); do
        begin=$(date +%s%N)
        run "$1"
        took=$(($(date +%s%N) - begin))
        check "$1"
        echo $(($2 * 62 * 1000 / took))
    done | sort -n >"$scratch/rates"
    echo "$(tail -n 1 "$scratch/rates") MB/s (median $(sed -n "$(((rounds + 1) / 2))p" "$scratch/rates"))"
}

for output in inherit prefix json; do config $output; done
printf '[worker:web]\nstart = stdbuf -oL yes %s\noutput = prefix\n' $text >"$scratch/lines.ini"
cat >"$scratch/supervisord.conf" <<END
[supervisord]
logfile = /dev/null
logfile_maxbytes = 0
pidfile = $scratch/supervisord.pid
user = $(id -un)
[program:web]
command = sh -c 'yes $text | head -c $((some * 62))'
stdout_logfile = /dev/stdout
stdout_logfile_maxbytes = 0
autorestart = false
startsecs = 0
END
sed "s/^command = .*/command = stdbuf -oL yes $text/" "$scratch/supervisord.conf" >"$scratch/lines.conf"

ratio() { # of two such texts' bests
    echo $((${1%% *} * 10 / (${2%% *} + (${2%% *} == 0))))
}

prefix=$(rate prefix $lines)
inherit=$(rate inherit $lines)
json=$(rate json $lines)
sed=$(rate sed $few)
echo "output: prefix $prefix, inherit $inherit, json $json, sed -u $sed"
if command -v supervisord >/dev/null; then
    supervisord=$(rate supervisord $some)
    echo "output: in blocks: supervisord $supervisord, prefix is $(ratio "$prefix" "$supervisord") tenths of that (goal: 50)"
    prefix=$(rate prefix-lines $few)
    supervisord=$(rate supervisord-lines $few)
    echo "output: line by line: prefix $prefix, supervisord $supervisord, $(ratio "$prefix" "$supervisord") tenths (goal: 50)"
else
    echo 'output: supervisord is not installed, not measured'
fi
