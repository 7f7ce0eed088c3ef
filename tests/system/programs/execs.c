/* Executes a program in each way that there is, for tests of the preload library. Compiled with glibc and with musl.
 *
 *     execs [OPTION]... WAY PROGRAM [ARGUMENT]...
 *
 * Options: clear (an empty environ), null (environ is NULL), set:NAME=VALUE, variables:N more of them, arguments:N more
 * of them, chdir:DIR (spawn_chdir's too), stack:BYTES of the thread or the signal handler. What fails is told on stdout
 * with its errno, and so is an errno that a success has changed; the status is 1 then, else that of the program. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
/* musl has none; the preload library has. */
extern int execveat(int directory, const char *path, char *const *argv, char *const *envp, int flags)
    __attribute__((weak));

#define ERRNO_BEFORE 77
#define PAGE 4096

static struct {
    const char *way;
    const char *program;
    char **argv;
    const char *directory;
    size_t stack;
    int arguments; /* of argv */
} asked = {.stack = 256 * 1024};

static void tell(int error) {
    dprintf(STDOUT_FILENO, "%s: error %d\n", asked.way, error);
}

/* The child's status, as the shell has it. */
static int await(pid_t pid) {
    int status = 0;
#ifdef __GLIBC__ /* musl's children search PATH in its parent's memory, errno included */
    if (errno != ERRNO_BEFORE) {
        dprintf(STDOUT_FILENO, "%s: a success has set errno to %d\n", asked.way, errno);
        return 1;
    }
#endif
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int end(int error) {
    tell(error);
    return 1;
}

/* --- exec --------------------------------------------------------------------------------------------------------- */

static int by_fd(int (*execute)(int)) {
    int fd = open(asked.program, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    errno = ERRNO_BEFORE;
    return execute(fd);
}

static int by_fexecve(int fd) {
    return fexecve(fd, asked.argv, environ);
}

static int by_execveat_fd(int fd) {
    return execveat(fd, "", asked.argv, environ, AT_EMPTY_PATH);
}

static int execute(const char *way) {
    const char *path = asked.program;
    char **argv = asked.argv, **env = environ;
    errno = ERRNO_BEFORE;
    if (strcmp(way, "execve") == 0)
        return execve(path, argv, env);
    if (strcmp(way, "execv") == 0)
        return execv(path, argv);
    if (strcmp(way, "execvp") == 0)
        return execvp(path, argv);
    if (strcmp(way, "execvpe") == 0)
        return execvpe(path, argv, env);
    if (strcmp(way, "fexecve") == 0)
        return by_fd(by_fexecve);
    if (strcmp(way, "execveat") == 0)
        return execveat(AT_FDCWD, path, argv, env, 0);
    if (strcmp(way, "execveat_fd") == 0)
        return by_fd(by_execveat_fd);
    /* Lists have three arguments, or one where no more are asked for. */
    char *second = asked.arguments > 1 ? argv[1] : NULL, *third = asked.arguments > 2 ? argv[2] : NULL;
    if (strcmp(way, "execl") == 0)
        return execl(path, argv[0], second, third, (char *)NULL);
    if (strcmp(way, "execlp") == 0)
        return execlp(path, argv[0], second, third, (char *)NULL);
    if (strcmp(way, "execle") == 0 && third != NULL)
        return execle(path, argv[0], second, third, (char *)NULL, env);
    if (strcmp(way, "execle") == 0)
        return execle(path, argv[0], (char *)NULL, env);
#define TEN(a) a, a, a, a, a, a, a, a, a, a
    if (strcmp(way, "execl_many") == 0)
        return execl(path, argv[0], TEN("x"), TEN("x"), TEN("x"), TEN("x"), TEN("x"), TEN("x"), TEN("x"), (char *)NULL);
    dprintf(STDOUT_FILENO, "%s: no such way\n", way);
    _exit(2);
}

static int by_vfork(void) {
    errno = ERRNO_BEFORE;
    pid_t pid = vfork();
    if (pid == 0) {
        execve(asked.program, asked.argv, environ);
        _exit(99);
    }
    return await(pid);
}

static void *in_thread(void *unused) {
    execute("execve");
    tell(errno);
    return unused;
}

static int by_thread(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);
    if (error == 0)
        error = pthread_attr_setstacksize(&attributes, asked.stack);
    if (error == 0)
        error = pthread_create(&thread, &attributes, in_thread, NULL);
    if (error == 0)
        error = pthread_join(thread, NULL);
    return error == 0 ? 1 : end(error);
}

static void in_handler(int number) {
    (void)number;
    execute("execve");
    tell(errno);
    _exit(1);
}

/* On a stack of its own below which nothing may be touched. */
static int by_handler(void) {
    size_t size = (asked.stack + PAGE - 1) / PAGE * PAGE;
    char *memory = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE) < 0)
        return end(errno);
    stack_t stack = {.ss_sp = memory + PAGE, .ss_size = size};
    struct sigaction action = {.sa_handler = in_handler, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0)
        return end(errno);
    return raise(SIGUSR1) == 0 ? 1 : 2;
}

