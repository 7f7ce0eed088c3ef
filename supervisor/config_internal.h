/* What the files behind config.h share. Private to them.
 *
 *     config.c           entry points: the input, the sections, the command; what becomes of the result
 *     config_reader.c    bytes to lines to values, through inih
 *     config_keys.c      the table of every key, and of those that are not built yet
 *     config_take.c      one function for each kind of value: text to field
 *     config_names.c     … and for values that name things: groups, signals, variables, users, programs
 *     config_endpoints.c … and for ready, check, listen: addresses and paths
 *     config_values.c    numbers, durations, names, quotes: text in, value out, nothing else known
 *     config_json.c      the same for JSON
 *     config_check.c     what can be said only when the whole file is read; config_wraps.c: of wraps
 *     config_faults.c    faults, their texts, and names that are near enough to be meant
 *     config_memory.c    the only malloc
 *
 * Out of memory is sticky (parser_failed()): who gets NULL from an arena returns, and config_parse() says -ENOMEM. */
#ifndef SUPERVISOR_CONFIG_INTERNAL_H
#define SUPERVISOR_CONFIG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config.h"
#include "supervisor/limits.h"

#define KEYS_MAX 64       /* of one kind of section */
#define EXCERPT_BYTES 176 /* 40 bytes of a text, each escaped as \xNN at the worst, quotes, an ellipsis */
#define EXCERPTS 4        /* in one fault */
#define TITLE_BYTES EXCERPT_BYTES
#define NAMES_NONE UINT32_MAX
#define JSON_DEPTH_MAX 64   /* nested arrays and objects: more is surely not meant */
#define SOCKET_PATH_MAX 107 /* bytes of a socket's path: sun_path without its NUL, see unix(7) */
#define NOTIFY_FD_MAX 1023  /* of ready = fd:N: the highest that the usual limit of open files allows */
#define CHECK_FAILURES_MAX 1000

/* --- config_memory.c -- */

struct chunk;
struct arena {
    struct chunk *chunks;
    bool failed; /* malloc said no, once and for all */
};

/* Zeroed memory for anything, NULL where there is none; lives until arena_free(). */
void *arena_take(struct arena *arena, size_t size);
/* A copy with a NUL behind it. */
char *arena_copy(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);

/* Names that were seen, each in a scope, with a number and a line: a hash table, so that 100,000 lines stay linear. */
struct name {
    const char *text;
    size_t length;
    uint32_t scope;
    uint32_t value;
    uint32_t line;
};
struct names {
    struct name *items; /* text NULL: free */
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

const struct name *names_find(const struct names *names, uint32_t scope, const char *text, size_t length);
/* The name must not be there yet; its text is kept as a pointer. */
void names_add(struct names *names, struct arena *arena, struct name name);

/* Appends to a list that is grown by doubling; the list and the item are in the arena. */
void list_append(struct spec_text_list *list, struct arena *arena, const char *text, size_t length);

/* --- sections and keys -- */

enum section_kind {
    SECTION_NONE,    /* before the first one */
    SECTION_UNKNOWN, /* its keys are passed over */
    SECTION_SUPERVISOR,
    SECTION_SIGNALS,
    SECTION_ENV,
    SECTION_PRIMARY,
    SECTION_WORKER,
    SECTION_WRAP,
    SECTION_KINDS,
};

/* Scopes of names: those of places to listen at by their kind, twice as many (config_listen.c); from SCOPE_VARIABLES on
 * each section has one of its own. */
enum { SCOPE_GROUPS, SCOPE_WRAPS, SCOPE_PLACES, SCOPE_VARIABLES = SCOPE_PLACES + 2 * (LISTEN_UNIX + 1) };

/* How quotes are read in a value, and so where a comment behind it begins. */
enum quoting {
    QUOTING_TEXT,
    QUOTING_COMMAND,
    QUOTING_PROBE, /* exec:CMD is a command, else text */
    QUOTING_JSON,
};

struct parser;

/* take() reads parser->text into field, the address of what the section describes plus offset. */
struct key {
    const char *name;
    enum quoting quoting;
    void (*take)(struct parser *parser, const struct key *key, void *field);
    size_t offset;
    const char *const *choices; /* in the order of the enum; ends with NULL */
    int64_t least;              /* of numbers, and of durations in ms */
    int64_t most;
    bool zero_is_never; /* a duration: 0 means no limit */
};

struct section {
    enum section_kind kind;
    uint32_t line;
    uint32_t scope;                       /* of its variables */
    char title[TITLE_BYTES];              /* "worker:web", safe to print */
    const char *name;                     /* "web", or NULL */
    void *base;                           /* struct spec, spec_primary, spec_group or spec_wrap */
    struct spec_identity *identity;       /* NULL: it has none */
    struct spec_environment *environment; /* of its env.* or, in [env], of every key */
    struct draft *draft;                  /* of a worker or wrap section */
    uint32_t *seen;                       /* the lines of its keys, in the order of their table */
    bool repeated;                        /* the first one is what counts */
};

/* A group or wrap while its section is read; lives in the scratch arena. seen and lists are what the end needs. */
struct draft {
    struct draft *next;
    uint32_t seen[KEYS_MAX];
    struct spec_text_list after;   /* of a worker section, names */
    struct spec_text_list workers; /* of a wrap section, names */
    struct spec_group group;
    struct spec_wrap wrap;
};

/* [signals] NAME = forward:GROUP, until the groups are known. */
struct signal_target {
    const char *group;
    uint32_t line;
};

/* The value of the current key, as the file has it; then, for take(), without its quotes. Ends with NUL, has none. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool quoted; /* "" is a value, nothing is none */
};

