/* From sections to a shim directory in steps: sweep up after dead broods, find the programs, choose the place, give
 * strict ones their second names, put together what each set carries, write it, let everybody in, put shims in the
 * place of strict ones. Nothing is in anybody's way until the last two. */
#include "wrap/wrap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/pool.h"
#include "wrap/prebuilt.h"
#include "wrap/programs.h"
#include "wrap/set.h"
#include "wrap/shimdir.h"
#include "wrap/shims.h"
#include "wrap/strict.h"
#include "wrap/template.h"
#include "wrap/text.h"

#define JOURNALS "/run/brood"
#define NO_SET UINT32_MAX

static const char *const DEFAULT_ROOTS[] = {"/run/brood", "/dev/shm", "/tmp"};
#define DEFAULT_ROOTS_COUNT (sizeof DEFAULT_ROOTS / sizeof DEFAULT_ROOTS[0])

struct wrap {
    struct pool pool;
    struct wrap_input input; /* say and keep are what is needed later */
    struct programs programs;
    struct shimdir directory; /* closed where the shims were there before */
    bool made_root;           /* what it lies in wasn't there */
    struct strict *strict;
    struct set *sets;
    size_t sets_count;
    uint32_t *set_of_group; /* NO_SET: none */
};

static void say(const struct wrap *wrap, bool warning, const char *text) {
    wrap->input.say(warning, text);
}

static int no_memory(char *error, size_t size) {
    snprintf(error, size, "no memory for the shims");
    return -ENOMEM;
}

/* --- after dead broods -------------------------------------------------------------------------------------------- */

/* Repairs what a journal of reach = strict names, and says so. As strict_repair(); 0 where there is none. */
static int repair(const struct wrap *wrap, const char *journal) {
    char error[STRICT_ERROR_BYTES] = "", line[STRICT_ERROR_BYTES + 100];
    int r = access(journal, F_OK) == 0 ? strict_repair(journal, error, sizeof error) : 0;
    if (r == STRICT_UNDONE) {
        snprintf(line, sizeof line, "the programs that a former brood replaced are back (%s)", journal);
        say(wrap, false, line);
    }
    if (r < 0 && r != -EWOULDBLOCK)
        say(wrap, true, error);
    return r;
}

/* False: the directory has what a later repair needs. */
static bool undo_dead(void *context, const char *path) {
    char journal[PATH_MAX + sizeof "/journal"];
    snprintf(journal, sizeof journal, "%s/journal", path);
    int r = repair(context, journal);
    if (r == STRICT_UNDONE) { /* the copy has nothing more to say, and would say it again */
        snprintf(journal, sizeof journal, JOURNALS "/journal-%s", path + strlen(path) - CONTEXT_KEY_BYTES);
        unlink(journal);
    }
    return r >= 0;
}

