/* What to run: the plain, validated description that config.c makes of an INI file and a command line.
 *
 * Nothing is parsed or checked behind this header: every index is in range, every string ends with NUL, every
 * command has at least one word. It never changes after config_parse(); all pointers belong to the struct config
 * that made it and live as long as that. Absent texts are NULL, absent commands have argc 0. */
#ifndef SUPERVISOR_SPEC_H
#define SUPERVISOR_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/limits.h"
#include "supervisor/msec.h"

struct spec_command {
    char **argv; /* ends with NULL */
    uint32_t argc;
    uint32_t line; /* of the config file; 0: from the command line */
};

struct spec_text_list {
    char **items;
    uint32_t count;
};

/* NAME = VALUE of [env] or env.NAME, not expanded yet. value NULL: unset NAME. */
struct spec_variable {
    char *name;
    char *value;
    uint32_t line;
};

struct spec_environment {
    struct spec_variable *variables;
    uint32_t count;
    char *file; /* env_file */
    uint32_t file_line;
    /* What stands in that file, its values whole and literal; a parser can't open it, init/env_files.c adds this. */
    struct spec_variable *file_variables;
    uint32_t file_count;
};

enum worker_type { TYPE_CHILD_PROCESS, TYPE_CLUSTER };
enum ready_kind { READY_NONE, READY_NOTIFY, READY_FD, READY_TCP, READY_UNIX, READY_FILE, READY_EXEC };
enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };
enum stop_target { STOP_TO_GROUP, STOP_TO_LEADER };
enum worker_stdin { STDIN_NULL, STDIN_INHERIT };
enum worker_output { OUTPUT_INHERIT, OUTPUT_PREFIX, OUTPUT_JSON, OUTPUT_NULL };
enum check_kind { CHECK_NONE, CHECK_EXEC, CHECK_TCP };

enum listen_kind { LISTEN_TCP, LISTEN_UDP, LISTEN_UNIX };

/* A socket of `listen`, which its group's workers share. */
struct spec_listen {
    enum listen_kind kind;
    char *address;    /* HOST:PORT, * and port 0 too; of LISTEN_UNIX a path */
    char *name;       /* in LISTEN_FDNAMES; NULL: the group's */
    char *user;       /* LISTEN_UNIX: a name or a number, the file's owner; NULL: as brood makes it */
    char *group;      /* likewise */
    uint32_t mode;    /* LISTEN_UNIX: of the file */
    uint32_t backlog; /* 0: as long as the system allows */
    bool reuseport;
    bool ipv6only; /* of an address in brackets */
};

/* Which endings are a success: bit n of codes[n / 64] and of signals. */
struct spec_success {
    uint64_t codes[4];
    uint64_t signals;
};

/* limit_NAME: the resource's lower-case name without RLIM ("nofile"); UINT64_MAX is unlimited. */
struct spec_limit {
    const char *name;
    uint64_t soft;
    uint64_t hard;
};

/* Whom user, group and groups mean. A parser can't open /etc/passwd, init/accounts.c adds this. */
struct spec_account {
    char *name; /* NULL: no user is given, and uid is brood's own */
    char *home;
    char *shell;
    uint32_t uid;
    uint32_t gid; /* ID_OWN: brood's own */
    uint32_t *groups;
    uint32_t groups_count; /* of groups, the supplementary ones: with a name all, else those besides brood's own */
};

#define ID_OWN UINT32_MAX /* which to the kernel means "no change", so that no user and no group has it */

/* Who a process runs as and what it may do; [primary] and [worker:…] alike. */
struct spec_identity {
    char *user; /* a name or a number */
    char *group;
    struct spec_text_list groups;
    char *working_directory;
    char *capabilities; /* libcap's IAB text */
    struct spec_limit *limits;
    uint32_t limits_count;
    int32_t umask; /* -1: brood's own */
    int32_t nice;
    int32_t oom_score_adj;
    bool has_nice;
    bool has_oom_score_adj;
    bool no_new_privileges;
    uint32_t user_line; /* where they stand; 0: nowhere */
    uint32_t group_line;
    uint32_t groups_line;
    uint32_t capabilities_line;
    struct spec_account account;
    struct spec_environment environment;
};

struct spec_group {
    char name[NAME_MAX_BYTES + 1];
    uint32_t line;
    uint32_t count;        /* of workers, 1 or more */
    uint32_t first_worker; /* WORKER_ID of its worker 0 */
    struct spec_command start;
    struct spec_command stop; /* argc 0: none */
    enum worker_type type;
    struct spec_text_list listen; /* as written */
    struct spec_listen *sockets;  /* what each item of it means */
    uint32_t listen_line;         /* where they stand; 0: nowhere */
    uint32_t ready_line;

