/* tini, docker-init and dumb-init: see personality.h. A table for each says which option and which variable has which
 * effect; getopt does the rest, as in init/options.c, and as there "+" ends the options at the first word that is none.
 *
 * tini itself lets getopt look for options behind the program's name too, so that `tini ls -l` prints a license. That
 * nobody can want; but what its usage line says, `PROGRAM -- ARGS`, people have written: that `--` is dropped.
 *
 * TERM is forwarded like every other signal, it doesn't begin a grace period. What the command leaves behind has one,
 * from its end on: shorter than brood's own, as those who call tini or dumb-init count on their leaving at once, and
 * docker stop waits for ten seconds in all. */
#include "init/personality.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/personality_texts.h"
#include "supervisor/signals.h"

#define REST_GRACE_MS 5000 /* for what a command has left behind, from TERM to KILL */
#define LEVEL_WARNING 1    /* as tini counts them: 0 fatal, 1 warning, 2 info, 3 debug, 4 trace */

struct reading {
    const struct personality *personality;
    struct options options;
    char *error;
    size_t size;
};

/* An option, and the variable that stands for it. */
struct row {
    int letter;           /* 0: there is a variable alone */
    const char *variable; /* NULL: there is none */
    const char *when;     /* the one value of the variable that counts; NULL: each one, also the empty one */
    const char *value;    /* what the option's value is called; NULL: it takes none */
    int (*take)(struct reading *reading, const char *value);
};

struct personality {
    const char *name;
    const char *letters;
    const struct option *words;
    const struct row *rows; /* ends with an empty one */
    const char *help;
    const char *version;
    bool to_leader;        /* until an option says otherwise */
    bool to_stderr;        /* help and version */
    bool version_is_alone; /* --version is an option where it is the only word */
    bool drops_dashes;
    bool leaves_directory;
    bool suspends;
};

/* --- effects --- */

/* word, between what stands before and after it, is the user's. */
static int refuse(const struct reading *reading, const char *before, const char *word, const char *after) {
    const char *name = reading->personality->name;
    snprintf(reading->error, reading->size, "%s: %s%.80s%s; see %s -h", name, before, word, after, name);
    return -EINVAL;
}

static int print(struct reading *reading, enum options_mode mode, const char *text) {
    reading->options.mode = mode;
    reading->options.manners.text = text;
    reading->options.manners.text_on_stderr = reading->personality->to_stderr;
    return 0;
}

static int take_help(struct reading *reading, const char *value) {
    (void)value;
    return print(reading, MODE_HELP, reading->personality->help);
}

static int take_version(struct reading *reading, const char *value) {
    (void)value;
    return print(reading, MODE_VERSION, reading->personality->version);
}

static int take_license(struct reading *reading, const char *value) {
    (void)value;
    return print(reading, MODE_HELP, personality_license);
}

static int take_subreaper(struct reading *reading, const char *value) {
    (void)value;
    reading->options.subreaper = SUBREAPER_ON;
    return 0;
}

static int take_group(struct reading *reading, const char *value) {
    (void)value;
    reading->options.manners.to_leader = false;
    return 0;
}

static int take_louder(struct reading *reading, const char *value) {
    (void)value;
    reading->options.verbosity++;
    return 0;
}

/* In place of whatever -v said, as in tini; what is no number says nothing. */
static int take_level(struct reading *reading, const char *value) {
    int level = options_number(value, strlen(value), 1000);
    if (level >= 0)
        reading->options.verbosity = level - LEVEL_WARNING;
    return 0;
}

static int take_reaped(struct reading *reading, const char *value) {
    (void)value;
    reading->options.manners.tells_reaped = true;
    return 0;
}

/* tini's child tells by its exit status that its program can't be executed: to -e 127 is a status like others. */
static int take_exit_code(struct reading *reading, const char *value) {
    int code = options_number(value, strlen(value), REMAP_CODES - 1);
    if (code < 0)
        return refuse(reading, "-e ", value, ": it is an exit status from 0 to 255");
    reading->options.remap.set[code] = true;
    reading->options.remap.to[code] = 0;
    reading->options.remap.own_too = true;
    return 0;
}

static int take_parent_death(struct reading *reading, const char *value) {
    int number = signal_from_name(value, SIGRTMIN_USUAL, SIGRTMAX_USUAL);
    if (number == 0)
        return refuse(reading, "-p ", value, ": it is no signal");
    reading->options.manners.parent_death = number;
    return 0;
}

