/* The command line: see options.h. getopt_long with "+" stops at the first word that is no option, so that a COMMAND's
 * own options are never taken for brood's; its messages are off, since they name neither remedy nor level.
 *
 * --ended-to and --lent-admin are between the two broods of --sandbox alone, and in no help. The inner one, PID 1,
 * can't die of a signal as its COMMAND did, and an exit status doesn't tell `exit 143` from a death by TERM. Source:
 * getopt(3), for optopt: 0 after an unknown long option, its value after one that was given a value it doesn't take. */
#include "init/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/version.h"
#include "supervisor/config.h"

#define DEFAULT_CONFIG "/etc/brood.ini"
#define REMEDY "; see brood --help"

enum { OPT_NO_SUBREAPER = 256, OPT_LOG_FORMAT, OPT_ENDED_TO, OPT_LENT_ADMIN };

static const char SHORT[] = "+:c:t:Cnw:me:svqVh";

static const struct option LONG[] = {
    {"config", required_argument, NULL, 'c'},
    {"grace", required_argument, NULL, 't'},
    {"check", no_argument, NULL, 'C'},
    {"sandbox", no_argument, NULL, 'n'},
    {"write-shims", required_argument, NULL, 'w'},
    {"mirror", no_argument, NULL, 'm'},
    {"remap", required_argument, NULL, 'e'},
    {"subreaper", no_argument, NULL, 's'},
    {"no-subreaper", no_argument, NULL, OPT_NO_SUBREAPER},
    {"verbose", no_argument, NULL, 'v'},
    {"quiet", no_argument, NULL, 'q'},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"ended-to", required_argument, NULL, OPT_ENDED_TO},
    {"lent-admin", no_argument, NULL, OPT_LENT_ADMIN},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

const char options_version[] = "brood " BROOD_VERSION "\n";

/* clang-format off: this is how it looks on a terminal */
const char options_help[] = "brood: a small PID 1 for containers\n"
                            "\n"
                            "  brood [OPTIONS] [--] COMMAND [ARG...]    runs one command\n"
                            "  brood [OPTIONS] -c FILE                  runs the worker groups of an INI file\n"
                            "  brood [OPTIONS] -c FILE -- COMMAND...    both: the container ends with COMMAND\n"
                            "  brood                                    as -c $BROOD_CONFIG, else\n"
                            "                                           -c " DEFAULT_CONFIG "\n"
                            "\n"
                            "Options end at the first word that isn't one.\n"
                            "\n"
                            "  -c, --config FILE       the INI file; - is standard input\n"
                            "  -t, --grace DURATION    from the first stop signal to SIGKILL (10s, 500ms, 0);\n"
                            "                          overrides [supervisor] grace\n"
                            "  -C, --check             print every fault of the config and start nothing\n"
                            "  -w, --write-shims DIR   at image build: write the config's shims into DIR, for\n"
                            "                          a brood whose shim_root is DIR, and start nothing\n"
                            "  -n, --sandbox           try it here: as PID 1 of namespaces of its own\n"
                            "  -m, --mirror            die of the signal that COMMAND dies of\n"
                            "  -e, --remap CODE[:TO]   exit TO (0) in place of CODE; may be repeated, adds\n"
                            "                          to $BROOD_REMAP, a list\n"
                            "  -s, --subreaper         adopt orphaned descendants; the default, unless brood\n"
                            "      --no-subreaper      is PID 1, where it does so anyway\n"
                            "  -v, --verbose           one level louder; may be repeated\n"
                            "  -q, --quiet             one level quieter; may be repeated\n"
                            "      --log-format FORMAT how brood's own records look: text or json\n"
                            "  -V, --version           print the version\n"
                            "  -h, --help              print this\n"
                            "\n"
                            "Exit status:\n"
                            "  0        all workers completed, or a stop was asked for\n"
                            "  100      wrong usage or config, nothing was started\n"
                            "  111      the system refused something brood needs to begin\n"
                            "  126 127  COMMAND can't be executed, isn't found\n"
                            "  137      a worker or COMMAND had to be killed at the end of the grace period\n"
                            "  128+n    COMMAND, a worker or a start was ended by signal n\n"
                            "  else     that of COMMAND, or of the first worker that failed for good\n"
                            "\n"
                            "More: man brood, man brood.ini\n";
