#!/bin/sh
# What a machine can check of the way brood is built: which room may include what, what the core may call, that there is
# one clock, one wait and one reaper, how files begin and how they are formatted. Each fault is one line, FILE:LINE:
# what; sizes are a smell and only warned of.
#
#     tests/tidy.sh [BUILD]      BUILD (build) has an unsanitised libsupervisor.a
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

build=${1:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
: >"$scratch/faults"

fault() { # reads places, notes what is wrong there
    while IFS= read -r where; do
        printf '%s: %s\n' "$where" "$1"
    done >>"$scratch/faults"
}

sources() { # of the rooms named; one that has nothing in it yet isn't there
    for room; do
        [ ! -d "$room" ] || find "$room" -name '*.[ch]'
    done | sort
}

# --- code without comments and texts, as FILE:LINE:code ---------------------------------------------------------------

# Not a C parser: trigraphs, and a line that ends in a backslash inside a text, would confuse it; neither is in use.
strip() {
    awk '
        FNR == 1 { comment = 0 }
        {
            code = ""
            rest = $0
            while (rest != "") {
                if (comment) {
                    end = index(rest, "*/")
                    if (!end) break
                    rest = substr(rest, end + 2)
                    comment = 0
                } else if (substr(rest, 1, 2) == "/*") {
                    comment = 1
                    rest = substr(rest, 3)
                } else if (substr(rest, 1, 2) == "//") {
                    break
                } else if (match(rest, /^"([^"\\]|\\.)*"/) && $0 !~ /^#include/) {
                    code = code "\"\""
                    rest = substr(rest, RLENGTH + 1)
                } else if (match(rest, /^\047([^\047\\]|\\.)*\047/)) {
                    code = code "0"
                    rest = substr(rest, RLENGTH + 1)
                } else {
                    code = code substr(rest, 1, 1)
                    rest = substr(rest, 2)
                }
            }
            if (code != "") print FILENAME ":" FNR ":" code
        }' "$@"
}

in_rooms() { # the code of some rooms: in_rooms 'init|wrap'
    grep -E "^($1)/" "$scratch/code" || true
}

place() { # FILE:LINE of code lines
    sed -E 's/^([^:]*:[0-9]*):.*/\1/'
}

# A call of one of the functions named, as a regular expression; not a member, not the end of a longer name.
call() {
    printf '^[^:]*:[0-9]*:(.*[^A-Za-z0-9_.>])?(%s)[[:space:]]*\\(' "$1"
}

# --- the checks -------------------------------------------------------------------------------------------------------

# Arrows between the rooms: init -> supervisor, init -> wrap; nothing else. Includes are written from the root.
check_includes() {
    in_rooms 'supervisor|init|wrap|tests' | grep -E ':#[[:space:]]*include' >"$scratch/includes" || true
    grep -E '^supervisor/' "$scratch/includes" | grep '<' |
        grep -vE '<(assert|ctype|errno|ini|inttypes|limits|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h>' |
        place | fault 'supervisor/ is pure, it includes no header of the system'
    grep -E '^supervisor/' "$scratch/includes" | grep '"' | grep -v '"supervisor/' |
        place | fault 'supervisor/ includes nothing of the other rooms'
    grep -E '^wrap/' "$scratch/includes" | grep '"' | grep -v '"wrap/' |
        place | fault 'wrap/ includes nothing of the other rooms'
    grep -E '^init/' "$scratch/includes" | grep '"' | grep -vE '"(init|supervisor|wrap)/' |
        place | fault 'includes are written from the root'
    grep -E '^(init|wrap|tests/(sim|golden|fuzz))/' "$scratch/includes" | grep -E '"supervisor/[^"]*(core|internal|timers|worker_table)\.h"' |
        place | fault 'a private header of supervisor/'
    grep '"' "$scratch/includes" | sed -E 's/^([^:]*:[0-9]*):.*"(.*)".*/\1 \2/' | while read -r where header; do
        [ -f "$header" ] || echo "$where"
    done | fault 'no such file seen from the root'
    in_rooms 'supervisor|init|wrap|tests' | grep -E ':#[[:space:]]*(define|undef)[[:space:]]+(_GNU_SOURCE|NDEBUG)' |
        place | fault '_GNU_SOURCE belongs into the Makefile, NDEBUG nowhere'
}