static int take_single(struct reading *reading, const char *value) {
    (void)value;
    reading->options.manners.to_leader = reading->options.manners.joined = true;
    return 0;
}

static int take_debug(struct reading *reading, const char *value) {
    (void)value;
    reading->options.verbosity = LOG_DEBUG - LOG_WARNING;
    return 0;
}

/* S:R. Whatever is said of KILL, STOP and CHLD has no effect: the first two nobody can take, the third is brood's. */
static int take_rewrite(struct reading *reading, const char *value) {
    char from[SIGNAL_NAME_BYTES];
    const char *colon = strchr(value, ':');
    size_t length = colon ? (size_t)(colon - value) : sizeof from;
    if (length < sizeof from) {
        memcpy(from, value, length);
        from[length] = '\0';
        int source = signal_from_name(from, SIGRTMIN_USUAL, SIGRTMAX_USUAL);
        int target = signal_from_name(colon + 1, SIGRTMIN_USUAL, SIGRTMAX_USUAL);
        bool dropped = strcmp(colon + 1, "0") == 0;
        if (source != 0 && (target != 0 || dropped)) {
            reading->options.manners.rewrite[source] = (int16_t)(dropped ? REWRITE_DROP : target);
            return 0;
        }
    }
    return refuse(reading, "-r ", value, ": it is SIGNAL:SIGNAL, or SIGNAL:0 to drop it");
}

/* --- the tables --- */

static const struct row tini_rows[] = {
    {'s', "TINI_SUBREAPER", NULL, NULL, take_subreaper},
    {'g', "TINI_KILL_PROCESS_GROUP", NULL, NULL, take_group},
    {'v', NULL, NULL, NULL, take_louder},
    {0, "TINI_VERBOSITY", NULL, NULL, take_level},
    {'w', NULL, NULL, NULL, take_reaped},
    {'e', NULL, NULL, "EXIT_CODE", take_exit_code},
    {'p', NULL, NULL, "SIGNAL", take_parent_death},
    {'l', NULL, NULL, NULL, take_license},
    {'h', NULL, NULL, NULL, take_help},
    {0},
};

static const struct row dumb_rows[] = {
    {'c', "DUMB_INIT_SETSID", "0", NULL, take_single},
    {'v', "DUMB_INIT_DEBUG", "1", NULL, take_debug},
    {'r', NULL, NULL, "S:R", take_rewrite},
    {'V', NULL, NULL, NULL, take_version},
    {'h', NULL, NULL, NULL, take_help},
    {0},
};

static const struct option no_words[] = {{NULL, 0, NULL, 0}};

