/* A file is opened once even where all groups name it: it may be a pipe, and 500 groups shall not read 500 MiB. What
 * it holds is kept with the config, whose life the environments share; the first pass over the bytes counts and finds
 * faults, the second one, over the copy that stays, fills. */
#include "init/env_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "init/env_lines.h"
#include "init/fd.h"
#include "init/whole.h"

/* A section that names a file. */
struct user {
    const char *section; /* the group's name; NULL: primary */
    struct spec_environment *environment;
};

struct reading {
    struct config *config;
    struct env_faults faults;
    bool failed; /* no memory */
};

/* --- faults ------------------------------------------------------------------------------------------------------- */

static void fault(struct reading *reading, const struct spec_environment *environment, uint32_t line,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static void fault(struct reading *reading, const struct spec_environment *environment, uint32_t line,
                  const char *format, ...) {
    struct env_faults *faults = &reading->faults;
    if (faults->count == FAULTS_MAX || reading->failed)
        return;
    if (!faults->items)
        faults->items = calloc(FAULTS_MAX, sizeof *faults->items);
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (!faults->items || vasprintf(&text, format, arguments) < 0)
        reading->failed = true;
    va_end(arguments);
    if (!reading->failed)
        faults->items[faults->count++] = (struct env_fault){
            .config_line = environment->file_line, .line = line, .file = environment->file, .text = text};
}

void env_faults_free(struct env_faults *faults) {
    for (uint32_t i = 0; i < faults->count; i++)
        free(faults->items[i].text);
    free(faults->items);
    *faults = (struct env_faults){.items = NULL};
}

/* --- one file ----------------------------------------------------------------------------------------------------- */

static int open_and_read(const char *path, char **ret_bytes, size_t *ret_length) {
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : whole_read(fd, ENV_FILE_BYTES_MAX, ret_bytes, ret_length);
}

/* How many variables there are; faults are said. The bytes are used up. */
static uint32_t examine(struct reading *reading, const struct spec_environment *environment, struct env_lines lines) {
    char *name, *value;
    const char *why;
    for (uint32_t count = 0;;) {
        switch (env_lines_next(&lines, &name, &value, &why)) {
        case ENV_LINE_END:
            return count;
        case ENV_LINE_VARIABLE:
            count++;
            break;
        case ENV_LINE_FAULT:
            fault(reading, environment, lines.line, "%s", why);
            break;
        }
    }
}

/* variables has room for all. */
static uint32_t fill(struct spec_variable *variables, struct env_lines lines) {
    char *name, *value;
    const char *why;
    uint32_t count = 0;
    for (;;) {
        switch (env_lines_next(&lines, &name, &value, &why)) {
        case ENV_LINE_END:
            return count;
        case ENV_LINE_VARIABLE:
            variables[count++] = (struct spec_variable){.name = name, .value = value, .line = lines.line};
            break;
        case ENV_LINE_FAULT:
            break;
        }
    }
}

static void take_bytes(struct reading *reading, struct spec_environment *environment, char *bytes, size_t length) {
    char *copy = config_keep(reading->config, length + 1);
    if (!copy) {
        reading->failed = true;
        return;
    }
    memcpy(copy, bytes, length);
    uint32_t count = examine(reading, environment, (struct env_lines){.next = bytes, .end = bytes + length});
    if (count == 0)
        return;
    struct spec_variable *variables = config_keep(reading->config, count * sizeof *variables);
    if (!variables) {
        reading->failed = true;
        return;
    }
    environment->file_count = fill(variables, (struct env_lines){.next = copy, .end = copy + length});
    environment->file_variables = variables;
}

/* Returns 0, or why the file can't be read, as -errno. */
static int read_file(struct reading *reading, struct spec_environment *environment) {
    char *bytes = NULL;
    size_t length = 0;
    int r = open_and_read(environment->file, &bytes, &length);
    if (r == -ENOMEM)
        reading->failed = true;
    if (r < 0)
        return r;
    assert(bytes);
    take_bytes(reading, environment, bytes, length);
    explicit_bzero(bytes, length); /* secrets: only the environments that are made of them keep them */
    free(bytes);
    return 0;
}

static void say_unreadable(struct reading *reading, const struct user *user, int error) {
    const struct spec_environment *environment = user->environment;
    char section[NAME_MAX_BYTES + sizeof "worker:"] = "primary";
    if (user->section)
        snprintf(section, sizeof section, "worker:%s", user->section);
    if (error == -EFBIG)
        fault(reading, environment, 0,
              "[%s] env_file: %s is larger than 1 MiB; surely it is not the file that was meant", section,
              environment->file);
    else
        fault(reading, environment, 0,
              "[%s] env_file: cannot read %s: %s; write the path of a file that brood can read, or remove the line",
              section, environment->file, strerror(-error));
}

_Static_assert(ENV_FILE_BYTES_MAX == 1u << 20, "a text says so");

/* --- all files ---------------------------------------------------------------------------------------------------- */

static int by_path_and_line(const void *a, const void *b) {
    const struct spec_environment *left = ((const struct user *)a)->environment;
    const struct spec_environment *right = ((const struct user *)b)->environment;
    int order = strcmp(left->file, right->file);
    return order ? order : (left->file_line > right->file_line) - (left->file_line < right->file_line);
}

static int by_line(const void *a, const void *b) {
    const struct env_fault *left = a, *right = b;
    if (left->config_line != right->config_line)
        return left->config_line > right->config_line ? 1 : -1;
    return (left->line > right->line) - (left->line < right->line);
}

static uint32_t collect(struct spec *spec, struct user *users) {
    uint32_t count = 0;
    if (spec->primary.identity.environment.file)
        users[count++] = (struct user){NULL, &spec->primary.identity.environment};
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (spec->groups[i].identity.environment.file)
            users[count++] = (struct user){spec->groups[i].name, &spec->groups[i].identity.environment};
    return count;
}

static void read_all(struct reading *reading, const struct user *users, uint32_t count) {
    int error = 0;
    for (uint32_t i = 0; i < count && !reading->failed; i++) {
        struct spec_environment *environment = users[i].environment, *former = i > 0 ? users[i - 1].environment : NULL;
        if (former && strcmp(former->file, environment->file) == 0) {
            environment->file_variables = former->file_variables;
            environment->file_count = former->file_count;
        } else {
            error = read_file(reading, environment);
        }
        if (error < 0 && !reading->failed)
            say_unreadable(reading, &users[i], error);
    }
}

int env_files_read(struct config *config, struct env_faults *ret) {
    struct reading reading = {.config = config};
    struct user *users = calloc(config->spec.groups_count + 1, sizeof *users);
    if (!users)
        return -ENOMEM;
    uint32_t count = collect(&config->spec, users);
    qsort(users, count, sizeof *users, by_path_and_line);
    read_all(&reading, users, count);
    free(users);
    if (reading.failed) {
        env_faults_free(&reading.faults);
        return -ENOMEM;
    }
    if (reading.faults.count > 0)
        qsort(reading.faults.items, reading.faults.count, sizeof *reading.faults.items, by_line);
    *ret = reading.faults;
    return 0;
}