/* clang-format on */

/* What an option's value is called, by the option's own value in LONG. */
static const char *value_name(int value) {
    if (value == 'c')
        return "FILE";
    if (value == 't')
        return "DURATION";
    if (value == 'w')
        return "DIR";
    if (value == 'e')
        return "CODE[:TO]";
    if (value == OPT_ENDED_TO)
        return "descriptor";
    return "FORMAT, text or json";
}

static const char *long_name(int value) {
    for (const struct option *option = LONG; option->name != NULL; option++) {
        if (option->val == value)
            return option->name;
    }
    return NULL;
}

static int count_abbreviated(const char *word) {
    size_t length = strcspn(word + 2, "=");
    int count = 0;
    for (const struct option *option = LONG; option->name != NULL; option++)
        count += strncmp(option->name, word + 2, length) == 0;
    return count;
}

/* getopt_long returned '?': word is the one it read last, value its optopt. */
static int refuse_option(const char *word, int value, char *error, size_t size) {
    if (value == 0 && count_abbreviated(word) > 1)
        snprintf(error, size, "%s may be one of several options, write it in full" REMEDY, word);
    else if (value == 0)
        snprintf(error, size, "unknown option %s" REMEDY, word);
    else if (long_name(value) != NULL)
        snprintf(error, size, "--%s takes no value" REMEDY, long_name(value));
    else
        snprintf(error, size, "unknown option -%c" REMEDY, value > ' ' && value < 0x7f ? value : '?');
    return -EINVAL;
}

static int take_grace(const char *text, struct options *options, char *error, size_t size) {
    const char *why = "not a duration";
    if (config_duration(text, &options->grace, &why) == 0)
        return 0;
    snprintf(error, size, "--grace %s: %s" REMEDY, text, why);
    return -EINVAL;
}

static int take_config(const char *text, struct options *options, char *error, size_t size) {
    if (text[0] == '\0') {
        snprintf(error, size, "--config needs a FILE, not an empty word" REMEDY);
        return -EINVAL;
    }
    options->config = text;
    return 0;
}

static int take_shims(const char *text, struct options *options, char *error, size_t size) {
    if (text[0] == '\0') {
        snprintf(error, size, "--write-shims needs a DIR, not an empty word" REMEDY);
        return -EINVAL;
    }
    options->shims = text;
    if (options->mode == MODE_RUN) /* --check starts nothing and writes nothing */
        options->mode = MODE_WRITE_SHIMS;
    return 0;
}

static int take_log_format(const char *text, struct options *options, char *error, size_t size) {
    if (strcmp(text, "text") == 0) {
        options->log_format = LOG_TEXT;
        return 0;
    }
    if (strcmp(text, "json") == 0) {
        options->log_format = LOG_JSON;
        return 0;
    }
    snprintf(error, size, "--log-format %s: it is text or json" REMEDY, text);
    return -EINVAL;
}

int options_number(const char *text, size_t length, int most) {
    int number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = 10 * number + (text[i] - '0');
        if (number > most)
            return -1;
    }
    return length > 0 ? number : -1;
}

/* One CODE[:TO]. Of two for the same CODE the later one holds. */
static int take_remap(const char *name, const char *text, size_t length, struct remap *remap, char *error,
                      size_t size) {
    const char *colon = memchr(text, ':', length);
    size_t first = colon ? (size_t)(colon - text) : length;
    int code = options_number(text, first, REMAP_CODES - 1);
    int to = colon ? options_number(colon + 1, length - first - 1, REMAP_CODES - 1) : 0;
    if (code < 0 || to < 0) {
        snprintf(error, size, "%s %.*s: it is CODE or CODE:TO, exit statuses from 0 to 255" REMEDY, name,
                 length > 80 ? 80 : (int)length, text);
        return -EINVAL;
    }
    remap->set[code] = true;
    remap->to[code] = (uint8_t)to;
    return 0;
}

