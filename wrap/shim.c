/* The shim: the program that stands for a wrapped one. It finds out which file its caller meant and how many wrappers
 * run around it already, and executes the next of them, or the program itself.
 *
 * It never forks, so that pid, descriptors, terminal, signals and exit status are those of what it executes. It has no
 * C library: that makes its exec three to four times as cheap. What it knows it carries inside itself (context.h);
 * of the environment it believes PATH, which is the caller's choice of a version, and what its own caller told it
 * (VARIABLE_TOLD). It can't end otherwise than by an exec or by a line on standard error and a status: 111 where it
 * would run in circles, 127 where the program isn't there, 126 where it can't be executed.
 *
 *     which file?     resolve(): the one it stands for, the one it was told, or the next of its name on PATH
 *     which layer?    settle_layer(): the first, or the one behind the wrapper that runs already
 *     then            run_layer() or run_program() */
#include <errno.h>

#include "wrap/call.h"
#include "wrap/image.h"
#include "wrap/node_args.h"
#include "wrap/redirect.h"
#include "wrap/repair.h"
#include "wrap/start.h"
#include "wrap/syscalls.h"
#include "wrap/text.h"

#define STATUS_SYSTEM 111
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND 127
#define INSIDE_BYTES 4096
#define LINE_BYTES 8192
#define SCRIPTS_MAX 5 /* interpreters of interpreters, see execve(2) */

/* In the template: something that is no context, where brood puts one. */
__attribute__((section(".brood_context"), used, aligned(4096))) static const struct context template = {
    .magic = CONTEXT_MAGIC};

/* All that grows with the length of paths is static. A page of it costs a fault where it is touched: what every exec
 * needs comes first, and of long texts the beginning alone is touched. */
static struct {
    const struct context *context;
    struct call call;
    const struct context_program *program;
    const char *name;      /* of the program */
    const char *real;      /* what to execute at last; NULL: no such program */
    uint32_t file;         /* its index, or CONTEXT_TOLD */
    bool sanitized;        /* it must not have the preload library */
    bool checked;          /* it is no shim of ours */
    bool told;             /* VARIABLE_TOLD was for this process */
    uint32_t layers;       /* around it: the first in the context, */
    uint32_t layers_count; /* and how many */
    uint32_t layer;        /* to run next */
    char item[64];         /* "KEY.SET.PROGRAM." */
    char entry[REDIRECT_ENTRY_BYTES];
    char next[sizeof VARIABLE_MAIN + REDIRECT_ENTRY_BYTES];
    char inside[INSIDE_BYTES];
    char candidate[4096]; /* on PATH */
    char tell[REDIRECT_TOLD_BYTES];
    struct image images[SCRIPTS_MAX];
    char line[LINE_BYTES];
    struct repair repair;
} shim;

/* --- words to people ---------------------------------------------------------------------------------------------- */