struct parser {
    const struct config_input *input;
    struct arena keep;    /* goes to the caller */
    struct arena scratch; /* freed at the end of config_parse() */
    struct spec spec;

    struct config_fault *faults;
    uint32_t faults_count;
    uint32_t faults_capacity;
    uint32_t errors;
    uint32_t hidden; /* faults beyond FAULTS_MAX */
    bool hidden_errors;

    struct names names;
    struct section section;
    uint32_t scopes_count;
    uint32_t section_lines[SECTION_KINDS]; /* the first of each kind, 0: none */
    struct draft *groups;                  /* in file order */
    struct draft **groups_end;
    uint32_t groups_count; /* also of those beyond GROUPS_MAX */
    struct draft *wraps;
    struct draft **wraps_end;
    struct draft discarded;  /* sections that are faulty by themselves: their keys are checked all the same */
    uint32_t seen[KEYS_MAX]; /* of sections without a draft: [supervisor], [primary] */
    uint32_t discarded_seen[KEYS_MAX];
    uint32_t signal_lines[SIGNALS_END];
    struct signal_target signal_targets[SIGNALS_END];

    uint32_t line;         /* the current one */
    const struct key *key; /* NULL: it isn't one of ours */
    void *key_base;        /* what its field is in; NULL: it finds its place by itself */
    const char *key_name;  /* in the file's bytes */
    size_t key_length;
    int signal; /* in [signals]: the key's number */
    struct text text;

    char excerpts[EXCERPTS][EXCERPT_BYTES];
    uint32_t excerpts_next;
};

static inline bool parser_failed(const struct parser *parser) {
    return parser->keep.failed || parser->scratch.failed;
}

/* --- config_faults.c -- */

/* Whether faults are still kept: where not, nobody needs to look for near names. */
bool faults_wanted(const struct parser *parser);

