/* A block for the container (brood's own environment, filtered, and [env]), and one each for the primary and the
 * groups, which borrow the strings of the first. The few variables that are written anew for each process stand in
 * front of a copy of the block's array; they live until the next call: brood is a single thread, and fork() copies
 * them. */
#include "init/environment.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/subject.h"
#include "supervisor/signals.h"
#include "wrap/environ.h"

/* WORKER_ID, _TYPE, _NAME, _INDEX, _COUNT, NOTIFY_SOCKET, two each of WATCHDOG and LISTEN, two to spare */
#define OWN_VARIABLES 12
#define LISTEN_NAMES 1         /* LISTEN_FDNAMES, which is longer, is handed in */
#define OWN_VARIABLE_BYTES 160 /* a socket's path has at most 108 */

struct environment {
    const struct spec *spec;
    char **own_array; /* brood's own environment */
    struct environ_block *container;
    struct environ_block **users; /* the primary, then the groups */
    char own[OWN_VARIABLES][OWN_VARIABLE_BYTES];
    char **array; /* the own ones, those of a block, NULL */
    size_t array_count;
};

static bool begins_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Addressed to brood by whoever started it, and untrue for its workers. */
static bool is_for_brood(const char *variable) {
    static const char *const prefixes[] = {"NOTIFY_SOCKET=", "LISTEN_", "WATCHDOG_", "NODE_CHANNEL_FD=", "WORKER_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (begins_with(variable, prefixes[i]))
            return true;
    return false;
}

/* --- the blocks --- */

struct failure {
    char *text;
    size_t size;
};

/* Notes why a block can't be made: section, and the variable with its line where it is one of a config's. */
static int failed(struct failure failure, int error, const char *section, const struct spec_variable *variable) {
    if (error == -E2BIG && variable)
        snprintf(failure.text, failure.size,
                 "[%s] %.200s on line %u is longer than %d bytes once it is expanded, no program can be given it; "
                 "shorten it",
                 section, variable->name, variable->line, ENVIRON_BYTES_MAX);
    else
        snprintf(failure.text, failure.size, "cannot get memory for the environment: %s", strerror(-error));
    return error;
}

static int edit(struct environ_block *block, const struct spec_variable *variable) {
    char *value;
    if (!variable->value) {
        environ_unset(block, variable->name);
        return 0;
    }
    int r = environ_expand(block, variable->value, &value);
    if (r < 0)
        return r;
    r = environ_set(block, variable->name, value);
    free(value);
    return r;
}

/* env_file, then the variables of the section itself, so that these win. */
static int apply(struct environ_block *block, const struct spec_environment *edits, const char *section,
                 struct failure failure) {
    for (uint32_t i = 0; i < edits->file_count; i++) {
        const struct spec_variable *variable = &edits->file_variables[i];
        int r = environ_set(block, variable->name, variable->value);
        if (r < 0)
            return failed(failure, r, section, variable);
    }
    for (uint32_t i = 0; i < edits->count; i++) {
        int r = edit(block, &edits->variables[i]);
        if (r < 0)
            return failed(failure, r, section, &edits->variables[i]);
    }
    return 0;
}

static int open_container(struct environment *environment, char *const *own, struct failure failure) {
    const struct spec *spec = environment->spec;
    size_t count = 0, kept = 0;
    while (own[count])
        count++;
    char **base = calloc(count + 1, sizeof *base);
    if (!base)
        return failed(failure, -ENOMEM, "env", NULL);
    for (size_t i = 0; i < count; i++)
        if (!is_for_brood(own[i]))
            base[kept++] = own[i];
    int r = environ_open(base, &environment->container);
    free(base);
    return r < 0 ? failed(failure, r, "env", NULL) : apply(environment->container, &spec->environment, "env", failure);
}

/* What login sets, for a section with a `user`: it wins over [env], and what the section itself says over it. */
static int apply_account(struct environ_block *block, const struct spec_account *account) {
    const char *const set[][2] = {
        {"HOME", account->home}, {"USER", account->name}, {"LOGNAME", account->name}, {"SHELL", account->shell}};
    int r = 0;
    for (size_t i = 0; account->name && r == 0 && i < sizeof set / sizeof set[0]; i++)
        r = environ_set(block, set[i][0], set[i][1]);
    return r;
}

static int open_user(struct environment *environment, uint32_t user, struct failure failure) {
    const struct spec *spec = environment->spec;
    int32_t group = (int32_t)user - 1;
    const struct spec_identity *identity = spec_identity_of(spec, group);
    struct subject section;
    subject_section(spec, group, &section);
    int r = environ_open(environ_array(environment->container), &environment->users[user]);
    if (r == 0)
        r = apply_account(environment->users[user], &identity->account);
    return r < 0 ? failed(failure, r, section.text, NULL)
                 : apply(environment->users[user], &identity->environment, section.text, failure);
}

/* Makes the array long enough for every block. */
static int fit_array(struct environment *environment) {
    size_t most = environ_count(environment->container);
    for (uint32_t i = 0; i <= environment->spec->groups_count; i++) {
        size_t count = environ_count(environment->users[i]);
        most = count > most ? count : most;
    }
    if (environment->array && most <= environment->array_count)
        return 0;
    char **array = malloc((OWN_VARIABLES + LISTEN_NAMES + most + 1) * sizeof *array);
    if (!array)
        return -ENOMEM;
    free(environment->array);
    environment->array = array;
    environment->array_count = most;
    return 0;
}

int environment_open(const struct spec *spec, char *const *own, struct environment **ret, char *error, size_t size) {
    struct failure failure = {error, size};
    struct environment *environment = calloc(1, sizeof *environment);
    if (!environment)
        return failed(failure, -ENOMEM, "env", NULL);
    environment->spec = spec;
    environment->own_array = (char **)(uintptr_t)own;
    if (spec->command_only) { /* as it is: there is nothing to edit */
        *ret = environment;
        return 0;
    }
    environment->users = calloc(spec->groups_count + 1, sizeof(struct environ_block *));
    int r = environment->users ? open_container(environment, own, failure) : failed(failure, -ENOMEM, "env", NULL);
    for (uint32_t i = 0; r == 0 && i <= spec->groups_count; i++)
        r = open_user(environment, i, failure);
    if (r == 0 && fit_array(environment) < 0)
        r = failed(failure, -ENOMEM, "env", NULL);
    if (r < 0) {
        environment_close(environment);
        return r;
    }
    *ret = environment;
    return 0;
}

void environment_close(struct environment *environment) {
    if (!environment)
        return;
    for (uint32_t i = 0; environment->users && i <= environment->spec->groups_count; i++)
        environ_close(environment->users[i]);
    environ_close(environment->container);
    free(environment->users);
    free(environment->array);
    free(environment);
}

static struct environ_block *block_of(const struct environment *environment, int32_t user) {
    if (user == ENVIRONMENT_CONTAINER)
        return environment->container;
    assert(user == ENVIRONMENT_PRIMARY || (user >= 0 && (uint32_t)user < environment->spec->groups_count));
    return environment->users[user == ENVIRONMENT_PRIMARY ? 0 : user + 1];
}

const char *environment_get(const struct environment *environment, int32_t user, const char *name) {
    return environ_get(block_of(environment, user), name); /* not for a command alone: nobody asks */
}

int environment_wrap(struct environment *environment, int32_t user, const char *directory, const char *library) {
    assert(user != ENVIRONMENT_CONTAINER); /* the others have borrowed its strings */
    struct environ_block *block = block_of(environment, user);
    int r = directory ? environ_add_search(block, directory) : 0;
    if (r == 0 && library)
        r = environ_add_preload(block, library);
    return r < 0 ? r : fit_array(environment);
}

/* --- the variables of a worker and its hook --- */

struct own_variables {
    struct environment *environment;
    uint32_t count;
};

static void add(struct own_variables *own, const char *name, const char *value) {
    snprintf(own->environment->own[own->count++], OWN_VARIABLE_BYTES, "%s=%s", name, value);
}

static void add_number(struct own_variables *own, const char *name, uint32_t number) {
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    add(own, name, text);
}

static void add_watchdog(struct own_variables *own, msec_t interval) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)interval * 1000);
    add(own, "WATCHDOG_USEC", text);
    add_number(own, "WATCHDOG_PID", (uint32_t)getpid());
}