static const char *error_text(long error) {
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {ENOENT, "No such file or directory"}, {EACCES, "Permission denied"},
        {ENOEXEC, "Exec format error"},        {E2BIG, "Argument list too long"},
        {ENOMEM, "Cannot allocate memory"},    {ETXTBSY, "Text file busy"},
        {ENOTDIR, "Not a directory"},          {ELOOP, "Too many levels of symbolic links"},
        {EPERM, "Operation not permitted"},    {ENAMETOOLONG, "File name too long"},
        {EIO, "Input/output error"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "the system refused it";
}

/* One line on standard error; ends with NULL. */
static void say(const char *const *parts) {
    struct text_builder line = {.bytes = shim.line, .size = sizeof shim.line - 1};
    for (; *parts != NULL; parts++)
        text_add(&line, *parts);
    shim.line[line.length++] = '\n';
    raw_write(2, shim.line, line.length);
}

#define SAY(...) say((const char *const[]){__VA_ARGS__, NULL})

static bool debugs(void) {
    const char *value = call_get(&shim.call, VARIABLE_DEBUG);
    return value != NULL && text_same(value, "1");
}

#define DEBUG(...)                                                                                                     \
    do {                                                                                                               \
        if (debugs())                                                                                                  \
            SAY("brood-shim: ", shim.name, ": ", __VA_ARGS__);                                                         \
    } while (0)

static _Noreturn void fail(int status, const char *what, const char *path, const char *why) {
    SAY("brood: error: ", shim.name, ": ", what, path, why);
    raw_exit(status);
}

/* --- which file --------------------------------------------------------------------------------------------------- */

/* A shim of this brood, or a copy of it. One that can't be read is told by its size. */
static bool is_own_shim(const char *path) {
    char head[SHIM_HEAD_BYTES];
    struct stat info;
    int fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fd == -EACCES && raw_fstatat(AT_FDCWD, path, &info, 0) == 0 &&
               info.st_size == (off_t)shim.context->file_bytes;
    long length = raw_pread(fd, head, sizeof head, 0);
    raw_close(fd);
    return length == (long)sizeof head && text_same_bytes(head, "\177ELF", 4) && head[SHIM_MARK_OFFSET] == SHIM_MARK &&
           text_same_bytes(head + SHIM_KEY_OFFSET, context_string(shim.context, shim.context->key), CONTEXT_KEY_BYTES);
}

static bool can_execute(const char *path) {
    struct stat info;
    return raw_fstatat(AT_FDCWD, path, &info, 0) == 0 && S_ISREG(info.st_mode) && raw_faccessat(AT_FDCWD, path, 1) == 0;
}

static void take_file(uint32_t index) {
    const struct context_file *file = context_file_at(shim.context, index);
    shim.file = index;
    shim.real = context_string(shim.context, file->executed);
    shim.sanitized = (file->flags & FILE_SANITIZED) != 0;
    shim.layers = file->layers;
    shim.layers_count = file->layers_count;
}

static void take_unknown(const char *path) {
    shim.file = CONTEXT_TOLD;
    shim.real = path;
    shim.layers = shim.program->layers;
    shim.layers_count = shim.program->layers_count;
}

static bool is_same_file(const char *a, const char *b) {
    struct stat first, second;
    return text_same(a, b) || (raw_fstatat(AT_FDCWD, a, &first, 0) == 0 && raw_fstatat(AT_FDCWD, b, &second, 0) == 0 &&
                               first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

/* One of the program's files by any of its names. */
static bool take_known(const char *path) {
    for (uint32_t i = 0; i < shim.context->files_count; i++) {
        const struct context_file *file = context_file_at(shim.context, i);
        if (file->program == shim.context->program && is_same_file(path, context_string(shim.context, file->path))) {
            take_file(i);
            return true;
        }
    }
    return false;
}

/* One of its files, or else a file that came later. */
static void take_path(const char *path) {
    if (!take_known(path))
        take_unknown(path);
}

/* A program that is named by a path alone was perhaps never on PATH: where PATH has none there is none. */
static void take_first_file(void) {
    bool is_name = (shim.program->flags & PROGRAM_IS_NAME) != 0;
    for (uint32_t i = 0; i < shim.context->files_count && is_name; i++) {
        if (context_file_at(shim.context, i)->program == shim.context->program) {
            take_file(i);
            return;
        }
    }
    take_unknown(NULL);
}

/* Where on a PATH to begin: behind the last entry that is the shim directory, so that shims of several broods lead from
 * one to the next and never back; at the beginning where it isn't there. */
static const char *search_begin(const char *search) {
    const char *directory = context_string(shim.context, shim.context->names);
    size_t length = text_length(directory);
    const char *begin = search;
    for (const char *entry = search;;) {
        const char *end = entry;
        while (*end != '\0' && *end != ':')
            end++;
        if ((size_t)(end - entry) == length && text_same_bytes(entry, directory, length))
            begin = *end == ':' ? end + 1 : end;
        if (*end == '\0')
            return begin;
        entry = end + 1;
    }
}

/* The next program of this name on the caller's PATH that isn't a shim of this brood; as it was at the start where PATH
 * has none. */
static void search(void) {
    const char *path = call_get(&shim.call, "PATH");
    for (const char *entry = path == NULL ? "" : search_begin(path); *entry != '\0';) {
        size_t length = 0;
        while (entry[length] != '\0' && entry[length] != ':')
            length++;
        struct text_builder candidate = {.bytes = shim.candidate, .size = sizeof shim.candidate};
        text_add_bytes(&candidate, entry, length);
        text_add(&candidate, length == 0 ? "./" : "/");
        text_add(&candidate, shim.name);
        if (!candidate.failed && can_execute(shim.candidate)) {
            if (!is_own_shim(shim.candidate)) {
                take_path(shim.candidate);
                shim.checked = text_same(shim.candidate, shim.real);
                return;
            }
            if (take_known(shim.candidate)) /* reach = strict: a shim in the place of the program */
                return;
        }
        entry += length + (entry[length] == ':');
    }
    take_first_file();
}

/* Whether an interpreter is the one that the exec was turned for, as redirect.c tells it. */
static bool is_program(const char *path) {
    bool same_name = text_same(text_base(path), shim.name);
    if (shim.file == CONTEXT_TOLD)
        return same_name;
    const struct context_file *file = context_file_at(shim.context, shim.file);
    return ((file->flags & FILE_BY_NAME_ONLY) == 0 || same_name) &&
           (is_same_file(path, context_string(shim.context, file->path)) || is_same_file(path, shim.real));
}

/* As the kernel does it for a script: the interpreter, its argument, the script take the place of argv[0]. Not further
 * than to the program, which may be a script itself: that part is the kernel's again. */
static void take_script(const char *path) {
    for (size_t depth = 0; depth < SCRIPTS_MAX; depth++) {
        struct image *image = &shim.images[depth];
        image_look(AT_FDCWD, path, 0, image);
        if (image->kind != IMAGE_SCRIPT && depth > 0)
            return;
        if (image->kind != IMAGE_SCRIPT)
            fail(STATUS_CANNOT_EXECUTE, "cannot read the #! line of ", path, "");
        const char *words[3] = {image->interpreter, path, NULL};
        size_t count = 2;
        if (image->argument != NULL) {
            words[1] = image->argument;
            words[2] = path;
            count = 3;
        }
        if (!call_replace_first(&shim.call, words, count))
            fail(STATUS_CANNOT_EXECUTE, "cannot execute ", path, ": too many interpreters");
        path = image->interpreter;
        if (shim.context->file == CONTEXT_TOLD)
            take_path(path);
        if (is_program(path))
            return;
    }
}

/* VARIABLE_TOLD, where it is for this process: from itself before its exec, or from the parent that spawned it; or
 * where this is a later layer. Returns what follows the kind, NULL: nothing that counts. */
static const char *told(bool *ret_script) {
    const char *text = call_get(&shim.call, VARIABLE_TOLD), *rest;
    if (text == NULL)
        return NULL;
    *ret_script = false;
    if (shim.context->layer > 0 && (rest = text_after(text, "main file ")) != NULL)
        return rest;
    long pid = text_take_number(&text);
    if (pid != raw_getpid() && pid != raw_getppid())
        return NULL;
    shim.told = true;
    if ((rest = text_after(text, " file ")) != NULL)
        return rest;
    *ret_script = true;
    return text_after(text, " script ");
}

static void resolve(void) {
    bool script = false;
    const char *path = told(&script);
    if (shim.context->file < CONTEXT_TOLD)
        take_file(shim.context->file);
    if (path != NULL && script)
        take_script(path);
    else if (shim.context->file == CONTEXT_TOLD && path != NULL)
        take_path(path);
    if (shim.context->file == CONTEXT_BY_NAME || (shim.context->file == CONTEXT_TOLD && path == NULL))
        search();
}

/* --- which layer -------------------------------------------------------------------------------------------------- */

/* Our item in a list of items, or NULL; *ret_layer is the layer that it names. */
static const char *find_item(const char *list, long *ret_layer) {
    while (list != NULL && *list != '\0') {
        const char *rest = text_after(list, shim.item), *item = list;
        if (rest != NULL && (*ret_layer = text_take_number(&rest)) >= 0 && (*rest == ' ' || *rest == '\0'))
            return item;
        while (*list != '\0' && *list != ' ')
            list++;
        while (*list == ' ')
            list++;
    }
    return NULL;
}

/* A module in the program's own process has no variables, see run(). */
static _Noreturn void fail_inside(const struct context_layer *layer) {
    fail(STATUS_SYSTEM, "run by name inside its own wrapper ", context_string(shim.context, layer->wrapper),
         layer->kind == LAYER_MODULE_SAME
             ? ", which would run the wrapper again and again; execute context.root.execPath instead"
             : ", which would run the wrapper again and again; execute \"$" VARIABLE_MAIN "\" instead");
}

static void settle_layer(void) {
    struct text_builder item = {.bytes = shim.item, .size = sizeof shim.item};
    long running;
    text_add(&item, context_string(shim.context, shim.context->item));
    text_add_number(&item, shim.program->number);
    text_add(&item, ".");
    shim.layer = shim.context->layer;
    if (shim.layer > 0 || find_item(call_get(&shim.call, VARIABLE_INSIDE), &running) == NULL)
        return;
    /* Inside our own wrapper. Its program's file is meant as what it is; its name would lead back to the wrapper. */
    if (shim.context->file == CONTEXT_BY_NAME && running < shim.layers_count)
        fail_inside(context_layer_at(shim.context, shim.layers + (uint32_t)running));
    shim.layer = (uint32_t)running + 1;
}

/* --- the environment ---------------------------------------------------------------------------------------------- */

/* VARIABLE_INSIDE without our item, and with one for `layer` at its end unless that is negative. Once only: what it has
 * written lies where it writes. False: too long. */
static bool write_inside(long layer) {
    const char *former = call_get(&shim.call, VARIABLE_INSIDE);
    struct text_builder inside = {.bytes = shim.inside, .size = sizeof shim.inside};
    size_t empty;
    text_add(&inside, VARIABLE_INSIDE "=");
    empty = inside.length;
    for (long unused; former != NULL && *former != '\0';) {
        size_t length = 0;
        while (former[length] != '\0' && former[length] != ' ')
            length++;
        if (find_item(former, &unused) != former && length > 0) {
            text_add(&inside, inside.length > empty ? " " : "");
            text_add_bytes(&inside, former, length);
        }
        former += length + (former[length] == ' ');
    }
    if (layer >= 0) {
        text_add(&inside, inside.length > empty ? " " : "");
        text_add(&inside, shim.item);
        text_add_number(&inside, (unsigned long)layer);
    }
    if (inside.failed)
        return false;
    if (inside.length == empty)
        call_unset(&shim.call, VARIABLE_INSIDE);
    return inside.length == empty || call_set(&shim.call, VARIABLE_INSIDE, shim.inside);
}

/* What a wrapper of this program was given isn't for the program; what another one was given stays. */
static void forget_given(void) {
    long unused;
    bool own = find_item(call_get(&shim.call, VARIABLE_INSIDE), &unused) != NULL;
    if (own || shim.context->layer > 0) {
        call_unset(&shim.call, VARIABLE_MAIN);
        call_unset(&shim.call, VARIABLE_DATA);
        call_unset(&shim.call, VARIABLE_PROGRAM);
        call_unset(&shim.call, VARIABLE_KEY);
    }
    if (own || shim.context->layer > 0 || shim.told)
        call_unset(&shim.call, VARIABLE_TOLD);
}

static bool enter_wrapper(const struct context_layer *layer) {
    const struct context *context = shim.context;
    struct text_builder next = {.bytes = shim.next, .size = sizeof shim.next};
    struct text_builder tell = {.bytes = shim.tell, .size = sizeof shim.tell};
    forget_given();
    call_unset(&shim.call, VARIABLE_TOLD); /* one of another program's wrapper, whose VARIABLE_MAIN goes too */
    if (!redirect_entry(context, context->program, shim.file, shim.layer + 1, shim.entry) || !write_inside(shim.layer))
        return false;
    text_add(&next, VARIABLE_MAIN "=");
    text_add(&next, shim.entry);
    if (shim.file == CONTEXT_TOLD && shim.real != NULL) {
        text_add(&tell, VARIABLE_TOLD "=main file ");
        text_add(&tell, shim.real);
        if (!tell.failed && !call_set(&shim.call, VARIABLE_TOLD, shim.tell))
            return false;
    }
    return call_set(&shim.call, VARIABLE_MAIN, shim.next) &&
           call_set(&shim.call, VARIABLE_DATA, context_string(context, layer->data)) &&
           call_set(&shim.call, VARIABLE_PROGRAM, context_string(context, shim.program->variable)) &&
           call_set(&shim.call, VARIABLE_KEY, context_string(context, context->key_variable));
}

/* The shim directory on PATH and the library in LD_PRELOAD, also for whoever was started with an empty environment. */
static void repair_environment(bool preloadable) {
    struct repair *repair = &shim.repair;
    if (!repair_needed(shim.context, shim.call.envp, preloadable, ""))
        return;
    repair_plan(shim.context, shim.call.envp, preloadable, "", repair);
    if (repair->search != NULL)
        call_set(&shim.call, "PATH", repair->search);
    if (repair->preload != NULL)
        call_set(&shim.call, "LD_PRELOAD", repair->preload);
    if (repair->without_preload)
        call_unset(&shim.call, "LD_PRELOAD");
}

/* --- the exec ----------------------------------------------------------------------------------------------------- */

/* What the kernel can't execute is a script for sh, as POSIX wants it of whoever searches PATH. */
static long execute_script(const char *path) {
    static const char shell[] = "/bin/sh";
    struct image *image = &shim.images[0];
    image_look(AT_FDCWD, path, 0, image);
    if (image->kind != IMAGE_OTHER || !call_replace_first(&shim.call, (const char *const[]){shell, path}, 2))
        return -ENOEXEC;
    return raw_execve(shell, shim.call.argv, shim.call.envp);
}

static _Noreturn void execute(const char *path, bool preloadable) {
    repair_environment(preloadable);
    DEBUG("executes ", path);
    long r = raw_execve(path, shim.call.argv, shim.call.envp);
    if (r == -ENOEXEC)
        r = execute_script(path);
    bool there = raw_faccessat(AT_FDCWD, path, 0) == 0;
    if (r == -ENOENT && !there)
        fail(STATUS_NOT_FOUND, path, "", ": not found");
    SAY("brood: error: ", shim.name, ": cannot execute ", path,
        r == -ENOENT ? ": its interpreter or dynamic loader is missing" : ": ", r == -ENOENT ? "" : error_text(-r));
    raw_exit(r == -ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE);
}

static void check_program(void) {
    if (shim.real == NULL)
        fail(STATUS_NOT_FOUND, "no such program on PATH", "", "");
    if (!shim.checked && is_own_shim(shim.real))
        fail(STATUS_SYSTEM, "", shim.real, " is a shim itself: the program that it stands for is gone, put it back");
}

static bool is_preloadable(void) {
    if (shim.file != CONTEXT_TOLD || shim.context->library == 0)
        return !shim.sanitized;
    image_look(AT_FDCWD, shim.real, 0, &shim.images[0]);
    return !shim.images[0].sanitized;
}

static _Noreturn void run_program(void) {
    check_program();
    forget_given();
    write_inside(-1);
    execute(shim.real, is_preloadable());
}

static _Noreturn void run_module(const struct context_layer *layer, size_t at) {
    const char *stub = context_word(shim.context, layer->words);
    check_program();
    DEBUG("under ", context_string(shim.context, layer->wrapper));
    if (!call_insert(&shim.call, at, &stub, 1))
        fail(STATUS_SYSTEM, "too many words in front of its arguments", "", "");
    execute(shim.real, is_preloadable());
}

static _Noreturn void run_executable(const struct context_layer *layer) {
    const char *words[CONTEXT_WORDS_MAX];
    for (uint32_t i = 0; i < layer->words_count; i++)
        words[i] = context_word(shim.context, layer->words + i);
    DEBUG("under ", context_string(shim.context, layer->wrapper));
    if (layer->words_count > 0 && !call_replace_first(&shim.call, words, layer->words_count))
        fail(STATUS_SYSTEM, "too many words in front of its arguments", "", "");
    execute(context_string(shim.context, layer->executable), !layer->sanitized);
}

static _Noreturn void run(void) {
    if (shim.layer >= shim.layers_count)
        run_program();
    const struct context_layer *layer = context_layer_at(shim.context, shim.layers + shim.layer);
    size_t main = 0;
    if (layer->kind == LAYER_MODULE_SAME) {
        main = node_args_main(shim.call.argv, shim.call.argc);
        if (main == 0)
            run_program();
        forget_given();
        if (!write_inside(shim.layer))
            fail(STATUS_SYSTEM, "too many wrappers around each other", "", "");
        run_module(layer, main);
    }
    if (!enter_wrapper(layer))
        fail(STATUS_SYSTEM, "too many wrappers around each other", "", "");
    if (layer->kind == LAYER_MODULE_APART)
        run_module(layer, 1);
    run_executable(layer);
}

_Noreturn void start(char **stack) {
    const struct context *context = &template;
    __asm__("" : "+r"(context)); /* not what the compiler saw, but what brood has written since */
    shim.name = "shim";
    call_open(&shim.call, stack);
    if (!context_check(context, context->size) || context->programs_count == 0)
        fail(STATUS_SYSTEM, "this is no shim that brood has written", "", "");
    shim.context = context;
    shim.program = context_program_at(context, context->program);
    shim.name = context_string(context, shim.program->name);
    if (shim.call.argc == 0)
        call_insert(&shim.call, 0, &shim.name, 1);
    resolve();
    settle_layer();
    run();
}