void fault_add(struct parser *parser, uint32_t line, enum fault_severity severity, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* An error on the current line: "[SECTION] KEY: …" */
void key_error(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sorts by line, says how many were not kept. */
void faults_finish(struct parser *parser);

/* A text made printable and bounded, for one fault: control bytes and broken UTF-8 as \xNN; quote puts "" round it. */
const char *excerpt(struct parser *parser, const char *text, size_t length, bool quote);
/* The current value, quoted. */
const char *value_excerpt(struct parser *parser);

/* The best of some names that a word could have meant. Start with {.word = …}, try each, take .name (NULL: none). */
struct nearest {
    const char *word;
    size_t length;
    const char *name;
    unsigned distance;
};
void nearest_try(struct nearest *nearest, const char *name);

/* --- config_reader.c -- */

/* Reads the whole input; calls the functions of config.c and config_keys.c below. */
void config_read(struct parser *parser);

/* --- config.c -- */

/* A header, without its brackets. Ends the section before. */
void section_begin(struct parser *parser, const char *text, size_t length);
/* A header that can't be read: as an unknown one, of which the fault is said already. */
void section_skip(struct parser *parser);
/* What is missing in the section that ends here. */
void section_end(struct parser *parser);
/* "worker" */
const char *section_kind_name(enum section_kind kind);

/* --- config_keys.c -- */

/* Finds the key of the current line and sets parser->key, or adds a fault and returns false. */
bool key_begin(struct parser *parser, const char *name, size_t length);
/* Takes its value: parser->text as the file has it. */
void key_value(struct parser *parser);
/* The line of a key of a section, 0: it isn't there. */
uint32_t key_line(enum section_kind kind, const uint32_t *seen, const char *name);

/* --- config_take.c -- */

void take_duration(struct parser *parser, const struct key *key, void *field);
void take_boolean(struct parser *parser, const struct key *key, void *field);
void take_choice(struct parser *parser, const struct key *key, void *field); /* an enum */
void take_switch(struct parser *parser, const struct key *key, void *field); /* a bool with words of its own */
void take_text(struct parser *parser, const struct key *key, void *field);
void take_env_file(struct parser *parser, const struct key *key, void *field); /* of a struct spec_environment */
void take_command(struct parser *parser, const struct key *key, void *field);
void take_number(struct parser *parser, const struct key *key, void *field); /* uint32_t */
void take_count(struct parser *parser, const struct key *key, void *field);
void take_restart_delay(struct parser *parser, const struct key *key, void *field);
void take_restart_limit(struct parser *parser, const struct key *key, void *field);
void take_lifetime(struct parser *parser, const struct key *key, void *field);
void take_umask(struct parser *parser, const struct key *key, void *field);
void take_nice(struct parser *parser, const struct key *key, void *field);
void take_oom_score_adj(struct parser *parser, const struct key *key, void *field);
void take_limit(struct parser *parser, const struct key *key, void *field);
void take_json(struct parser *parser, const struct key *key, void *field);
void take_control(struct parser *parser, const struct key *key, void *field);
void take_shim_root(struct parser *parser, const struct key *key, void *field);

/* Splits parser->text from `from` on into words. Says what is wrong and returns false, or fills *ret. */
bool command_split(struct parser *parser, const char *from, struct spec_command *ret);

/* --- config_names.c -- */

void take_variable(struct parser *parser, const struct key *key, void *field);
void take_signal(struct parser *parser, const struct key *key, void *field);
void take_signal_policy(struct parser *parser, const struct key *key, void *field);
void take_success(struct parser *parser, const struct key *key, void *field);
void take_after(struct parser *parser, const struct key *key, void *field);
void take_wrap_workers(struct parser *parser, const struct key *key, void *field);
void take_programs(struct parser *parser, const struct key *key, void *field);
void take_user(struct parser *parser, const struct key *key, void *field);
void take_users(struct parser *parser, const struct key *key, void *field);

/* Whether this can be the name or number of a user or group; false: an error says why it can't. */
bool user_check(struct parser *parser, const char *item);
/* Reads the comma separated list of the current value into *ret; each item was passed to check(), which says what is
 * wrong with it. Empty and repeated items are faults. Returns false, with *ret untouched, where there was one. */
bool list_take(struct parser *parser, struct arena *arena, bool (*check)(struct parser *, const char *item),
               struct spec_text_list *ret);
/* The error that this name is not a signal's; value is the excerpt of what it stands in, NULL where it is the key. */
void signal_unknown(struct parser *parser, const char *value, const char *name, size_t length);

/* --- config_endpoints.c -- */

void take_ready(struct parser *parser, const struct key *key, void *field); /* of a struct spec_group */
void take_check(struct parser *parser, const struct key *key, void *field);
/* HOST:PORT, an IPv6 address in brackets. whole is what a fault shows. False, with an error, where it is none. */
bool address_check(struct parser *parser, const char *text, const char *whole, uint64_t least_port);
/* An absolute path; one of a socket is short. As above. */
bool path_check(struct parser *parser, const char *path, bool socket, const char *whole);

/* --- config_listen.c -- */

void take_listen(struct parser *parser, const struct key *key, void *field); /* of a struct spec_group */
/* What of a group's sockets doesn't go with its other keys. */
void listen_check(struct parser *parser, const struct draft *draft);

/* --- config_values.c -- */

/* Decimal digits alone, at most `most`. */
bool number_parse(const char *text, uint64_t most, uint64_t *ret);
/* As number_parse(), with a minus before it or not. */
bool integer_parse(const char *text, int64_t least, int64_t most, int64_t *ret);
bool duration_parse(const char *text, msec_t *ret, const char **ret_why);
/* [A-Za-z0-9][A-Za-z0-9._-]{0,31} */
bool name_valid(const char *text, size_t length);
/* [A-Za-z_][A-Za-z0-9_]* */
bool variable_valid(const char *text, size_t length);

/* Takes the quotes of a text away, in place. Returns NULL, or what is wrong. */
const char *text_unquote(struct text *text);
/* Where the value that begins at text (behind the =, blanks and all) ends: before the comment, and trailing blanks. */
size_t value_end(enum quoting quoting, const char *text, size_t length);

/* --- config_json.c -- */

/* NULL: it is one JSON value. Else what is wrong, and the byte where. */
const char *json_check(const char *text, size_t length, size_t *ret_at);

/* --- config_check.c -- */

/* The whole file is read: everything that one section can't know. Fills the spec's groups and wraps. */
void config_check(struct parser *parser);
/* The index of a group of this name, or -1 with an error on that line, where being "[SECTION] KEY". A group beyond the
 * limit has none, which is said already. */
int32_t group_index(struct parser *parser, uint32_t line, const char *where, const char *name);

/* --- config_wraps.c -- */

/* The part of config_check() that is about wraps; the groups are known. */
void wraps_check(struct parser *parser);

#endif
