/* See redirect.h. Known files are told by device and inode, asked anew each time: a file may be replaced while brood
 * runs (a package's upgrade), and shims that were made with an image know no inode of the container's. */
#include "wrap/redirect.h"

#include "wrap/image.h"
#include "wrap/syscalls.h"
#include "wrap/text.h"

#define INTERPRETERS_MAX 5 /* of interpreters; the kernel gives up at the same depth, see execve(2) */

bool redirect_entry(const struct context *context, uint32_t program, uint32_t file, uint32_t layer,
                    char ret[static REDIRECT_ENTRY_BYTES]) {
    struct text_builder entry = {.bytes = ret, .size = REDIRECT_ENTRY_BYTES};
    text_add(&entry, context_string(context, context->entries));
    text_add(&entry, "/");
    text_add_number(&entry, file == CONTEXT_TOLD ? 0 : context_file_at(context, file)->number + 1ul);
    text_add(&entry, "/");
    text_add_number(&entry, layer);
    text_add(&entry, "/");
    text_add(&entry, context_string(context, context_program_at(context, program)->name));
    return !entry.failed;
}

static bool same_file(const struct stat *a, const char *path) {
    struct stat b;
    return raw_fstatat(AT_FDCWD, path, &b, 0) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* The index of a file that `info` is, called `base`; CONTEXT_BY_NAME: it is none. */
static uint32_t find_file(const struct context *context, const struct stat *info, const char *base) {
    for (uint32_t i = 0; i < context->files_count; i++) {
        const struct context_file *file = context_file_at(context, i);
        const struct context_program *program = context_program_at(context, file->program);
        if ((program->flags & PROGRAM_BY_FILE) == 0 ||
            ((file->flags & FILE_BY_NAME_ONLY) != 0 && !text_same(base, context_string(context, program->name))))
            continue;
        if (same_file(info, context_string(context, file->path)) ||
            (file->executed != file->path && same_file(info, context_string(context, file->executed))))
            return i;
    }
    return CONTEXT_BY_NAME;
}

static uint32_t find_program(const struct context *context, const char *base) {
    for (uint32_t i = 0; i < context->programs_count; i++) {
        const struct context_program *program = context_program_at(context, i);
        bool by_name = program->flags == (PROGRAM_IS_NAME | PROGRAM_BY_FILE);
        if (by_name && text_same(base, context_string(context, program->name)))
            return i;
    }
    return context->programs_count;
}

static bool is_ours(const struct context *context, const char *path) {
    const char *rest = context->names == 0 ? NULL : text_after(path, context_string(context, context->names));
    if (rest == NULL || *rest != '/')
        rest = text_after(path, context_string(context, context->entries));
    return rest != NULL && *rest == '/';
}

/* What an exec asks for, or an interpreter on the way. */
struct target {
    int directory;
    const char *path;
    int flags;
    struct stat info;
};

static bool is_executable(struct target *target) {
    return raw_fstatat(target->directory, target->path, &target->info,
                       target->flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) == 0 &&
           S_ISREG(target->info.st_mode) && (target->info.st_mode & 0111) != 0;
}

/* The shim opens what it is told of by itself: it must have a name that leads there. A descriptor has the one that the
 * kernel gives to interpreters. */
static bool tell(struct redirect *ret, int pid, const char *kind, const struct target *target) {
    struct text_builder told = {.bytes = ret->told, .size = sizeof ret->told};
    text_add(&told, VARIABLE_TOLD "=");
    text_add_number(&told, (unsigned long)pid);
    text_add(&told, kind);
    if (target->path[0] == '\0') {
        text_add(&told, "/dev/fd/");
        text_add_number(&told, (unsigned long)target->directory);
    } else if (target->path[0] != '/' && target->directory != AT_FDCWD) {
        told.failed = true;
    } else {
        text_add(&told, target->path);
    }
    if (told.failed)
        ret->told[0] = '\0';
    return !told.failed;
}

/* A shim of a brood below this one isn't a program that came later: its real program leads here again. */
static bool is_shim(const struct target *target, struct image *unused) {
    image_look(target->directory, target->path, target->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0, unused);
    return unused->kind == IMAGE_SHIM;
}

/* target is the one asked for, or where depth isn't 0 an interpreter of `first`. */
static void turn(const struct context *context, const struct target *target, int depth, const struct target *first,
                 int pid, struct image *unused, struct redirect *ret) {
    const char *base = text_base(target->path);
    uint32_t file = find_file(context, &target->info, base);
    uint32_t program;
    if (file == CONTEXT_BY_NAME) {
        program = find_program(context, base);
        file = CONTEXT_TOLD;
        if (program != context->programs_count && is_shim(target, unused))
            return;
    } else {
        program = context_file_at(context, file)->program;
    }
    if (program == context->programs_count)
        return;
    if ((depth > 0 || file == CONTEXT_TOLD) && !tell(ret, pid, depth > 0 ? " script " : " file ", first))
        return;
    if (!redirect_entry(context, program, file, 0, ret->entry)) {
        ret->told[0] = '\0';
        return;
    }
    ret->path = ret->entry;
    ret->turned = true;
}

void redirect_exec(const struct context *context, int directory, const char *path, int flags, int pid,
                   struct redirect *ret) {
    struct target first = {.directory = directory, .path = path, .flags = flags};
    struct target target = first;
    struct image image;
    char interpreter[IMAGE_HEAD_BYTES]; /* image is used again for it */
    ret->path = path;
    ret->turned = false;
    ret->preloadable = true;
    ret->told[0] = '\0';
    for (int depth = 0; path != NULL && depth < INTERPRETERS_MAX; depth++) { /* NULL: the kernel's EFAULT */
        if (is_ours(context, target.path) || !is_executable(&target))
            return;
        turn(context, &target, depth, &first, pid, &image, ret);
        if (ret->turned)
            return;
        image_look(target.directory, target.path, target.flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0, &image);
        ret->preloadable = !image.sanitized;
        if (image.kind != IMAGE_SCRIPT)
            return;
        struct text_builder copy = {.bytes = interpreter, .size = sizeof interpreter};
        text_add(&copy, image.interpreter);
        target = (struct target){.directory = AT_FDCWD, .path = interpreter};
    }
}
