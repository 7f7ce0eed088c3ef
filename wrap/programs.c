/* See programs.h. A name stands for every file of that name on PATH; an absolute path for itself. The same file twice
 * (a symlinked directory, /bin and /usr/bin) is one file, by device and inode. */
#include "wrap/programs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/image.h"
#include "wrap/paths.h"
#include "wrap/strict.h"
#include "wrap/text.h"

/* Calls visit for each absolute directory of a PATH, until it returns false. What is relative depends on where a
 * process happens to be. */
static void each_directory(const char *search, bool (*visit)(void *context, const char *directory), void *context) {
    char directory[PATH_MAX];
    if (!search || search[0] == '\0')
        search = PATHS_DEFAULT;
    for (;;) {
        size_t length = strcspn(search, ":");
        if (search[0] == '/' && length < sizeof directory) {
            memcpy(directory, search, length);
            directory[length] = '\0';
            if (!visit(context, directory))
                return;
        }
        if (search[length] == '\0')
            return;
        search += length + 1;
    }
}

static bool is_program(const char *path, struct stat *ret) {
    return stat(path, ret) == 0 && S_ISREG(ret->st_mode) && (ret->st_mode & 0111) != 0;
}

/* --- several names of one file ------------------------------------------------------------------------------------ */

struct twin {
    const struct stat *info;
    const char *name;
    bool found;
};

/* Another entry of the directory that is the same inode, by a hard link: one file that looks at how it is called. */
static bool look_for_twin(void *context, const char *directory) {
    struct twin *twin = context;
    DIR *entries = opendir(directory);
    if (!entries)
        return true;
    for (const struct dirent *entry = readdir(entries); entry && !twin->found; entry = readdir(entries)) {
        struct stat info;
        if (strcmp(entry->d_name, twin->name) != 0 && /* d_ino isn't st_ino on every overlayfs */
            fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_ino == twin->info->st_ino && info.st_dev == twin->info->st_dev)
            twin->found = true;
    }
    closedir(entries);
    return !twin->found;
}

/* One file for several programs: a symlink to a file of another base name, or hard links of several names. */
static bool has_several_names(const char *search, const char *name, const char *real, const struct stat *info) {
    struct twin twin = {.info = info, .name = name};
    if (strcmp(text_base(real), name) != 0)
        return true;
    if (info->st_nlink > 1)
        each_directory(search, look_for_twin, &twin);
    return twin.found;
}

/* --- the tables --------------------------------------------------------------------------------------------------- */

struct finder {
    struct pool *pool;
    const struct wrap_input *input;
    struct programs *programs;
    bool heal;
    uint32_t program;  /* that files are looked for, or */
    const char *name;  /* the name */
    const char *found; /* of programs_search() */
};

static struct program *program_of(struct finder *finder, const char *name) {
    struct programs *programs = finder->programs;
    for (size_t i = 0; i < programs->count; i++)
        if (strcmp(programs->items[i].name, name) == 0)
            return &programs->items[i];
    if (programs->count == programs->capacity) {
        void *larger =
            pool_grow(finder->pool, programs->items, sizeof *programs->items, programs->count, &programs->capacity);
        if (!larger)
            return NULL;
        programs->items = larger;
    }
    struct program *program = &programs->items[programs->count++];
    *program = (struct program){.name = name};
    return program;
}

static struct program_file *file_of(struct programs *programs, uint32_t program, const struct stat *info) {
    for (size_t i = 0; i < programs->files_count; i++) {
        struct program_file *file = &programs->files[i];
        if (file->program == program && file->device == info->st_dev && file->inode == info->st_ino)
            return file;
    }
    return NULL;
}

/* Whether the original came back. */
static bool heal(const struct finder *finder, const char *real) {
    char error[STRICT_ERROR_BYTES], line[PATH_MAX + 100];
    int r = strict_heal(real, error, sizeof error);
    if (r < 0)
        finder->input->say(true, error);
    if (r != STRICT_UNDONE)
        return false;
    snprintf(line, sizeof line, "%s is back: a former brood had replaced it", real);
    finder->input->say(false, line);
    return true;
}