static const struct option dumb_words[] = {
    {"single-child", no_argument, NULL, 'c'}, {"rewrite", required_argument, NULL, 'r'},
    {"verbose", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
};

#define TINI(its_name)                                                                                                 \
    {                                                                                                                  \
        .name = (its_name), .letters = "+:sgvwe:p:lh", .words = no_words, .rows = tini_rows, .help = tini_help,        \
        .version = tini_version, .to_leader = true, .version_is_alone = true, .drops_dashes = true                     \
    }

static const struct personality personalities[] = {
    TINI("tini"),
    TINI("docker-init"),
    {
        .name = "dumb-init",
        .letters = "+:cr:vVh",
        .words = dumb_words,
        .rows = dumb_rows,
        .help = dumb_init_help,
        .version = dumb_init_version,
        .to_stderr = true,
        .leaves_directory = true,
        .suspends = true,
    },
};

const struct personality *personality_of(const char *argv0) {
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
    const char *name = slash ? slash + 1 : argv0;
    for (size_t i = 0; name && i < sizeof personalities / sizeof personalities[0]; i++)
        if (strcmp(personalities[i].name, name) == 0)
            return &personalities[i];
    return NULL;
}

/* --- reading --- */

static const struct row *row_of(const struct personality *personality, int letter) {
    const struct row *row = personality->rows;
    while (row->take && row->letter != letter)
        row++;
    return row->take ? row : NULL;
}

/* getopt_long returned value; word is the one it read last. */
static int take_option(struct reading *reading, int value, const char *word) {
    const struct row *row = row_of(reading->personality, value == ':' ? optopt : value);
    const char letter[] = {'-', (char)(optopt > ' ' && optopt < 0x7f ? optopt : '?'), '\0'};
    if (value == ':' && row) {
        char what[32];
        snprintf(what, sizeof what, " needs its %s", row->value);
        return refuse(reading, "", letter, what);
    }
    if (row)
        return row->take(reading, optarg);
    if (strncmp(word, "--", 2) != 0)
        return refuse(reading, "unknown option ", letter, "");
    return optopt ? refuse(reading, "", word, ": it takes no value") : refuse(reading, "unknown option ", word, "");
}

/* Behind the options, as both programs do it: TINI_VERBOSITY has the last word on -v. */
static int take_variables(struct reading *reading) {
    for (const struct row *row = reading->personality->rows; row->take; row++) {
        const char *value = row->variable ? getenv(row->variable) : NULL;
        if (!value || (row->when && strcmp(value, row->when) != 0))
            continue;
        int r = row->take(reading, value);
        if (r < 0)
            return r;
    }
    return 0;
}

/* PROGRAM [WORD...] -- ARGS: where no word before it may be meant as an option. */
static void drop_dashes(char **command) {
    while (*++command && strcmp(*command, "--") != 0)
        if ((*command)[0] == '-' && (*command)[1] != '\0')
            return;
    for (; *command; command++)
        command[0] = command[1];
}

/* In a session of its own a command's group is orphaned, and only STOP stops it. -r has the last word. */
static void stop_orphans(struct manners *manners) {
    static const int stops[] = {SIGNAL_TSTP, SIGNAL_TTIN, SIGNAL_TTOU};
    for (size_t i = 0; manners->suspends && !manners->joined && i < sizeof stops / sizeof stops[0]; i++)
        if (manners->rewrite[stops[i]] == 0)
            manners->rewrite[stops[i]] = SIGNAL_SIGSTOP;
}

/* Up to the first word that is no option, or to one that asks for a text. */
static int read_options(struct reading *reading, int argc, char **argv) {
    const struct personality *personality = reading->personality;
    int value, r = 0;
    if (personality->version_is_alone && argc == 2 && strcmp(argv[1], "--version") == 0)
        return take_version(reading, NULL);
    opterr = 0;
    optind = 0; /* as in init/options.c */
    while (r == 0 && !reading->options.manners.text &&
           (value = getopt_long(argc, argv, personality->letters, personality->words, NULL)) != -1)
        r = take_option(reading, value, argv[optind - 1]);
    return r;
}

/* What is to be run, now that all options are known. */
static int settle(struct reading *reading, int argc, char **argv) {
    bool dashes = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
    if (optind >= argc)
        return refuse(reading, "a program is needed", "", "");
    reading->options.command = argv + optind;
    if (reading->personality->drops_dashes && !dashes)
        drop_dashes(reading->options.command);
    int r = take_variables(reading);
    stop_orphans(&reading->options.manners);
    return r;
}

int personality_parse(const struct personality *personality, int argc, char **argv, struct options *ret, char *error,
                      size_t size) {
    struct reading reading = {
        .personality = personality,
        .options = {.grace = MSEC_NEVER,
                    .log_format = -1,
                    .manners = {.name = personality->name,
                                .to_leader = personality->to_leader,
                                .leaves_directory = personality->leaves_directory,
                                .suspends = personality->suspends}},
        .error = error,
        .size = size,
    };
    int r = read_options(&reading, argc, argv);
    if (r == 0 && !reading.options.manners.text)
        r = settle(&reading, argc, argv);
    if (r == 0)
        *ret = reading.options;
    return r;
}

void personality_apply(const struct manners *manners, struct spec *spec) {
    if (!manners->name)
        return;
    spec->grace = REST_GRACE_MS;
    spec->groups[spec->command_group].stop_to = manners->to_leader ? STOP_TO_LEADER : STOP_TO_GROUP;
    for (int number = 1; number < SIGNALS_END; number++) {
        struct spec_signal *signal = &spec->signals[number];
        if (signal->policy == SIGNAL_IGNORE)
            continue;
        int other = manners->rewrite[number];
        signal->policy = other == REWRITE_DROP ? SIGNAL_IGNORE : SIGNAL_FORWARD;
        signal->number = other > 0 ? other : number;
    }
}
