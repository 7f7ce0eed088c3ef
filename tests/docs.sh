#!/bin/sh
# The pages say what is there: manual pages without a warning, every option of --help, every key of the config reader
# and every environment variable in them, the table of what is wrapped as a test measures it, every test that README.md
# names, its Dockerfiles as they are built and its map of files, docs/worker-states.md as the table has it, docs/keys.md
# with every key; and brood takes every example.
#
#     tests/docs.sh [BUILD]      BUILD (build) has brood, broodctl and diagram
# shellcheck disable=SC2016 # backquotes are Markdown's here
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

build=${1:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
faults=0

fault() {
    echo "$*"
    faults=$((faults + 1))
}

for page in docs/*.[1-8]; do
    mandoc -Tlint -Wwarning "$page" >"$scratch/lint" 2>&1 || true
    MANWIDTH=100 man --warnings -E UTF-8 -l "$page" 2>>"$scratch/lint" | col -bx >"$scratch/$(basename "$page")"
    [ -s "$scratch/$(basename "$page")" ] || fault "$page: renders to nothing"
    [ ! -s "$scratch/lint" ] || fault "$page: $(cat "$scratch/lint")"
done

# Options: as --help has them.
"$build/brood" --help | grep -oE '(^|[ ,])--?[A-Za-z][a-z-]*' | tr -d ' ,' | sort -u >"$scratch/options"
[ "$(wc -l <"$scratch/options")" -ge 10 ] || fault "brood --help: names no options"
while read -r option; do
    grep -qE -- "(^|[^A-Za-z-])$option([^a-z-]|\$)" "$scratch/brood.1" || fault "docs/brood.1: nothing about $option"
done <"$scratch/options"

# Keys: .name in the tables of the config reader.
sed -nE 's/.*\{\.name = "([a-z_]+)".*/\1/p' supervisor/config_keys.c | sort -u >"$scratch/keys"
[ "$(wc -l <"$scratch/keys")" -ge 20 ] || fault "supervisor/config_keys.c: no table of keys found"
while read -r key; do
    case $key in limit_*) key='limit_\*' ;; esac
    grep -qE "(^|[^a-z_])$key([^a-z_]|\$)" "$scratch/brood.ini.5" || fault "docs/brood.ini.5: nothing about $key"
done <"$scratch/keys"

# What isn't built yet: the same keys in the reader's table and at the end of the page, none besides.
sed -nE '/^} not_built\[\]/,/^};/s/.*SECTION_[A-Z]+, "([a-z_]+)".*/\1/p' supervisor/config_keys.c |
    sort -u >"$scratch/unbuilt-code"
sed -n '/^\.Sh CAVEATS/,$s/^\.Ic \([a-z].*\)/\1/p' docs/brood.ini.5 | tr -d ',;.' |
    tr -s ' ' '\n' | sort -u >"$scratch/unbuilt-page"
cmp -s "$scratch/unbuilt-code" "$scratch/unbuilt-page" || {
    fault 'docs/brood.ini.5, CAVEATS: other keys are not built yet'
    diff "$scratch/unbuilt-page" "$scratch/unbuilt-code" || true
}

# Variables that workers get or that brood reads.
for name in BROOD_CONFIG NOTIFY_SOCKET WORKER_ID WORKER_NAME WORKER_INDEX WORKER_COUNT WORKER_TYPE WORKER_PID \
    WORKER_EXIT_STATUS WORKER_SIGNAL; do
    grep -q "$name" "$scratch/brood.1" || fault "docs/brood.1: nothing about $name"
    grep -rq "$name" init || fault "docs/brood.1: $name is not in init/"
done

# Variables of wrapping: those that the code has are those that the page has.
grep -rhoE 'SPAWN_WRAP_[A-Z_]+' wrap init | sort -u >"$scratch/wrap-code"
grep -oE 'SPAWN_WRAP_[A-Z_]+' docs/brood-wrap.7 | sort -u >"$scratch/wrap-page"
[ "$(wc -l <"$scratch/wrap-code")" -ge 6 ] || fault 'wrap/, init/: no variable SPAWN_WRAP_* found'
comm -23 "$scratch/wrap-code" "$scratch/wrap-page" >"$scratch/missing"
comm -13 "$scratch/wrap-code" "$scratch/wrap-page" >"$scratch/invented"
while read -r name; do fault "docs/brood-wrap.7: nothing about $name"; done <"$scratch/missing"
while read -r name; do fault "docs/brood-wrap.7: $name is not in wrap/ or init/"; done <"$scratch/invented"

# What is wrapped: the table of test_wrap_matrix, as roff has it, between the two marks of the page.
{
    echo '.Bd -literal'
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/" tests/system/wrap-matrix.expected
    echo '.Ed'
} >"$scratch/matrix"
sed -n '/^\.\\" wrap-matrix: begin$/,/^\.\\" wrap-matrix: end$/p' docs/brood-wrap.7 | sed '1d;$d' \
    >"$scratch/matrix-page"
[ "$(wc -l <"$scratch/matrix")" -ge 20 ] || fault 'tests/system/wrap-matrix.expected: no table'
cmp -s "$scratch/matrix" "$scratch/matrix-page" || {
    fault "docs/brood-wrap.7: not the table of tests/system/wrap-matrix.expected"
    diff "$scratch/matrix-page" "$scratch/matrix" | head -n 20
}

