/* The program that is wrapped in tests of wrapping: says which version of itself ran, or all that its caller could tell
 * it from an unwrapped one by. Static, so that nothing but the kernel and its callers decides.
 *
 *     tool [args | facts | exit:N | raise:N | serve | wait | tty] [ARGUMENT]...
 *
 * Anything else, a script's path for one, is an argument like others. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

/* Tests make copies with another digit in it. */
static const char VERSION[] = "version=1";

static void show_lines_of(const char *path, const char *const *fields, size_t count) {
    char line[512];
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        for (size_t i = 0; i < count; i++)
            if (strncmp(line, fields[i], strlen(fields[i])) == 0)
                fputs(line, stdout);
    if (file != NULL)
        fclose(file);
}

static void show_descriptors(void) {
    DIR *entries = opendir("/proc/self/fd");
    for (const struct dirent *entry = entries == NULL ? NULL : readdir(entries); entry != NULL;
         entry = readdir(entries))
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != dirfd(entries))
            printf("fd %s\n", entry->d_name);
    if (entries != NULL)
        closedir(entries);
}

/* All but pids and the environment, which differ, or have a part that may. */
static void facts(int argc, char **argv) {
    static const char *const fields[] = {"SigBlk", "SigIgn",     "SigPnd", "Uid",          "Gid",
                                         "Groups", "NoNewPrivs", "Cap",    "Cpus_allowed:"};
    char directory[4096];
    struct rlimit files;
    mode_t mask = umask(0);
    getrlimit(RLIMIT_NOFILE, &files);
    printf("pid %d\nargc %d\nargv[0] %s\n", getpid(), argc, argv[0]);
    printf("cwd %s\numask %o\n", getcwd(directory, sizeof directory), mask);
    printf("group %d\nsession %d\nfiles %lu\n", getpgrp(), getsid(0), (unsigned long)files.rlim_cur);
    show_lines_of("/proc/self/status", fields, sizeof fields / sizeof fields[0]);
    show_descriptors();
    for (char **variable = environ; *variable != NULL; variable++)
        printf("env %s\n", *variable);
}

static void ready(void) {
    printf("ready %d\n", getpid());
    fflush(stdout);
}

/* Says which signal came first, and ends well. */
static int serve(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGWINCH};
    sigset_t set;
    int number = 0;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    ready();
    sigwait(&set, &number);
    printf("got %d\n", number);
    return 0;
}

static int show_terminal(void) {
    struct winsize size = {0};
    ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    printf("%d %d %d foreground=%s %dx%d\n", isatty(0), isatty(1), isatty(2), tcgetpgrp(0) == getpgrp() ? "yes" : "no",
           size.ws_row, size.ws_col);
    return serve();
}

static void show_arguments(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        fwrite(argv[i], 1, strlen(argv[i]) + 1, stdout);
}

static _Noreturn void wait_for_death(void) {
    ready();
    for (;;)
        pause();
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strncmp(mode, "exit:", 5) == 0)
        return (int)strtol(mode + 5, NULL, 10);
    if (strncmp(mode, "raise:", 6) == 0)
        return raise((int)strtol(mode + 6, NULL, 10));
    if (strcmp(mode, "serve") == 0)
        return serve();
    if (strcmp(mode, "wait") == 0)
        wait_for_death();
    if (strcmp(mode, "tty") == 0)
        return show_terminal();
    if (strcmp(mode, "args") == 0)
        show_arguments(argc, argv);
    else if (strcmp(mode, "facts") == 0)
        facts(argc, argv);
    else
        printf("ran %s\n", VERSION);
    return 0;
}