/* $BROOD_REMAP: between commas, blanks or both. A YAML block leaves the end of its line, an env file perhaps a CR. */
static int take_remaps(const char *text, struct remap *remap, char *error, size_t size) {
    static const char separators[] = ", \t\r\n";
    while (text && *(text += strspn(text, separators)) != '\0') {
        size_t length = strcspn(text, separators);
        int r = take_remap("$BROOD_REMAP", text, length, remap, error, size);
        if (r < 0)
            return r;
        text += length;
    }
    return 0;
}

static int take_ended_to(const char *text, struct options *options, char *error, size_t size) {
    int fd = options_number(text, strlen(text), INT_MAX / 16);
    if (fd < 3) {
        snprintf(error, size, "--ended-to %s: it is a descriptor, 3 or more" REMEDY, text);
        return -EINVAL;
    }
    options->ended_to = fd;
    return 0;
}

static int take_option(int value, const char *word, struct options *options, char *error, size_t size) {
    switch (value) {
    case 'c':
        return take_config(optarg, options, error, size);
    case 't':
        return take_grace(optarg, options, error, size);
    case 'C':
        options->mode = MODE_CHECK;
        return 0;
    case 'n':
        options->sandbox = true;
        return 0;
    case 's':
        options->subreaper = SUBREAPER_ON;
        return 0;
    case OPT_NO_SUBREAPER:
        options->subreaper = SUBREAPER_OFF;
        return 0;
    case 'v':
        options->verbosity++;
        return 0;
    case 'q':
        options->verbosity--;
        return 0;
    case OPT_LOG_FORMAT:
        return take_log_format(optarg, options, error, size);
    case 'V':
        options->mode = MODE_VERSION;
        return 0;
    case 'h':
        options->mode = MODE_HELP;
        return 0;
    case 'w':
        return take_shims(optarg, options, error, size);
    case 'm':
        options->mirror = true;
        return 0;
    case 'e':
        return take_remap("--remap", optarg, strlen(optarg), &options->remap, error, size);
    case OPT_ENDED_TO:
        return take_ended_to(optarg, options, error, size);
    case OPT_LENT_ADMIN:
        options->lent_admin = true;
        return 0;
    case ':':
        snprintf(error, size, "--%s needs a %s" REMEDY, long_name(optopt), value_name(optopt));
        return -EINVAL;
    default:
        return refuse_option(word, optopt, error, size);
    }
}

/* What is to be run, now that all options are known. */
static int settle(struct options *options, bool dashes, char *error, size_t size) {
    struct remap remap = {.set = {false}};
    int r = take_remaps(getenv("BROOD_REMAP"), &remap, error, size);
    if (r < 0)
        return r;
    for (int code = 0; code < REMAP_CODES; code++) {
        if (remap.set[code] && !options->remap.set[code]) {
            options->remap.set[code] = true;
            options->remap.to[code] = remap.to[code];
        }
    }
    if (options->config != NULL)
        return 0;
    if (options->command != NULL) {
        if (options->mode == MODE_RUN)
            return 0;
        snprintf(error, size, "--%s needs a config, add --config FILE" REMEDY,
                 options->mode == MODE_CHECK ? "check" : "write-shims");
        return -EINVAL;
    }
    if (dashes) {
        snprintf(error, size, "brood -- needs a COMMAND" REMEDY);
        return -EINVAL;
    }
    const char *config = getenv("BROOD_CONFIG");
    options->config = config != NULL && config[0] != '\0' ? config : DEFAULT_CONFIG;
    options->config_implied = true;
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret, char *error, size_t size) {
    struct options options = {.grace = MSEC_NEVER, .log_format = -1};
    opterr = 0;
    optind = 0; /* glibc: begin anew, whatever was parsed before */
    int value;
    while ((value = getopt_long(argc, argv, SHORT, LONG, NULL)) != -1) {
        int r = take_option(value, argv[optind - 1], &options, error, size);
        if (r < 0)
            return r;
        if (options.mode == MODE_HELP || options.mode == MODE_VERSION) {
            *ret = options; /* as everywhere: the first of them is answered, the rest isn't read */
            return 0;
        }
    }
    if (optind < argc)
        options.command = argv + optind;
    bool dashes = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
    int r = settle(&options, dashes, error, size);
    if (r < 0)
        return r;
    *ret = options;
    return 0;
}

