/* The client. One command for now, import, which asks no brood at all; what talks to a running one gets a row in the
 * table. Statuses are for scripts and probes: the answer no, or an act that failed, is told from a command line that
 * was wrong and from a brood that isn't there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/fd.h"
#include "init/version.h"
#include "init/whole.h"
#include "supervisor/import.h"

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1, /* the answer is no, or the act failed */
    STATUS_WRONG = 2,  /* usage; 3, no brood there, is for commands to come */
};

static const char version[] = "broodctl " BROOD_VERSION "\n";

/* clang-format off: this is how it looks on a terminal */
static const char help[] = "broodctl: the client of brood\n"
                           "\n"
                           "  broodctl import FILE    prints a brood.ini for a supervisord.conf; - is standard input\n"
                           "\n"
                           "  -V, --version           print the version\n"
                           "  -h, --help              print this\n"
                           "\n"
                           "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no brood there\n"
                           "\n"
                           "More: man broodctl\n";
/* clang-format on */

static int fail(const char *what, const char *why) {
    fprintf(stderr, "broodctl: error: %s: %s\n", what, why);
    return STATUS_FAILED;
}

static int wrong(const char *what, const char *word) {
    fprintf(stderr, "broodctl: error: %s%s; see broodctl --help\n", what, word);
    return STATUS_WRONG;
}

static int write_out(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno != EINTR)
            return fail("standard output", strerror(errno));
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return STATUS_DONE;
}

/* --- import ------------------------------------------------------------------------------------------------------- */

static int read_file(const char *file, char **ret_bytes, size_t *ret_length) {
    if (strcmp(file, "-") == 0)
        return whole_read(STDIN_FILENO, IMPORT_BYTES_MAX, ret_bytes, ret_length);
    CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : whole_read(fd, IMPORT_BYTES_MAX, ret_bytes, ret_length);
}

/* The directory of a file as supervisord has it, absolute: into a buffer of PATH_MAX. Where it can't be told: "." */
static void directory_of(const char *file, char *directory) {
    char *end = realpath(strcmp(file, "-") == 0 ? "." : file, directory) ? directory + strlen(directory) : NULL;
    char *slash = end ? strrchr(directory, '/') : NULL;
    if (!slash)
        snprintf(directory, PATH_MAX, ".");
    else if (strcmp(file, "-") != 0)
        slash[slash == directory] = '\0'; /* of /app.conf it is / */
}

static void print_fault(const char *name, const struct config_fault *fault) {
    if (fault->line)
        fprintf(stderr, "%s:%u: error: %s\n", name, fault->line, fault->text);
    else
        fprintf(stderr, "%s: error: %s\n", name, fault->text);
}

static int run_import(char **words) {
    const char *file = words[0], *name = strcmp(file, "-") == 0 ? "<stdin>" : file;
    char directory[PATH_MAX], *bytes;
    struct import_input input = {.name = name, .here = directory};
    struct import import;
    int r = read_file(file, &bytes, &input.length);
    if (r < 0)
        return fail(name, r == -EFBIG ? "is larger than 1 MiB" : strerror(-r));
    directory_of(file, directory);
    input.bytes = bytes;
    r = import_supervisord(&input, &import);
    free(bytes);
    if (r < 0)
        return fail(name, strerror(-r));
    for (uint32_t i = 0; i < import.faults_count; i++)
        print_fault(name, &import.faults[i]);
    int status = import.text ? write_out(import.text, import.length) : STATUS_FAILED;
    import_free(&import);
    return status;
}

/* --- the command line --------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int words; /* that have to follow */
    int (*run)(char **words);
} commands[] = {
    {"import", 1, run_import},
};

static int run(int count, char **words) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, words[0]) != 0)
            continue;
        if (count - 1 < commands[i].words)
            return wrong("a FILE has to follow ", words[0]);
        if (count - 1 > commands[i].words)
            return wrong("too many words, from here on: ", words[1 + commands[i].words]);
        if (words[1][0] == '-' && words[1][1] != '\0')
            return wrong("unknown option ", words[1]);
        return commands[i].run(words + 1);
    }
    return wrong(words[0][0] == '-' ? "unknown option " : "unknown command ", words[0]);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return wrong("no command", "");
    const char *first = argv[1];
    if (strcmp(first, "-h") == 0 || strcmp(first, "--help") == 0)
        return write_out(help, strlen(help));
    if (strcmp(first, "-V") == 0 || strcmp(first, "--version") == 0)
        return write_out(version, strlen(version));
    return run(argc - 1, argv + 1);
}