# Tests: the last column of the table of guarantees, stories (a-b) and system tests (a_b).
sed -nE 's/^\|.*\|([^|]*)\|$/\1/p' README.md | grep -oE '`[a-z0-9_-]+`' | tr -d '`' | sort -u >"$scratch/tests"
[ "$(wc -l <"$scratch/tests")" -ge 10 ] || fault "README.md: no table of guarantees found"
while read -r test; do
    [ -f "tests/golden/$test.story" ] || grep -rqE "def $test\(" --include='*.py' tests/system tests/containers ||
        fault "README.md: there is no test $test"
done <"$scratch/tests"

# Every example of a config in a page is one that brood accepts; one of wraps alone needs something to run.
examples=0
for page in README.md docs/*.md; do
    rm -f "$scratch"/example.*
    awk -v name="$scratch/example." '/^```ini$/ { n++; on = 1; next } /^```/ { on = 0 } on { print >(name n) }' "$page"
    for example in "$scratch"/example.*; do
        [ -f "$example" ] || continue
        grep -qE '^\[(worker:|primary)' "$example" || printf '[worker:x]\nstart = true\n' >>"$example"
        "$build/brood" --check -c "$example" >"$scratch/check" 2>&1 || fault "$page: $(cat "$scratch/check")"
        examples=$((examples + 1))
    done
done
[ "$examples" -ge 7 ] || fault "README.md, docs/: $examples examples of a config, there were more"

# docs/keys.md has a row for each key, and for no other: SECTION KEY, those of identity_keys with the worker's.
awk '/^static const struct key [a-z]+_keys\[\]/ { section = $5; sub(/_keys.*/, "", section); sub(/identity/, "worker", section) }
    match($0, /\.name = "[a-z_]+"/) {
        key = substr($0, RSTART + 9, RLENGTH - 10)
        print section, key ~ /^limit_/ ? "limit_*" : key
    }' supervisor/config_keys.c | sort -u >"$scratch/keys-code"
awk -F '|' '/^## / { section = $0; gsub(/^## \[|[:\]].*/, "", section); if (section ~ /^##/) exit }
    /^\| `/ { n = split($2, words, "`"); for (i = 2; i <= n; i += 2) print section, words[i] }' docs/keys.md |
    grep -v ' env.NAME$' | sort >"$scratch/keys-page"
comm -23 "$scratch/keys-code" "$scratch/keys-page" >"$scratch/missing"
comm -13 "$scratch/keys-code" "$scratch/keys-page" >"$scratch/invented"
[ "$(wc -l <"$scratch/keys-code")" -ge 40 ] || fault 'supervisor/config_keys.c: no tables of keys found'
while read -r key; do fault "docs/keys.md: no row for $key"; done <"$scratch/missing"
while read -r key; do fault "docs/keys.md: a row too many: $key"; done <"$scratch/invented"

# broodctl: its commands and options as --help has them, in the manual page and in the completion.
"$build/broodctl" --help | sed -nE 's/^  broodctl ([a-z]+).*/\1/p; s/^  -., (--[a-z]+).*/\1/p' >"$scratch/commands"
[ "$(wc -l <"$scratch/commands")" -ge 3 ] || fault "broodctl --help: names no commands"
while read -r word; do
    grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" "$scratch/broodctl.1" || fault "docs/broodctl.1: nothing about $word"
    bash -c 'COMP_WORDS=(broodctl "$1") COMP_CWORD=1; . docs/broodctl.bash; _broodctl; [ "${COMPREPLY[*]}" = "$1" ]' \
        completion "$word" || fault "docs/broodctl.bash: doesn't complete $word"
done <"$scratch/commands"

# The files that README.md tells developers of are there.
sed -n '/^## For developers/,$p' README.md | grep -oE '[a-z_-]+\*?\.(c|h|sh|md)\b' | sort -u >"$scratch/map"
[ "$(wc -l <"$scratch/map")" -ge 30 ] || fault 'README.md: no map of files found'
while read -r file; do
    find supervisor init wrap tests docs -maxdepth 1 -name "$file" | grep -q . ||
        fault "README.md, For developers: there is no $file"
done <"$scratch/map"

# Its Dockerfiles are those of examples/images, without the comment on top; the tests of containers build and run them.
for file in examples/images/*.Dockerfile; do
    sed '1,/^$/d' "$file" >"$scratch/dockerfile"
    [ -s "$scratch/dockerfile" ] || fault "$file: nothing behind the comment"
    sed -n "\\|^# $file\$|,/^\`\`\`\$/p" README.md | sed '1d;$d' | cmp -s "$scratch/dockerfile" - ||
        fault "README.md: doesn't show $file as it is"
done

"$build/diagram" >"$scratch/worker-states.md"
cmp -s "$scratch/worker-states.md" docs/worker-states.md || {
    fault "docs/worker-states.md: not what the table says; make diagram"
    diff docs/worker-states.md "$scratch/worker-states.md" | head -n 20
}

# make install: what is built, and all that --help and the manual pages point at.
make -s O="$build" DESTDIR="$scratch/root" PREFIX=/usr install >"$scratch/install" 2>&1 ||
    fault "make install: $(cat "$scratch/install")"
for file in bin/brood bin/broodctl share/bash-completion/completions/broodctl \
    $(find docs -name '*.[1-8]' | sed 's|.*/\(.*\.\(.\)\)$|share/man/man\2/\1|'); do
    case $file in bin/*) source=$build ;; *) source=docs ;; esac
    name=${file##*/}
    [ "$file" != share/bash-completion/completions/broodctl ] || name=broodctl.bash
    cmp -s "$source/$name" "$scratch/root/usr/$file" || fault "make install: no $file as it is in $source"
done

[ "$faults" -eq 0 ] && echo "docs: $(wc -l <"$scratch/options") options, $(wc -l <"$scratch/keys") keys," \
    "$(wc -l <"$scratch/tests") tests named, as they are"