#define INNER_WORDS                                                                                                    \
    18 /* brood, -c FILE, the texts below, up to three -v or -q, --log-format, --lent-admin, --, NULL, and spare */
#define INNER_TEXT_BYTES 40 /* of --grace=NUMBERms, --ended-to=FD and CODE:TO, each */

/* The array of --sandbox's inner words while it grows. Texts made for it lie behind it, in the same memory. */
struct inner {
    char **words;
    size_t count;
    char *texts;
};

static void add_text(struct inner *inner, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_text(struct inner *inner, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(inner->texts, INNER_TEXT_BYTES, format, arguments);
    va_end(arguments);
    inner->words[inner->count++] = inner->texts;
    inner->texts += INNER_TEXT_BYTES;
}

static void add_options(struct inner *inner, const struct options *options) {
    static char brood[] = "brood", config[] = "-c", louder[] = "-v", quieter[] = "-q", remap[] = "-e",
                text[] = "--log-format=text", json[] = "--log-format=json", lent[] = "--lent-admin";
    inner->words[inner->count++] = brood;
    if (options->config != NULL) {
        inner->words[inner->count++] = config;
        inner->words[inner->count++] = (char *)(uintptr_t)options->config; /* exec takes char *, and changes nothing */
    }
    if (options->grace != MSEC_NEVER)
        add_text(inner, "--grace=%lldms", (long long)options->grace);
    for (int i = 0; i < LOG_DEBUG && i < abs(options->verbosity); i++) /* more of them change nothing */
        inner->words[inner->count++] = options->verbosity > 0 ? louder : quieter;
    if (options->log_format >= 0)
        inner->words[inner->count++] = options->log_format == LOG_JSON ? json : text;
    if (options->ended_to != 0)
        add_text(inner, "--ended-to=%d", options->ended_to);
    if (options->lent_admin)
        inner->words[inner->count++] = lent;
    for (int code = 0; code < REMAP_CODES; code++) {
        if (!options->remap.set[code])
            continue;
        inner->words[inner->count++] = remap;
        add_text(inner, "%d:%d", code, options->remap.to[code]);
    }
}

int options_inner(const struct options *options, char ***ret) {
    static char dashes[] = "--";
    size_t command = 0, remaps = 0;
    while (options->command != NULL && options->command[command] != NULL)
        command++;
    for (int code = 0; code < REMAP_CODES; code++)
        remaps += options->remap.set[code];
    size_t words = command + 2 * remaps + INNER_WORDS;
    char *memory = calloc(1, words * sizeof(char *) + (remaps + 2) * INNER_TEXT_BYTES);
    if (memory == NULL)
        return -ENOMEM;

    struct inner inner = {.words = (char **)(void *)memory, .texts = memory + words * sizeof(char *)};
    add_options(&inner, options);
    if (command > 0)
        inner.words[inner.count++] = dashes;
    for (size_t i = 0; i < command; i++)
        inner.words[inner.count++] = options->command[i];
    *ret = inner.words;
    return 0;
}

int options_remap(const struct remap *remap, int status) {
    return status >= 0 && status < REMAP_CODES && remap->set[status] ? remap->to[status] : status;
}

enum log_level options_level(const struct options *options, enum log_level level) {
    int base = options->config == NULL ? LOG_WARNING : (int)level;
    int wanted = base + options->verbosity;
    if (wanted < LOG_ERROR)
        return LOG_ERROR;
    if (wanted > LOG_DEBUG)
        return LOG_DEBUG;
    return (enum log_level)wanted;
}