static void repair_journals(const struct wrap *wrap) {
    char path[PATH_MAX];
    DIR *entries = opendir(JOURNALS);
    for (const struct dirent *entry = entries ? readdir(entries) : NULL; entry; entry = readdir(entries)) {
        if (strncmp(entry->d_name, "journal-", strlen("journal-")) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", JOURNALS, entry->d_name);
        repair(wrap, path);
    }
    if (entries)
        closedir(entries);
}

void wrap_repair(void (*record)(bool warning, const char *text)) {
    struct wrap wrap = {.input = {.say = record}};
    shimdir_sweep(JOURNALS, undo_dead, &wrap);
    repair_journals(&wrap);
}

static void sweep(struct wrap *wrap) {
    if (wrap->input.shim_root)
        shimdir_sweep(wrap->input.shim_root, undo_dead, wrap);
    else if (wrap->input.environment_root)
        shimdir_sweep(wrap->input.environment_root, undo_dead, wrap);
    for (size_t i = 0; i < DEFAULT_ROOTS_COUNT; i++)
        shimdir_sweep(DEFAULT_ROOTS[i], undo_dead, wrap);
    repair_journals(wrap);
}

/* --- the place ---------------------------------------------------------------------------------------------------- */

/* A blank ends an entry of LD_PRELOAD; PATH may have some. */
static unsigned root_flags(const struct wrap *wrap, bool make) {
    unsigned flags = (make ? SHIMDIR_MAKE : 0u) | SHIMDIR_BLANKS;
    for (size_t i = 0; i < wrap->sets_count; i++)
        if (wrap->sets[i].shares_ports)
            flags &= ~(unsigned)SHIMDIR_BLANKS;
    for (uint32_t i = 0; i < wrap->input.sections_count; i++)
        if (wrap->input.sections[i].by_file)
            flags &= ~(unsigned)SHIMDIR_BLANKS;
    return flags;
}

/* One candidate: its directory is made and locked, or why not is appended to `refusals`. */
static int try_root(struct wrap *wrap, const char *root, bool make, struct text_builder *refusals) {
    char error[1024];
    bool missing = make && access(root, F_OK) < 0;
    int r = shimdir_check_root(root, root_flags(wrap, make), error, sizeof error);
    if (r > 0)
        say(wrap, true, error);
    if (r >= 0)
        r = shimdir_make(root, &wrap->directory, error, sizeof error);
    wrap->made_root = missing && r >= 0;
    if (r < 0) {
        if (missing)
            rmdir(root);
        text_add(refusals, refusals->length > 0 ? "; " : "");
        text_add(refusals, error);
    }
    return r;
}

static int choose_root(struct wrap *wrap, char *error, size_t size) {
    const struct wrap_input *input = &wrap->input;
    char why[4096] = "";
    struct text_builder refusals = {.bytes = why, .size = sizeof why};
    int r;
    if (input->shim_root) {
        r = try_root(wrap, input->shim_root, true, &refusals);
    } else {
        r = input->environment_root ? try_root(wrap, input->environment_root, true, &refusals) : -ENOENT;
        if (r < 0 && refusals.length > 0)
            say(wrap, true, why);
        for (size_t i = 0; i < DEFAULT_ROOTS_COUNT && r < 0; i++)
            r = try_root(wrap, DEFAULT_ROOTS[i], i == 0, &refusals);
    }
    if (r < 0 && input->sections_count == 0)
        snprintf(error, size,
                 "no place for the library by which the workers of type = cluster share a port: %s; set "
                 "SPAWN_WRAP_SHIM_ROOT to a directory that can be written and isn't mounted noexec, make it with the "
                 "image, by brood --write-shims, or use listen",
                 why);
    else if (r < 0)
        snprintf(
            error, size,
            "no place for shims: %s; set shim_root to a directory that can be written and isn't mounted noexec, or "
            "make the shims with the image, by brood --write-shims",
            why);
    return r;
}

/* --- sets --------------------------------------------------------------------------------------------------------- */

static uint32_t sections_of(const struct wrap_input *input, uint32_t group) {
    uint32_t sections = 0;
    for (uint32_t i = 0; i < input->sections_count; i++) {
        const struct wrap_section *section = &input->sections[i];
        bool applies = section->groups_count == 0;
        for (uint32_t j = 0; j < section->groups_count; j++)
            applies = applies || section->groups[j] == group;
        sections |= applies ? 1u << i : 0u;
    }
    return sections;
}

/* Which groups share a set; the last one is the primary. */
static int divide(struct wrap *wrap) {
    uint32_t groups = wrap->input.groups_count + 1;
    wrap->sets = pool_take(&wrap->pool, groups * sizeof *wrap->sets);
    wrap->set_of_group = pool_take(&wrap->pool, groups * sizeof *wrap->set_of_group);
    if (wrap->pool.failed)
        return -ENOMEM;
    for (uint32_t group = 0; group < groups; group++) {
        uint32_t sections = sections_of(&wrap->input, group);
        bool ports = wrap->input.shares_ports && group < wrap->input.groups_count && wrap->input.shares_ports[group];
        uint32_t set = 0;
        while (set < wrap->sets_count &&
               (wrap->sets[set].sections != sections || wrap->sets[set].shares_ports != ports))
            set++;
        bool any = sections != 0 || ports;
        if (any && set == wrap->sets_count)
            wrap->sets[wrap->sets_count++] = (struct set){.sections = sections, .shares_ports = ports};
        wrap->set_of_group[group] = any ? set : NO_SET;
    }
    return 0;
}

static int build_sets(struct wrap *wrap, const char *directory, const char *key, int pid, char *error, size_t size) {
    const struct set_input input = {.pool = &wrap->pool,
                                    .wrap = &wrap->input,
                                    .programs = &wrap->programs,
                                    .directory = directory,
                                    .key = key,
                                    .pid = pid};
    struct embedded shim = template_shim();
    for (size_t i = 0; i < wrap->sets_count; i++) {
        int r = set_build(&input, (uint32_t)i, &wrap->sets[i]);
        if (r == -ENOMEM)
            return no_memory(error, size);
        if (r < 0) {
            snprintf(error, size, "the shims would carry more than %u bytes each; shorten the data of [wrap:NAME]",
                     CONTEXT_BYTES_MAX);
            return r;
        }
        const struct set *set = &wrap->sets[i];
        for (uint32_t j = 0; j < set->context->programs_count; j++)
            set->shims[j]->file_bytes = (uint32_t)template_size(&shim, set->shims[j]);
    }
    return 0;
}

static int write_all(struct wrap *wrap, const char *key, char *error, size_t size) {
    int r = shims_write(&wrap->pool, &wrap->directory, wrap->sets, wrap->sets_count, key);
    if (r == 0)
        r = shimdir_publish(&wrap->directory);
    if (r < 0)
        snprintf(error, size, "cannot write shims into %s: %s", wrap->directory.path, strerror(-r));
    return r;
}

/* --- reach = strict ----------------------------------------------------------------------------------------------- */

static bool is_strict(const struct wrap *wrap, size_t file) {
    return programs_is_strict(&wrap->programs, &wrap->programs.files[file]);
}

static bool any_strict(const struct wrap *wrap) {
    for (uint32_t i = 0; i < wrap->input.sections_count; i++)
        if (wrap->input.sections[i].strict)
            return true;
    return false;
}

static int keep_strict(struct wrap *wrap, char *error, size_t size) {
    char executed[PATH_MAX], line[PATH_MAX + 100];
    int r = strict_allowed(error, size);
    if (r == 0)
        r = strict_open(wrap->directory.path, &wrap->strict, error, size);
    for (size_t i = 0; i < wrap->programs.files_count && r >= 0; i++) {
        struct program_file *file = &wrap->programs.files[i];
        if (!is_strict(wrap, i))
            continue;
        r = strict_keep(wrap->strict, (uint32_t)i, file->real, executed, sizeof executed, error, size);
        file->executed = r < 0 ? file->path : pool_format(&wrap->pool, "%s", executed);
        if (r == STRICT_COPIED_UP) {
            snprintf(line, sizeof line, "%s was copied into the container's own layer, to be replaced by its shim",
                     file->real);
            say(wrap, false, line);
        }
    }
    return r < 0 ? r : wrap->pool.failed ? no_memory(error, size) : 0;
}

/* The shim in the place of a program is everybody's: that of the set that no `workers = …` has a part in, which is the
 * primary's. reach = strict goes with none, so that this set has the program. */
static int replace_strict(struct wrap *wrap, char *error, size_t size) {
    const struct context *context = wrap_context(wrap, wrap->input.groups_count);
    char shim[REDIRECT_ENTRY_BYTES];
    int r = 0;
    for (uint32_t i = 0; context && i < context->files_count && r == 0; i++) {
        const struct context_file *file = context_file_at(context, i);
        if (!is_strict(wrap, file->number))
            continue;
        r = redirect_entry(context, file->program, i, 0, shim)
                ? strict_replace(wrap->strict, file->number, shim, error, size)
                : -ENAMETOOLONG;
    }
    return r;
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static int make_shims(struct wrap *wrap, char *error, size_t size) {
    int r = choose_root(wrap, error, size);
    if (r >= 0 && any_strict(wrap))
        r = keep_strict(wrap, error, size);
    if (r >= 0)
        r = build_sets(wrap, wrap->directory.path, wrap->directory.key, getpid(), error, size);
    if (r >= 0)
        r = write_all(wrap, wrap->directory.key, error, size);
    if (r >= 0 && wrap->strict)
        r = replace_strict(wrap, error, size);
    return r;
}

/* Shims that --write-shims has put into shim_root. Returns 1 where they are used, 0 where there are none, or -errno:
 * there are, of another config, and no others can be made there. */
static int find_prebuilt(struct wrap *wrap, char *error, size_t size) {
    const struct wrap_input *input = &wrap->input;
    const char *root = input->shim_root ? input->shim_root : input->environment_root;
    struct prebuilt prebuilt;
    char unused[1024];
    if (!root || prebuilt_open(&wrap->pool, root, &prebuilt) < 0)
        return 0;
    int r = build_sets(wrap, prebuilt.directory, prebuilt.key, PREBUILT_PID, error, size);
    if (r < 0)
        return r;
    if (!any_strict(wrap) && prebuilt_matches(&prebuilt, wrap->sets, wrap->sets_count))
        return 1;
    if (shimdir_check_root(root, root_flags(wrap, false), unused, sizeof unused) >= 0)
        return 0;
    snprintf(error, size,
             "the shims in %s were made for another config or another PATH%s, and no others can be written there; run "
             "brood --write-shims again when the image is built",
             prebuilt.directory, any_strict(wrap) ? " (reach = strict is never prepared)" : "");
    return -EROFS;
}

static int prepare(const struct wrap_input *input, struct wrap *wrap, char *error, size_t size) {
    *wrap = (struct wrap){.input = *input, .directory = {.fd = -1, .lock = -1}};
    if (divide(wrap) < 0)
        return no_memory(error, size);
    return 0;
}

int wrap_open(const struct wrap_input *input, struct wrap **ret, char *error, size_t size) {
    struct wrap *wrap = malloc(sizeof *wrap);
    if (!wrap)
        return no_memory(error, size);
    int r = prepare(input, wrap, error, size);
    if (r == 0) {
        sweep(wrap);
        if (programs_find(&wrap->pool, input, true, &wrap->programs) < 0)
            r = no_memory(error, size);
    }
    if (r == 0)
        r = find_prebuilt(wrap, error, size);
    if (r == 0)
        r = make_shims(wrap, error, size);
    if (r < 0) {
        wrap_close(wrap);
        return r;
    }
    *ret = wrap;
    return 0;
}

void wrap_close(struct wrap *wrap) {
    char error[STRICT_ERROR_BYTES];
    if (!wrap)
        return;
    int r = strict_close(wrap->strict, error, sizeof error);
    if (r < 0)
        say(wrap, true, error);
    shimdir_close(&wrap->directory, wrap->input.keep || r < 0);
    if (wrap->made_root) {
        *strrchr(wrap->directory.path, '/') = '\0';
        rmdir(wrap->directory.path); /* stays where it isn't empty: another brood's, or what has been kept */
    }
    pool_free(&wrap->pool);
    free(wrap);
}

int wrap_write(const struct wrap_input *input, const char *directory, char *error, size_t size) {
    struct wrap wrap;
    struct prebuilt prebuilt = {0};
    int r = prepare(input, &wrap, error, size);
    if (r == 0 && any_strict(&wrap)) {
        snprintf(error, size, "reach = strict can't be prepared when an image is built; use reach = preload");
        r = -EINVAL;
    }
    if (r == 0)
        r = shimdir_check_root(directory, root_flags(&wrap, true), error, size);
    if (r > 0) {
        say(&wrap, true, error);
        r = 0;
    }
    if (r == 0 && programs_find(&wrap.pool, input, false, &wrap.programs) < 0)
        r = no_memory(error, size);
    if (r == 0)
        r = prebuilt_name(&wrap.pool, directory, &prebuilt, error, size);
    if (r == 0)
        r = build_sets(&wrap, prebuilt.directory, prebuilt.key, PREBUILT_PID, error, size);
    if (r == 0)
        r = prebuilt_clear(&prebuilt, error, size);
    if (r == 0)
        r = shimdir_make_named(prebuilt.directory, &wrap.directory, error, size);
    if (r == 0)
        r = prebuilt_write(&prebuilt, wrap.sets, wrap.sets_count, &wrap.directory, error, size);
    if (r == 0)
        r = write_all(&wrap, prebuilt.key, error, size);
    shimdir_close(&wrap.directory, r == 0);
    pool_free(&wrap.pool);
    return r;
}

/* --- questions ---------------------------------------------------------------------------------------------------- */

static const struct set *set_of(const struct wrap *wrap, uint32_t group) {
    uint32_t set = wrap ? wrap->set_of_group[group] : NO_SET;
    return set == NO_SET ? NULL : &wrap->sets[set];
}

bool wrap_environment(const struct wrap *wrap, uint32_t group, const char **ret_names, const char **ret_library) {
    const struct set *set = set_of(wrap, group);
    if (!set)
        return false;
    *ret_names = set->names;
    *ret_library = set->library;
    return true;
}

const struct context *wrap_context(const struct wrap *wrap, uint32_t group) {
    const struct set *set = set_of(wrap, group);
    return set ? set->context : NULL;
}