/* The row of a file, a new one where it isn't there yet; NULL: no program there, or no memory. */
static struct program_file *add_file(struct finder *finder, uint32_t program, const char *path) {
    struct programs *programs = finder->programs;
    struct stat info;
    struct image image;
    char real[PATH_MAX];
    if (!is_program(path, &info) || !realpath(path, real))
        return NULL;
    image_look(AT_FDCWD, path, 0, &image);
    if (image.kind == IMAGE_SHIM && finder->heal && heal(finder, real)) {
        if (!is_program(path, &info))
            return NULL;
        image_look(AT_FDCWD, path, 0, &image);
    }
    struct program_file *file = file_of(programs, program, &info);
    if (file)
        return file;
    if (programs->files_count == programs->files_capacity) {
        void *larger = pool_grow(finder->pool, programs->files, sizeof *programs->files, programs->files_count,
                                 &programs->files_capacity);
        if (!larger)
            return NULL;
        programs->files = larger;
    }
    bool several = has_several_names(finder->input->search, programs->items[program].name, real, &info);
    file = &programs->files[programs->files_count++];
    *file = (struct program_file){.program = program,
                                  .path = pool_format(finder->pool, "%s", path),
                                  .real = pool_format(finder->pool, "%s", real),
                                  .flags = (several ? FILE_BY_NAME_ONLY : 0u) | (image.sanitized ? FILE_SANITIZED : 0u),
                                  .device = info.st_dev,
                                  .inode = info.st_ino};
    file->executed = file->path;
    return file;
}

static bool add_in_directory(void *context, const char *directory) {
    struct finder *finder = context;
    char path[PATH_MAX + NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", directory, finder->programs->items[finder->program].name);
    add_file(finder, finder->program, path);
    return true;
}

static void warn(const struct finder *finder, const struct wrap_section *section, const char *word, const char *why) {
    char line[PATH_MAX + 200];
    snprintf(line, sizeof line, "[wrap:%s] programs: %s %s", section->name, word, why);
    finder->input->say(true, line);
}

static void take_word(struct finder *finder, uint32_t number, const char *word) {
    const struct wrap_section *section = &finder->input->sections[number];
    struct program *program = program_of(finder, text_base(word));
    if (!program)
        return;
    if (word[0] == '/')
        program->by_path |= 1u << number;
    else
        program->by_name |= 1u << number;
    program->by_file |= section->by_file ? 1u << number : 0u;
    program->strict |= section->strict ? 1u << number : 0u;
}

static void take_path(struct finder *finder, uint32_t number, const char *word) {
    const struct program *program = word[0] == '/' ? program_of(finder, text_base(word)) : NULL;
    if (!program)
        return;
    struct program_file *file = add_file(finder, (uint32_t)(program - finder->programs->items), word);
    if (file)
        file->named |= 1u << number;
    else
        warn(finder, &finder->input->sections[number], word, "is not there, or no program");
}

static void each_word(struct finder *finder, void (*take)(struct finder *finder, uint32_t number, const char *word)) {
    for (uint32_t i = 0; i < finder->input->sections_count; i++)
        for (uint32_t j = 0; j < finder->input->sections[i].programs_count; j++)
            take(finder, i, finder->input->sections[i].programs[j]);
}

static void warn_of_missing(struct finder *finder) {
    const struct programs *programs = finder->programs;
    for (uint32_t i = 0; i < programs->count; i++) {
        uint32_t by_name = programs->items[i].by_name;
        bool there = false;
        for (size_t j = 0; j < programs->files_count; j++)
            there = there || programs->files[j].program == i;
        if (by_name != 0 && !there)
            warn(finder, &finder->input->sections[__builtin_ctz(by_name)], programs->items[i].name,
                 "is not on PATH; its wrapper is run all the same");
    }
}

int programs_find(struct pool *pool, const struct wrap_input *input, bool heal, struct programs *ret) {
    struct finder finder = {.pool = pool, .input = input, .programs = ret, .heal = heal};
    each_word(&finder, take_word);
    for (uint32_t i = 0; i < ret->count && !pool->failed; i++) {
        finder.program = i;
        if (ret->items[i].by_name != 0)
            each_directory(input->search, add_in_directory, &finder);
    }
    each_word(&finder, take_path);
    for (size_t i = 0; i < ret->files_count; i++)
        ret->files[i].sections = ret->files[i].named | ret->items[ret->files[i].program].by_name;
    warn_of_missing(&finder);
    return pool->failed ? -ENOMEM : 0;
}

bool programs_is_strict(const struct programs *programs, const struct program_file *file) {
    return (programs->items[file->program].strict & file->sections) != 0;
}

static bool find_in_directory(void *context, const char *directory) {
    struct finder *finder = context;
    struct stat info;
    char path[PATH_MAX + NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", directory, finder->name);
    if (is_program(path, &info))
        finder->found = pool_format(finder->pool, "%s", path);
    return finder->found == NULL;
}

const char *programs_search(struct pool *pool, const char *search, const char *name) {
    struct finder finder = {.pool = pool, .name = name};
    each_directory(search, find_in_directory, &finder);
    return finder.found;
}