/* --- spawn, shells ------------------------------------------------------------------------------------------------ */

static int by_spawn(const char *way) {
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0 && strcmp(way, "spawn_chdir") == 0)
        error = posix_spawn_file_actions_addchdir_np(&actions, asked.directory);
    else if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    errno = ERRNO_BEFORE;
    if (error != 0)
        return end(error);
    if (strcmp(way, "spawn") == 0)
        error = posix_spawn(&pid, asked.program, NULL, NULL, asked.argv, environ);
    else if (strcmp(way, "spawnp") == 0)
        error = posix_spawnp(&pid, asked.program, NULL, NULL, asked.argv, environ);
    else if (strcmp(way, "spawnp_actions") == 0)
        error = posix_spawnp(&pid, asked.program, &actions, NULL, asked.argv, environ);
    else
        error = posix_spawn(&pid, asked.program, &actions, NULL, asked.argv, environ);
    return error != 0 ? end(error) : await(pid);
}

/* The command is PROGRAM alone. The environment must be afterwards what it was before. */
static int by_shell(const char *way) {
    char **before = environ;
    const char *path = getenv("PATH");
    int status = 0;
    fflush(stdout);
    errno = ERRNO_BEFORE;
    if (strcmp(way, "system") == 0) {
        status = system(asked.program);
    } else {
        char line[8192];
        FILE *stream = popen(asked.program, "r");
        if (stream == NULL)
            return end(errno);
        while (fgets(line, sizeof line, stream) != NULL)
            fputs(line, stdout);
        fflush(stdout);
        status = pclose(stream);
    }
    if (environ != before || getenv("PATH") != path) {
        dprintf(STDOUT_FILENO, "%s: environ has changed\n", way);
        return 1;
    }
    return status < 0 ? end(errno) : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- options ------------------------------------------------------------------------------------------------------ */

static const char *after(const char *text, const char *start) {
    size_t length = strlen(start);
    return strncmp(text, start, length) == 0 ? text + length : NULL;
}

static void add_variables(int count) {
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "V%d", i);
        setenv(name, "x", 1);
    }
}

/* Returns the first word that is no option. */
static char **take_options(char **word, int *ret_more) {
    static char *empty[] = {NULL}; /* clearenv() makes it NULL */
    for (; *word != NULL; word++) {
        const char *value;
        if (strcmp(*word, "clear") == 0)
            environ = empty;
        else if (strcmp(*word, "null") == 0)
            environ = NULL;
        else if ((value = after(*word, "set:")) != NULL)
            putenv(*word + strlen("set:"));
        else if ((value = after(*word, "variables:")) != NULL)
            add_variables((int)strtol(value, NULL, 10));
        else if ((value = after(*word, "arguments:")) != NULL)
            *ret_more = (int)strtol(value, NULL, 10);
        else if ((value = after(*word, "chdir:")) != NULL)
            asked.directory = value;
        else if ((value = after(*word, "stack:")) != NULL)
            asked.stack = strtoul(value, NULL, 10);
        else
            break;
    }
    return word;
}

int main(int argc, char **argv) {
    int more = 0;
    char **word = take_options(argv + 1, &more);
    int left = argc - (int)(word - argv);
    if (left < 2)
        return 2;
    asked.way = word[0];
    asked.program = word[1];
    asked.arguments = left - 1 + more;
    asked.argv = calloc((size_t)asked.arguments + 1, sizeof *asked.argv);
    if (asked.argv == NULL)
        return 2;
    for (int i = 0; i < asked.arguments; i++) {
        static char one[] = "x";
        asked.argv[i] = i < left - 1 ? word[1 + i] : one;
    }
    if (strcmp(asked.way, "vfork") == 0)
        return by_vfork();
    if (strcmp(asked.way, "thread") == 0)
        return by_thread();
    if (strcmp(asked.way, "handler") == 0)
        return by_handler();
    if (after(asked.way, "spawn") != NULL)
        return by_spawn(asked.way);
    if (strcmp(asked.way, "system") == 0 || strcmp(asked.way, "popen") == 0)
        return by_shell(asked.way);
    execute(asked.way);
    return end(errno);
}
