/* The command line and the environment variables that stand for parts of it. Nothing is done here: options in, a struct
 * or an error out. */
#ifndef INIT_OPTIONS_H
#define INIT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/manners.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"

enum options_mode { MODE_RUN, MODE_CHECK, MODE_WRITE_SHIMS, MODE_HELP, MODE_VERSION };
enum subreaper { SUBREAPER_DEFAULT, SUBREAPER_ON, SUBREAPER_OFF };

/* Another exit status in place of one. All zero: each stays what it is. */
#define REMAP_CODES 256
struct remap {
    bool set[REMAP_CODES];
    uint8_t to[REMAP_CODES];
    bool own_too; /* also where the status is brood's own 126 or 127 */
};

struct options {
    enum options_mode mode;
    const char *config;  /* NULL: none; "-": standard input */
    bool config_implied; /* neither -c nor COMMAND was given: $BROOD_CONFIG or /etc/brood.ini */
    char **command;      /* ends with NULL; NULL: none; points into argv */
    const char *shims;   /* MODE_WRITE_SHIMS: where to */
    msec_t grace;        /* MSEC_NEVER: not given */
    bool sandbox;
    bool mirror;        /* die of the signal that COMMAND died of */
    int ended_to;       /* the inner brood of --sandbox: a descriptor that takes that signal, one byte; 0: none */
    bool lent_admin;    /* … its CAP_SYS_ADMIN is the outer one's loan, see struct sandbox */
    struct remap remap; /* of $BROOD_REMAP, then of --remap */
    enum subreaper subreaper;
    int verbosity;  /* -v counts up, -q down */
    int log_format; /* enum log_format, -1: not given */
    struct manners manners;
};

/* Reads argv and the environment. Returns 0, or -EINVAL with one line of text in error, which names the option and the
 * remedy, and ret untouched. */
int options_parse(int argc, char **argv, struct options *ret, char *error, size_t size);

/* The words that start the inner brood of --sandbox: the same options without it, as given (an implied config by its
 * name). The outer one mirrors, as it isn't PID 1, and the inner one remaps, as it knows whose a status is. Everything
 * that options points to must outlive *ret, an array that ends with NULL and is the caller's to free(). Returns 0, or
 * -ENOMEM. */
int options_inner(const struct options *options, char ***ret);

/* Digits, as a whole, that are a number of at most most; -1: they aren't. strtol() takes blanks and signs too. */
int options_number(const char *text, size_t length, int most);

/* The exit status to use in place of this one. It is looked up once: 1:2 and 2:3 don't make 1 a 3. */
int options_remap(const struct remap *remap, int status);

/* The level that the log has before a config is read, and after it where the config says `level`. */
enum log_level options_level(const struct options *options, enum log_level level);

extern const char options_help[];    /* what --help prints */
extern const char options_version[]; /* "brood VERSION\n" */

#endif
