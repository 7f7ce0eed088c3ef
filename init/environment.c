/* brood's environment, filtered once, and a few strings in front of it that are written anew for each process. They
 * live until the next call: brood is a single thread, and fork() copies them. */
#include "init/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/signals.h"

#define OWN_VARIABLES 8 /* WORKER_ID, _TYPE, _NAME, _INDEX, _COUNT, NOTIFY_SOCKET, one about the worker, one to spare */
#define OWN_VARIABLE_BYTES 160 /* a socket's path has at most 108 */

struct environment {
    const struct spec *spec;
    char **base; /* into `array`, behind the own ones */
    char own[OWN_VARIABLES][OWN_VARIABLE_BYTES];
    char *array[];
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

int environment_open(const struct spec *spec, char *const *own, struct environment **ret) {
    size_t count = 0, kept = 0;
    while (own[count])
        count++;
    struct environment *environment = malloc(sizeof *environment + (OWN_VARIABLES + count + 1) * sizeof(char *));
    if (!environment)
        return -ENOMEM;
    environment->spec = spec;
    environment->base = environment->array + OWN_VARIABLES;
    for (size_t i = 0; i < count; i++)
        if (spec->command_only || !is_for_brood(own[i]))
            environment->base[kept++] = own[i];
    environment->base[kept] = NULL;
    *ret = environment;
    return 0;
}

void environment_close(struct environment *environment) {
    free(environment);
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

char **environment_of(struct environment *environment, const struct environment_facts *facts) {
    const struct spec *spec = environment->spec;
    struct own_variables own = {.environment = environment};

    if (facts->slot.kind == SLOT_PRIMARY || spec->command_only)
        return environment->base;
    const struct spec_group *group = &spec->groups[facts->group];
    add_number(&own, "WORKER_ID", facts->slot.index);
    add(&own, "WORKER_TYPE", type_name(group->type));
    add(&own, "WORKER_NAME", group->name);
    add_number(&own, "WORKER_INDEX", facts->slot.index - group->first_worker);
    add_number(&own, "WORKER_COUNT", group->count);
    if (facts->notify_socket)
        add(&own, "NOTIFY_SOCKET", facts->notify_socket);
    if (facts->slot.kind == SLOT_HOOK) {
        if (facts->worker_pid)
            add_number(&own, "WORKER_PID", (uint32_t)facts->worker_pid);
        else
            add_ending(&own, facts->ending, spec->sigrtmin);
    }
    char **first = environment->base - own.count;
    for (uint32_t i = 0; i < own.count; i++)
        first[i] = environment->own[i];
    return first;
}

/* --- in the child --- */

void environment_rename_pid(char **envp, pid_t former, pid_t pid) {
    static const char *const names[] = {"LISTEN_PID", "WATCHDOG_PID"};
    static char renamed[2][32];
    char old[32];

    for (size_t i = 0; i < 2; i++) {
        snprintf(old, sizeof old, "%s=%d", names[i], (int)former);
        snprintf(renamed[i], sizeof renamed[i], "%s=%d", names[i], (int)pid);
        for (char **variable = envp; *variable; variable++)
            if (strcmp(*variable, old) == 0)
                *variable = renamed[i];
    }
}
