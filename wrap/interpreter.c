/* See interpreter.h. Of env's options -S alone is understood (env(1)), and that without quotes and variables; every
 * other line is left to env itself. */
#include "wrap/interpreter.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wrap/image.h"
#include "wrap/text.h"

/* The file among the wrapped ones that a path leads to, NULL: it is none. */
static const struct program_file *wrapped_file(const struct programs *programs, const char *path) {
    struct stat info;
    if (stat(path, &info) < 0)
        return NULL;
    for (size_t i = 0; i < programs->files_count; i++)
        if (programs->files[i].device == info.st_dev && programs->files[i].inode == info.st_ino)
            return &programs->files[i];
    return NULL;
}

static bool is_wrapped_name(const struct programs *programs, const char *name) {
    for (size_t i = 0; i < programs->count; i++)
        if (strcmp(programs->items[i].name, name) == 0)
            return true;
    return false;
}

/* Blank separated words; false: too many. */
static bool split(struct pool *pool, const char *text, struct interpreter *ret) {
    char *copy = pool_format(pool, "%s", text), *rest = copy;
    while (copy && *(rest += strspn(rest, " \t")) != '\0') {
        if (ret->words_count >= CONTEXT_WORDS_MAX - 1)
            return false;
        ret->words[ret->words_count++] = rest;
        rest += strcspn(rest, " \t");
        if (*rest != '\0')
            *rest++ = '\0';
    }
    return copy && ret->words_count > 0;
}

/* `env NAME` and `env -S NAME ARGUMENTS`; false: something else. */
static bool take_env(struct pool *pool, const char *search, const struct programs *programs, const char *argument,
                     struct interpreter *ret) {
    const char *several = text_after(argument, "-S");
    if (several ? strpbrk(several, "\"'\\$#") || !split(pool, several, ret)
                : argument[0] == '-' || strchr(argument, '=') != NULL)
        return false;
    if (!several)
        ret->words[ret->words_count++] = pool_format(pool, "%s", argument);
    const char *name = ret->words[0];
    if (!name || name[0] == '-' || strchr(name, '=') || strchr(name, '/') || !is_wrapped_name(programs, name))
        return false;
    ret->executable = programs_search(pool, search, name);
    return ret->executable != NULL;
}

static bool take_line(struct pool *pool, const char *search, const struct programs *programs, const struct image *image,
                      struct interpreter *ret) {
    if (strcmp(text_base(image->interpreter), "env") == 0 && image->argument)
        return take_env(pool, search, programs, image->argument, ret);
    ret->executable = pool_format(pool, "%s", image->interpreter);
    ret->words[ret->words_count++] = ret->executable;
    if (image->argument)
        ret->words[ret->words_count++] = pool_format(pool, "%s", image->argument);
    return ret->executable && wrapped_file(programs, ret->executable) != NULL;
}

void interpreter_of(struct pool *pool, const char *search, const struct programs *programs, const char *wrapper,
                    struct interpreter *ret) {
    struct image image;
    struct interpreter found = {0};
    *ret = (struct interpreter){.executable = wrapper};
    image_look(AT_FDCWD, wrapper, 0, &image);
    ret->sanitized = image.sanitized;
    if (image.kind == IMAGE_OTHER) {
        found.executable = "/bin/sh";
        found.words[found.words_count++] = "/bin/sh";
    } else if (image.kind != IMAGE_SCRIPT || !take_line(pool, search, programs, &image, &found)) {
        return;
    }
    const struct program_file *file = wrapped_file(programs, found.executable);
    if (file)
        found.executable = file->executed;
    found.words[found.words_count++] = wrapper;
    *ret = found;
}