# The complete list of what the core may call. Whatever else appears is a system call, a clock or a lock in disguise.
check_symbols() {
    if [ ! -f "$build/libsupervisor.a" ]; then
        echo "$build/libsupervisor.a:0" | fault 'is not there, build it first'
        return
    fi
    nm -A -u "$build/libsupervisor.a" | sed -E 's/^[^:]*:([^:]*):.* U (.*)$/\1 \2/' | sort -u >"$scratch/wanted"
    nm --defined-only "$build/libsupervisor.a" | awk 'NF == 3 { print $3 }' | sort -u >"$scratch/defined"
    while read -r object symbol; do
        grep -Fqx "$symbol" "$scratch/defined" && continue
        case $symbol in
        strtok* | strerror* | strsignal* | strdup | strndup | strcpy | strcat | stpcpy) ;;
        mem* | str* | snprintf | vsnprintf | __mem*_chk | __str*_chk | __snprintf_chk | __vsnprintf_chk) continue ;;
        __stack_chk_fail | __assert_fail | __errno_location | __ctype_*_loc | _GLOBAL_OFFSET_TABLE_) continue ;;
        malloc | realloc | free | ini_parse_stream) case $object in config*) continue ;; esac ;;
        esac
        echo "supervisor/${object%.o}.c:1" | fault "the core may not call $symbol"
    done <"$scratch/wanted"
}

# The table in worker.c decides; a switch elsewhere would be a second table that nobody sees.
check_states() {
    states=$(sed -n '/^enum worker_state {/,/^};/s/^ *\(WORKER_[A-Z]*\),.*/\1/p' supervisor/worker.h | paste -sd'|')
    in_rooms 'supervisor|init|wrap' | grep -vE '^supervisor/(worker|worker_table|describe)\.c:' | grep -E ":[[:space:]]*case ($states)\\b" |
        place | fault "a switch on a worker's state outside of worker*.c and describe.c"
}

# exactly N NAMES FILES...: call sites in one program.
exactly() {
    count=$1 names=$2
    shift 2
    for file; do grep -F "$file:" "$scratch/code" || true; done | grep -E "$(call "$names")" | place >"$scratch/calls" || true
    if [ "$(wc -l <"$scratch/calls")" -gt "$count" ]; then
        fault "one of $(wc -l <"$scratch/calls") calls of $names in this program, $count is the rule" <"$scratch/calls"
    fi
}

# One loop, one clock, one reaper in each program. text.c asks for the time of day, which decides nothing; sandbox.c
# waits for its probe before there is a loop.
check_once() {
    brood=$(sources init | grep '\.c$' | grep -v '^init/broodctl\.c$' || true)
    # shellcheck disable=SC2086,SC2046 # lists of files without blanks
    {
        exactly 1 'epoll_wait|epoll_pwait|epoll_pwait2' $brood
        exactly 0 'poll|ppoll|select|pselect|sleep|usleep|nanosleep|clock_nanosleep|pause|sigsuspend|sigtimedwait|sigwaitinfo' \
            $(echo "$brood" | grep -v '^init/\(sink\|writer\|newer\)\.c$') # sink.c: at the end alone; writer.c: so, and in a thread; newer.c: in a child
        exactly 1 'clock_gettime|gettimeofday|time|clock' $(echo "$brood" | grep -v '^init/\(text\|newer\)\.c$') # newer.c: in a child
        exactly 1 'clock_gettime|gettimeofday|time|clock' init/text.c
        exactly 1 'waitid|waitpid|wait|wait3|wait4' $(echo "$brood" | grep -v '^init/\(sandbox\|privileges_plan\)\.c$')
        exactly 1 'waitid|waitpid|wait|wait3|wait4' init/sandbox.c
        exactly 1 'waitid|waitpid|wait|wait3|wait4' init/privileges_plan.c # a trial before the loop
    }
    in_rooms 'init' | grep '^init/text\.c:' | grep CLOCK_MONOTONIC |
        place | fault 'text.c may ask for the time of day alone'
}