    enum ready_kind ready;
    int ready_fd;                      /* READY_FD: 3 or more */
    char *ready_text;                  /* tcp: HOST:PORT, unix and file: PATH */
    struct spec_command ready_command; /* exec */
    msec_t startup_timeout;            /* MSEC_NEVER: no limit */
    bool kill_after_completed;

    msec_t grace;    /* MSEC_NEVER: the container's alone */
    int stop_signal; /* 0: the one brood received, else TERM */
    enum stop_target stop_to;

    enum restart_policy restart;
    msec_t delay_first;
    msec_t delay_last;
    msec_t stable_after;
    uint32_t limit_failures; /* 0: no limit; at most RESTART_LIMIT_MAX */
    msec_t limit_window;
    struct spec_success success;
    bool shutdown_on_failure;
    bool shutdown_on_success;

    uint16_t *after; /* groups that must be ready before this one starts */
    uint32_t after_count;
    uint16_t *before; /* the reverse: groups that name this one in their `after` */
    uint32_t before_count;

    enum check_kind check; /* health, not readiness */
    struct spec_command check_command;
    char *check_text;
    msec_t check_interval;
    msec_t check_timeout;
    uint32_t check_failures;
    msec_t every;           /* 0: not periodic */
    msec_t lifetime;        /* 0: for ever */
    msec_t lifetime_spread; /* ± */
    msec_t watchdog;        /* 0: none */

    struct spec_identity identity;
    enum worker_stdin stdin_from;
    enum worker_output output;
};

struct spec_primary {
    struct spec_command start;
    struct spec_command stop;
    struct spec_identity identity;
    uint32_t line; /* 0: no [primary] */
};

enum signal_policy { SIGNAL_IGNORE, SIGNAL_STOP, SIGNAL_FORWARD, SIGNAL_RELOAD };

struct spec_signal {
    enum signal_policy policy;
    int number;    /* SIGNAL_FORWARD: what the workers get */
    int32_t group; /* SIGNAL_FORWARD: index of the only group that gets it, -1: every group */
};

enum wrap_reach { REACH_PATH, REACH_PRELOAD, REACH_STRICT };

struct spec_wrap {
    char name[NAME_MAX_BYTES + 1];
    uint32_t line;
    struct spec_text_list programs;
    char *wrapper;
    char *data; /* JSON as written */
    char *shim_root;
    bool same_process;
    enum wrap_reach reach;
    uint16_t *groups;
    uint32_t groups_count; /* 0: every process */
    uint32_t wrapper_line; /* where they stand; 0: nowhere */
    uint32_t data_line;
    uint32_t reach_line;
};

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

struct spec {
    msec_t grace;
    msec_t finish_grace;
    bool kill_on_second_signal;
    enum log_level log_level;
    enum log_format log_format;
    char *control; /* NULL: none */

    int sigrtmin;                            /* the C library's, for names like RTMIN+3 */
    struct spec_signal signals[SIGNALS_END]; /* by signal number; [0], KILL, STOP and CHLD are SIGNAL_IGNORE */
    struct spec_environment environment;     /* [env] */
    struct spec_primary primary;

    struct spec_group *groups;
    uint32_t groups_count;
    uint32_t workers_count;
    int32_t command_group; /* the group `main` of a COMMAND, always the last one; -1: none */
    bool command_only;     /* a COMMAND and no config: tini's manners (see brood(1)) */

    struct spec_wrap *wraps;
    uint32_t wraps_count;
};

/* The group of a worker. The groups lie in the order of their first workers. */
static inline uint32_t spec_group_index(const struct spec *spec, uint32_t worker) {
    uint32_t low = 0, high = spec->groups_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (spec->groups[middle].first_worker <= worker)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static inline const struct spec_group *spec_group_of(const struct spec *spec, uint32_t worker) {
    return &spec->groups[spec_group_index(spec, worker)];
}

/* Of a group by its number, or of the primary: -1. */
static inline const struct spec_identity *spec_identity_of(const struct spec *spec, int32_t group) {
    return group < 0 ? &spec->primary.identity : &spec->groups[group].identity;
}

/* Whether any program's own file becomes a shim. */
static inline bool spec_is_strict(const struct spec *spec) {
    for (uint32_t i = 0; i < spec->wraps_count; i++)
        if (spec->wraps[i].reach == REACH_STRICT)
            return true;
    return false;
}

#endif
