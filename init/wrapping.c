/* See wrapping.h. */
#include "init/wrapping.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/log.h"

#define VARIABLE_SHIM_ROOT "SPAWN_WRAP_SHIM_ROOT"

static void say(bool warning, const char *text) {
    log_record(warning ? LOG_WARNING : LOG_INFO, "container", NULL, "%s", text);
}

/* The sections as wrap/ has them, with absolute paths of wrappers; everything in one allocation but those paths. */
struct translation {
    struct wrap_input input;
    struct wrap_section *sections;
    char **wrappers; /* made absolute; NULL: was so */
    bool *shares_ports;
};

static void translation_free(struct translation *translation) {
    for (uint32_t i = 0; translation->wrappers && i < translation->input.sections_count; i++)
        free(translation->wrappers[i]);
    free(translation->wrappers);
    free(translation->shares_ports);
    free(translation->sections);
}

/* A relative path is relative to brood's working directory, and a worker has another one. Returns NULL where there is
 * no memory or no such directory. */
static char *absolute(const char *path) {
    char directory[PATH_MAX], *text = NULL;
    if (!getcwd(directory, sizeof directory) ||
        asprintf(&text, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path) < 0)
        return NULL;
    return text;
}

static bool shares_ports(const struct spec_group *group) {
    return group->type == TYPE_CLUSTER && group->listen.count == 0;
}

bool wrapping_needed(const struct spec *spec) {
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (shares_ports(&spec->groups[i]))
            return true;
    return spec->wraps_count > 0;
}

/* In any case the result is for translation_free(). Returns 0 or -ENOMEM. */
static int translate(const struct spec *spec, const char *search, struct translation *ret) {
    size_t count = (size_t)spec->wraps_count + 1; /* calloc(0) may return NULL */
    ret->sections = calloc(count, sizeof *ret->sections);
    ret->wrappers = calloc(count, sizeof *ret->wrappers);
    ret->shares_ports = calloc((size_t)spec->groups_count + 1, sizeof *ret->shares_ports);
    ret->input = (struct wrap_input){.sections = ret->sections,
                                     .sections_count = spec->wraps_count,
                                     .groups_count = spec->groups_count,
                                     .shares_ports = ret->shares_ports,
                                     .search = search,
                                     .shim_root = spec->wraps_count > 0 ? spec->wraps[0].shim_root : NULL,
                                     .say = say};
    if (!ret->sections || !ret->wrappers || !ret->shares_ports)
        return -ENOMEM;
    for (uint32_t i = 0; i < spec->groups_count; i++)
        ret->shares_ports[i] = shares_ports(&spec->groups[i]);
    int r = 0;
    for (uint32_t i = 0; i < spec->wraps_count && r == 0; i++) {
        const struct spec_wrap *wrap = &spec->wraps[i];
        const char *wrapper = wrap->wrapper ? wrap->wrapper : "/"; /* missing: a fault by itself */
        if (wrapper[0] != '/' && !(ret->wrappers[i] = absolute(wrapper)))
            r = -ENOMEM;
        ret->sections[i] = (struct wrap_section){.name = wrap->name,
                                                 .programs = wrap->programs.items,
                                                 .programs_count = wrap->programs.count,
                                                 .wrapper = ret->wrappers[i] ? ret->wrappers[i] : wrapper,
                                                 .data = wrap->data,
                                                 .same_process = wrap->same_process,
                                                 .by_file = wrap->reach != REACH_PATH,
                                                 .strict = wrap->reach == REACH_STRICT,
                                                 .groups = wrap->groups,
                                                 .groups_count = wrap->groups_count};
    }
    return r;
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

struct faults {
    const struct spec *spec;
    void (*fault)(void *context, uint32_t line, const char *text);
    void *context;
};

/* Of the key that the text begins with. */
static uint32_t line_of(const struct spec_wrap *wrap, const char *text) {
    const struct {
        const char *key;
        uint32_t line;
    } keys[] = {{"wrapper:", wrap->wrapper_line}, {"data:", wrap->data_line}, {"reach:", wrap->reach_line}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strncmp(text, keys[i].key, strlen(keys[i].key)) == 0)
            return keys[i].line;
    return wrap->line;
}

static void pass_on(void *context, uint32_t section, const char *text) {
    const struct faults *faults = context;
    const struct spec_wrap *wrap = &faults->spec->wraps[section];
    char line[3 * PATH_MAX];
    if (!wrap->wrapper)
        return;
    snprintf(line, sizeof line, "[wrap:%s] %s", wrap->name, text);
    faults->fault(faults->context, line_of(wrap, text), line);
}

int wrapping_check(const struct spec *spec, const char *search,
                   void (*fault)(void *context, uint32_t line, const char *text), void *context) {
    struct translation translation;
    struct faults faults = {.spec = spec, .fault = fault, .context = context};
    if (spec->wraps_count == 0)
        return 0;
    int r = translate(spec, search, &translation);
    if (r == 0)
        r = wrap_check(&translation.input, pass_on, &faults);
    translation_free(&translation);
    return r;
}

/* --- shims -------------------------------------------------------------------------------------------------------- */

/* The variables count as the processes of the container see them, by [env] too. */
static int translate_environment(const struct spec *spec, const struct environment *environment,
                                 struct translation *ret) {
    const char *debug = environment_get(environment, ENVIRONMENT_CONTAINER, VARIABLE_DEBUG);
    const char *root = environment_get(environment, ENVIRONMENT_CONTAINER, VARIABLE_SHIM_ROOT);
    int r = translate(spec, environment_get(environment, ENVIRONMENT_CONTAINER, "PATH"), ret);
    ret->input.keep = debug && strcmp(debug, "1") == 0;
    ret->input.environment_root = root && root[0] != '\0' ? root : NULL;
    return r;
}

static int enter(const struct spec *spec, const struct wrap *wrap, struct environment *environment) {
    const char *names, *library;
    int r = 0;
    for (uint32_t i = 0; i <= spec->groups_count && r == 0; i++)
        if (wrap_environment(wrap, i, &names, &library))
            r = environment_wrap(environment, i == spec->groups_count ? ENVIRONMENT_PRIMARY : (int32_t)i, names,
                                 library);
    return r;
}

int wrapping_open(const struct spec *spec, struct environment *environment, struct wrap **ret, char *error,
                  size_t size) {
    struct translation translation;
    struct wrap *wrap = NULL;
    if (!wrapping_needed(spec)) {
        if (getpid() == 1) /* nobody else may have replaced a program */
            wrap_repair(say);
        *ret = NULL;
        return 0;
    }
    int r = translate_environment(spec, environment, &translation);
    if (r < 0)
        snprintf(error, size, "no memory for the shims");
    else
        r = wrap_open(&translation.input, &wrap, error, size);
    translation_free(&translation);
    if (r < 0)
        return r;
    r = enter(spec, wrap, environment);
    if (r < 0) {
        snprintf(error, size, "cannot put the shims into the environment: %s", strerror(-r));
        wrap_close(wrap);
        return r;
    }
    *ret = wrap;
    return 0;
}

int wrapping_write(const struct spec *spec, const struct environment *environment, const char *directory, char *error,
                   size_t size) {
    struct translation translation = {.sections = NULL};
    char *path = directory[0] == '/' ? strdup(directory) : absolute(directory);
    int r = path ? translate_environment(spec, environment, &translation) : -ENOMEM;
    if (r < 0)
        snprintf(error, size, "no memory for the shims");
    else
        r = wrap_write(&translation.input, path, error, size);
    translation_free(&translation);
    free(path);
    return r;
}