/* LISTEN_PID is brood's own, for environment_rename_pid(). */
static void add_listen(struct own_variables *own, uint32_t count) {
    add_number(own, "LISTEN_FDS", count);
    add_number(own, "LISTEN_PID", (uint32_t)getpid());
}

static void add_ending(struct own_variables *own, struct ending ending, int sigrtmin) {
    char name[SIGNAL_NAME_BYTES];
    switch (ending.kind) {
    case ENDING_NONE:
        return;
    case ENDING_EXITED:
        add_number(own, "WORKER_EXIT_STATUS", ending.number);
        return;
    case ENDING_KILLED:
        add(own, "WORKER_SIGNAL", signal_name(ending.number, sigrtmin, name));
        return;
    }
}

static const char *type_name(enum worker_type type) {
    switch (type) {
    case TYPE_CHILD_PROCESS:
        return "childProcess";
    case TYPE_CLUSTER:
        return "cluster";
    }
    return "";
}

static bool same_name(const char *variable, const char *other) {
    size_t length = strcspn(other, "=");
    return strncmp(variable, other, length) == 0 && variable[length] == '=';
}

/* The own variables, then those of the block but for theirs: whoever reads the last of two finds brood's, too. */
static char **compose(struct own_variables *own, char *listen_names, struct environ_block *block) {
    struct environment *environment = own->environment;
    char **array = environment->array;
    size_t count = 0;
    for (uint32_t i = 0; i < own->count; i++)
        array[count++] = environment->own[i];
    if (listen_names)
        array[count++] = listen_names;
    for (char **variable = environ_array(block); *variable; variable++) {
        bool replaced = listen_names && same_name(*variable, listen_names);
        for (uint32_t i = 0; i < own->count && !replaced; i++)
            replaced = same_name(*variable, environment->own[i]);
        if (!replaced)
            array[count++] = *variable;
    }
    assert(count <= OWN_VARIABLES + LISTEN_NAMES + environment->array_count);
    array[count] = NULL;
    return array;
}

