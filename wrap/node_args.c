/* Node's option parser, as far as the place of the main module goes: the table of options
 * with a value is data, the walk over the words is below it.
 *
 * The tables are texts with NULs in between, not arrays of pointers: the shim has no
 * loader that could relocate pointers. What node refuses (an unknown option, a value
 * that is missing) needs no care: it refuses with or without a wrapper in the line.
 *
 * V8's options never take the next word: node hands V8 only what begins with a dash. */
#include "wrap/node_args.h"

#include <stdbool.h>

/* Options of one version or another that take a word. Two exist without one elsewhere: see takes_word(). */
const char node_args_values[] = "--allow-fs-read\0"
                                "--allow-fs-write\0"
                                "--bench-isolation\0"
                                "--bench-name-pattern\0"
                                "--bench-reporter\0"
                                "--bench-reporter-destination\0"
                                "--bench-samples\0"
                                "--bench-warmup\0"
                                "--conditions\0"
                                "--cpu-prof-dir\0"
                                "--cpu-prof-interval\0"
                                "--cpu-prof-name\0"
                                "--debug-port\0"
                                "--diagnostic-dir\0"
                                "--disable-proto\0"
                                "--disable-warning\0"
                                "--dns-result-order\0"
                                "--env-file\0"
                                "--env-file-if-exists\0"
                                "--es-module-specifier-resolution\0"
                                "--experimental-config-file\0"
                                "--experimental-default-type\0"
                                "--experimental-loader\0"
                                "--experimental-package-map\0"
                                "--experimental-policy\0"
                                "--experimental-specifier-resolution\0"
                                "--experimental-test-isolation\0"
                                "--experimental-test-tag-filter\0"
                                "--heap-prof-dir\0"
                                "--heap-prof-interval\0"
                                "--heap-prof-name\0"
                                "--heapsnapshot-near-heap-limit\0"
                                "--heapsnapshot-signal\0"
                                "--icu-data-dir\0"
                                "--import\0"
                                "--input-type\0"
                                "--inspect-port\0"
                                "--inspect-publish-uid\0"
                                "--loader\0"
                                "--localstorage-file\0"
                                "--max-http-header-size\0"
                                "--max-old-space-size-percentage\0"
                                "--network-family-autoselection-attempt-timeout\0"
                                "--openssl-config\0"
                                "--policy-integrity\0"
                                "--redirect-warnings\0"
                                "--report-dir\0"
                                "--report-directory\0"
                                "--report-filename\0"
                                "--report-signal\0"
                                "--require\0"
                                "--secure-heap\0"
                                "--secure-heap-min\0"
                                "--security-revert\0"
                                "--security-reverts\0"
                                "--stack-trace-limit\0"
                                "--test-concurrency\0"
                                "--test-coverage-branches\0"
                                "--test-coverage-exclude\0"
                                "--test-coverage-functions\0"
                                "--test-coverage-include\0"
                                "--test-coverage-lines\0"
                                "--test-global-setup\0"
                                "--test-isolation\0"
                                "--test-name-pattern\0"
                                "--test-random-seed\0"
                                "--test-reporter\0"
                                "--test-reporter-destination\0"
                                "--test-rerun-failures\0"
                                "--test-shard\0"
                                "--test-skip-pattern\0"
                                "--test-timeout\0"
                                "--title\0"
                                "--tls-cipher-list\0"
                                "--tls-keylog\0"
                                "--trace-event-categories\0"
                                "--trace-event-file-pattern\0"
                                "--trace-require-module\0"
                                "--unhandled-rejections\0"
                                "--use-largepages\0"
                                "--v8-pool-size\0"
                                "--vfs-mount\0"
                                "--watch-kill-signal\0"
                                "-C\0"
                                "-r\0";

/* With these node runs no main module, or not in the process that is started. -i and a bare -p may come with one; they
 * belong to people at a terminal and are left alone. --watch-path implies --watch; --vfs-load brings its own main. */
const char node_args_stops[] = "--bench\0"
                               "--build-sea\0"
                               "--build-snapshot\0"
                               "--build-snapshot-config\0"
                               "--check\0"
                               "--completion-bash\0"
                               "--eval\0"
                               "--experimental-sea-config\0"
                               "--help\0"
                               "--interactive\0"
                               "--print\0"
                               "--prof-process\0"
                               "--run\0"
                               "--snapshot-blob\0"
                               "--test\0"
                               "--v8-options\0"
                               "--version\0"
                               "--vfs-load\0"
                               "--watch\0"
                               "--watch-path\0"
                               "-c\0"
                               "-e\0"
                               "-h\0"
                               "-i\0"
                               "-p\0"
                               "-pe\0"
                               "-v\0";

static bool text_equal(const char *one, const char *other) {
    while (*one != '\0' && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

/* One character of an option's name: node reads `_` as `-` there, but for the first two. */
static char name_char(const char *word, size_t at) {
    return at >= 2 && word[at] == '_' ? '-' : word[at];
}

static bool is_long(const char *word) {
    return word[0] == '-' && word[1] == '-';
}

/* Whether word, up to a `=` where it is a long option, is one of the names of a table. */
static bool is_one_of(const char *word, const char *table) {
    while (*table != '\0') {
        size_t at = 0;
        while (*table != '\0' && name_char(word, at) == *table) {
            at++;
            table++;
        }
        if (*table == '\0' && (word[at] == '\0' || (word[at] == '=' && is_long(word))))
            return true;
        while (*table != '\0')
            table++;
        table++;
    }
    return false;
}

static bool has_equals(const char *word) {
    if (!is_long(word))
        return false;
    while (*word != '\0' && *word != '=')
        word++;
    return *word == '=';
}

static bool ends_in_json(const char *word) {
    const char *end = word;
    while (*end != '\0')
        end++;
    return end - word > 5 && text_equal(end - 5, ".json");
}

/* Whether an option with a value takes `next` as one. Two options do in some versions and not in others, and which
 * version it is can't be seen from here; what the next word looks like decides:
 * - the specifier resolution took `node` or `explicit` in Node 18 and takes nothing since;
 * - the config file is a word of its own in Node 22, optional and only after a `=` in Node 26; no one runs a .json. */
static bool takes_word(const char *word, const char *next) {
    static const char resolution[] = "--experimental-specifier-resolution\0"
                                     "--es-module-specifier-resolution\0";
    static const char config[] = "--experimental-config-file\0";
    if (is_one_of(word, resolution))
        return text_equal(next, "node") || text_equal(next, "explicit");
    if (is_one_of(word, config))
        return ends_in_json(next);
    return true;
}

size_t node_args_main(char *const *argv, size_t argc) {
    size_t at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
        const char *word = argv[at];
        at++;
        if (text_equal(word, "--"))
            break;
        if (is_one_of(word, node_args_stops))
            return 0;
        if (!is_one_of(word, node_args_values) || has_equals(word))
            continue;
        if (at >= argc)
            return 0;
        if (!takes_word(word, argv[at]))
            continue;
        if (argv[at][0] == '-')
            return 0; /* node: requires an argument */
        at++;
    }
    if (at >= argc || argv[at][0] == '\0' || text_equal(argv[at], "-") || text_equal(argv[at], "inspect"))
        return 0;
    return at;
}