# Functions with a bound, an error or a race missing; vfork and posix_spawn suspend brood until the exec is done.
check_functions() {
    in_rooms 'supervisor|init|wrap|tests' |
        grep -E "$(call 'strcpy|stpcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atoll|atof|alloca|strtok')" |
        place | fault 'a forbidden function (no bound, no error)'
    in_rooms 'supervisor|init|wrap' | grep -E "$(call 'system|popen|signal|siginterrupt|setjmp|longjmp')" |
        grep -v '^wrap/preload_spawn\.c:' | # defines two of them
        place | fault 'a forbidden function (a shell, a signal handler, a jump)'
    in_rooms 'init|wrap' | grep -E "$(call 'getaddrinfo|getpwnam|getpwuid|getgrnam|getgrgid|initgroups|vfork|posix_spawnp?')" |
        grep -v '^wrap/preload_spawn\.c:' |
        place | fault 'a forbidden function (needs NSS in a static program, or suspends brood)'
    in_rooms 'init|wrap' | grep -E "$(call 'open|openat|socket|socketpair|accept4|epoll_create1|timerfd_create|pipe2|dup3')" |
        grep -v CLOEXEC | grep ';' |
        place | fault 'a descriptor that is not close-on-exec from birth'
    in_rooms 'init|wrap' | grep -E "$(call 'pipe|dup|accept|epoll_create|creat')" |
        place | fault 'a descriptor that can not be close-on-exec from birth'
}

check_marks() {
    mark='FIX''ME|TO''DO|XX''X'
    find . -type f -not -path './.git/*' -not -path './build*' -not -path '*/corpus/*' -exec grep -nIHE "\\b($mark)\\b" {} + |
        sed 's|^\./||' | place | fault 'an unfinished place; finish it or file it'
}

# A file says first what it is for and why this way.
check_first_comment() {
    sources supervisor init wrap tests | while read -r file; do
        lines=$(awk 'FNR == 1 && !/^\/\*/ { print 0; exit } /\*\// { print FNR; exit }' "$file")
        [ "${lines:-0}" -ge 1 ] || echo "$file:1" | fault 'does not begin with a comment that says what the file is for'
        [ "${lines:-0}" -le 15 ] || echo "$file:$lines" | fault 'the first comment is longer than 15 lines'
    done
    find tests .ci -name '*.sh' -o -name '*.py' -o -path '.ci/*' -type f | sort | while read -r file; do
        sed -n 1,3p "$file" | grep -v '^#!' | grep -qE '^(#|""")' ||
            echo "$file:2" | fault 'does not begin with a comment that says what the file is for'
    done
}

check_sizes() { # warnings
    sources supervisor init wrap tests | while read -r file; do
        lines=$(wc -l <"$file")
        [ "$lines" -le 400 ] || echo "$file:$lines: warning: more than 400 lines"
        awk -v file="$file" '
            /^[A-Za-z].*[){] *\{?$/ && !/;$/ && !/^(enum|struct|union|typedef|#)/ { name = $0; at = FNR }
            /^}$/ && at { if (FNR - at > 70) print file ":" at ": warning: a function of " FNR - at " lines"; at = 0 }
            /^};/ { at = 0 }' "$file"
    done
}

check_scripts() {
    find tests .ci examples -type f -not -path '*/corpus/*' | sort | while read -r file; do
        first=$(head -c 2 "$file" | tr -d '\0')
        if [ "$first" = '#!' ] && [ ! -x "$file" ]; then echo "$file:1" | fault 'has a #! line and is not executable'; fi
        if [ "$first" != '#!' ] && [ -x "$file" ]; then echo "$file:1" | fault 'is executable without a #! line'; fi
        case $(head -n 1 "$file" | tr -d '\0') in
        '#!/bin/sh'*) sh -n "$file" 2>"$scratch/syntax" || echo "$file:1" | fault "$(head -n 1 "$scratch/syntax")" ;;
        '#!'*bash*) bash -n "$file" 2>"$scratch/syntax" || echo "$file:1" | fault "$(head -n 1 "$scratch/syntax")" ;;
        esac
    done
}

check_format() {
    if ! command -v clang-format >/dev/null; then
        echo 'clang-format:0' | fault 'is not installed'
        return
    fi
    sources supervisor init wrap tests | xargs -r clang-format --dry-run 2>&1 |
        awk -F: '/^[^ :]+:[0-9]+:[0-9]+: warning: / && !($1 in first) { first[$1] = $2 } END { for (file in first) print file ":" first[file] }' |
        fault 'not as clang-format has it from here on; make format'
    sources supervisor init wrap tests | xargs -r grep -nHE '^.{121,}' | place | fault 'more than 120 columns'
}

# shellcheck disable=SC2046 # file names without blanks
strip $(sources supervisor init wrap tests) >"$scratch/code"

check_includes
check_symbols
check_states
check_once
check_functions
check_marks
check_first_comment
check_scripts
check_format
check_sizes

faults=$(wc -l <"$scratch/faults")
sort -u -t: -k1,1 -k2,2n -k3 "$scratch/faults"
[ "$faults" -eq 0 ] || { echo "tidy: $faults faults" && exit 1; }