char **environment_of(struct environment *environment, const struct environment_facts *facts) {
    const struct spec *spec = environment->spec;
    struct own_variables own = {.environment = environment};

    if (spec->command_only)
        return environment->own_array;
    if (facts->slot.kind == SLOT_PRIMARY)
        return environ_array(block_of(environment, ENVIRONMENT_PRIMARY));
    struct environ_block *block = block_of(environment, (int32_t)facts->group);
    const struct spec_group *group = &spec->groups[facts->group];
    add_number(&own, "WORKER_ID", facts->slot.index);
    add(&own, "WORKER_TYPE", type_name(group->type));
    add(&own, "WORKER_NAME", group->name);
    add_number(&own, "WORKER_INDEX", facts->slot.index - group->first_worker);
    add_number(&own, "WORKER_COUNT", group->count);
    if (facts->notify_socket)
        add(&own, "NOTIFY_SOCKET", facts->notify_socket);
    if (facts->notify_socket && group->watchdog > 0)
        add_watchdog(&own, group->watchdog);
    if (facts->listen_names)
        add_listen(&own, group->listen.count);
    if (facts->slot.kind == SLOT_HOOK || facts->slot.kind == SLOT_PROBE) {
        if (facts->worker_pid)
            add_number(&own, "WORKER_PID", (uint32_t)facts->worker_pid);
        else
            add_ending(&own, facts->ending, spec->sigrtmin);
    }
    return compose(&own, facts->listen_names, block);
}

/* --- in the child --- */

void environment_rename_pid(char **envp, pid_t former, pid_t pid) {
    static const char *const names[] = {"LISTEN_PID", "WATCHDOG_PID"};
    static char renamed[2][32];

    for (char **variable = envp; *variable; variable++) {
        for (size_t i = 0; i < 2; i++) {
            size_t length = strlen(names[i]);
            char old[32];
            if (strncmp(*variable, names[i], length) != 0 || (*variable)[length] != '=')
                continue;
            snprintf(old, sizeof old, "%s=%d", names[i], (int)former);
            snprintf(renamed[i], sizeof renamed[i], "%s=%d", names[i], (int)pid);
            if (strcmp(*variable, old) == 0)
                *variable = renamed[i];
        }
    }
}
