/* What the files behind import.h share. Private to them.
 *
 *     import.c           entry point: read, collect, write, and the config's own reader as the last judge
 *     import_reader.c    bytes to sections and keys, by the grammar of Python's configparser
 *     import_expand.c    %(NAME)s in a value; environment lists
 *     import_command.c   words as supervisord splits them, to a command of brood.ini
 *     import_units.c     which [worker:NAME] sections there will be
 *     import_worker.c    one such section
 *     import_rest.c      everything else: [supervisor], [env], and what only gets a comment
 *     import_write.c     lines of the result, each with the line that it is about
 *
 * Arenas, faults and excerpts are those of the config's reader, hence a struct parser that nothing is parsed with. */
#ifndef SUPERVISOR_IMPORT_INTERNAL_H
#define SUPERVISOR_IMPORT_INTERNAL_H

#include "supervisor/config_internal.h"
#include "supervisor/import.h"

#define IMPORT_SECTIONS_MAX 1000 /* found by comparing: more are surely not meant */
#define IMPORT_KEYS_MAX 1000     /* of one section, for the same reason */

#define GRACE_USUAL_S 10 /* [supervisor] grace, and stopwaitsecs */

/* Around the NAME of an %(ENV_NAME)s that only the container can know, in an expanded value. Free to be used, since
 * control bytes in a value are faults. */
#define REFERENCE_BEGIN '\x01'
#define REFERENCE_END '\x02'

struct buffer {
    char *bytes;
    size_t length;
    size_t capacity;
};

struct import_key {
    struct import_key *next;
    const char *name; /* in lower case, as configparser has it */
    char *value;      /* its lines with \n in between, without comments */
    uint32_t line;
    bool used;
};

struct import_section {
    struct import_section *next;
    char *name; /* "program:web" */
    uint32_t line;
    uint32_t keys_count;
    struct import_key *keys; /* in file order */
    struct import_key **keys_end;
};

/* A [worker:NAME] to be: a [program:x], or one process of it where its number shows in more than its name. Also stands
 * for [supervisord], whose values are expanded too: then it has a section alone. */
struct unit {
    struct import_section *section;
    const char *program; /* what supervisord calls it, and its group */
    const char *group;
    char name[NAME_MAX_BYTES + 1];
    bool fcgi;
    bool first; /* of its program: keys are remarked on once */
    bool off;   /* supervisord doesn't start it by itself: it is written as a comment */
    bool index; /* %(process_num)d is $WORKER_INDEX, for the shell that the command has anyway */
    uint32_t count;
    int64_t number; /* %(process_num)d, and numprocs */
    int64_t numprocs;
    int64_t priority;
    int64_t grace; /* stopwaitsecs, -1: not given */
};

struct importer {
    const struct import_input *input;
    struct parser parser; /* arenas, faults, excerpts */
    struct import_section *sections;
    struct import_section **sections_end;
    uint32_t sections_count;
    struct unit *units; /* GROUPS_MAX of them */
    uint32_t units_count;
    bool crowded;        /* more would be needed, which is said */
    struct buffer text;  /* the result */
    struct buffer lines; /* uint32_t for each of its lines: what it is about, 0: nothing */
    bool off;            /* lines are written as comments */
    int64_t grace;       /* of the container, in seconds: the longest stopwaitsecs, GRACE_USUAL_S at the least */
};

static inline bool importer_failed(const struct importer *importer) {
    return parser_failed(&importer->parser);
}

#define import_fault(importer, line, ...) fault_add(&(importer)->parser, line, FAULT_ERROR, __VA_ARGS__)

/* --- import_write.c -- */

void buffer_add(struct importer *importer, struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct importer *importer, struct buffer *buffer, const char *text);

/* A line of the result, put together from texts, the last of which is NULL. */
void write_line(struct importer *importer, uint32_t about, ...);
/* An empty line, unless there is nothing yet or one already. */
void write_gap(struct importer *importer);
/* KEY = VALUE, the value quoted where a text of brood.ini has to be. An empty one is written as "". */
void write_value(struct importer *importer, uint32_t about, const char *prefix, const char *name, const char *value);
/* ; line N: KEY=VALUE: why. The value is cut where it is long. */
void write_remark(struct importer *importer, const struct import_key *key, const char *why);
/* A text on one line, printable, for write_line(); lives as long as the import. */
const char *printable_text(struct importer *importer, const char *text);

/* --- import_reader.c -- */

void import_read(struct importer *importer);
/* NULL: there is none. [DEFAULT] is looked at too. Marks it as used. */
struct import_key *key_find(struct importer *importer, struct import_section *section, const char *name);
struct import_section *section_find(const struct importer *importer, const char *name);
/* Behind the prefix: "web" of "program:web" for "program:"; NULL where it has another one. */
const char *section_behind(const struct import_section *section, const char *prefix);

/* --- import_expand.c -- */

/* The value with %(…)s expanded, in memory of its own, or NULL, with a fault. */
char *expand(struct importer *importer, const struct unit *unit, const struct import_key *key);
bool has_reference(const char *value);
/* The value with its references as brood has them: ${X}. */
const char *with_references(struct importer *importer, const char *value);
/* Whether a value has %(NAME) with this name. */
bool mentions(const char *value, const char *name);
/* Whether every %(process_num) in it is a plain number, which $WORKER_INDEX is, too. */
bool numbers_are_plain(const char *value);
/* One NAME=VALUE of an environment. Values have references. */
struct pair {
    const char *name;
    char *value;
};
/* The list of an expanded value, of two of one name the last; or false, with a fault. */
bool environment_read(struct importer *importer, const struct import_key *key, char *value, struct pair **ret,
                      size_t *ret_count);

/* A whole number, a boolean; where there is none, or only the container knows, *ret stays. */
bool take_integer_of(struct importer *importer, const struct unit *unit, const char *name, int64_t least, int64_t most,
                     int64_t *ret);
bool take_flag_of(struct importer *importer, const struct unit *unit, const char *name, bool *ret);
/* Whether a value is this word, which is in lower case: supervisord lowers values first. */
bool same_but_case(const char *value, const char *word);
/* 1: yes, 0: no, -1: neither, as supervisord reads it */
int flag_parse(const char *value);

/* --- import_command.c -- */

/* Writes start = …. socket: the program wants descriptor 3 as its standard input. */
void write_command(struct importer *importer, const struct import_key *key, char *value, bool socket);

/* --- import_units.c -- */

void units_collect(struct importer *importer);

/* --- import_worker.c, import_rest.c -- */

void write_worker(struct importer *importer, const struct unit *unit);
/* Remarks for the keys that somebody has taken, and whose values only the container knows. */
void write_references(struct importer *importer, const struct import_section *section);
/* The pairs of an `environment`, as PREFIXNAME = VALUE. */
void write_environment(struct importer *importer, const struct unit *unit, const char *prefix);
/* What stands above the workers, and below them. */
void write_top(struct importer *importer);
void write_rest(struct importer *importer);
/* Remarks for the keys of a section that nobody has taken. */
struct leftover {
    const char *name;
    const char *why; /* NULL: nothing is lost */
};
void write_leftovers(struct importer *importer, struct import_section *section, const struct leftover *known,
                     size_t count);

#endif
