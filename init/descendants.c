/* Processes that brood did not fork: see descendants.h.
 *
 * Each look reads the whole of /proc into one of two tables and then swaps them: who was sent which signal is carried
 * over from the former table to the new one, by pid and start time, so that what is remembered is bounded by what is
 * alive. /proc stays open (it is found also when something is mounted over it) and is read without allocating once the
 * buffers are large enough; they are kept.
 *
 * A look costs a few microseconds for each process there is, and a thousand workers that crash at once must not cost a
 * look each: whether a group has a member left is asked of the last table first. It may be old, but what it names is
 * held and compared before it is believed; what it does not name takes a look.
 *
 * Kernel's surprises: comm may hold blanks, brackets and newlines, so a stat line is read after its last ')'. A process
 * whose first thread has ended while others run is shown as Z: only one with a single thread is dead. */
#include "init/descendants.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/lineage.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define STAT_BYTES 2048 /* a stat line: 64 bytes of comm, 51 numbers of at most 20 digits */
#define ROUNDS_MAX 100  /* looks in one call: a fork bomb must not hold brood up for ever */
#define CHAIN_MAX 10000 /* ancestors looked at: a reused pid may close a circle */
#define TABLE_FIRST 256 /* processes there is room for at first */

_Static_assert(sizeof(pid_t) == sizeof(int32_t), "lineage.h has pids as int32_t");

struct table {
    struct lineage_process *processes;
    uint64_t *told; /* by process: bit n - 1 is set where it was sent signal n */
    size_t count;
    size_t capacity;
};

struct descendants {
    DIR *proc; /* NULL: not usable */
    const char *why;
    bool examined;
    struct table now;
    struct table spare; /* the former one, and room for the next */
    uint32_t *chosen;   /* room for now.count */
    size_t chosen_capacity;
    uint64_t told_all; /* without /proc: what kill(-1) was called with */
};

static int examine(struct descendants *descendants);

/* --- reading /proc ------------------------------------------------------------------------------------------------ */

/* pid (comm) state ppid pgrp session … num_threads itrealvalue starttime …: fields 1, 3 to 6, 20 and 22 of proc(5). */
static int parse_stat(const char *text, struct lineage_process *ret) {
    const char *end = strrchr(text, ')');
    if (end == NULL)
        return -EINVAL;
    struct lineage_process process = {0};
    long threads;
    int read = sscanf(end + 1, " %c %d %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %*s %" SCNu64,
                      &process.state, &process.ppid, &process.pgid, &process.sid, &threads, &process.start);
    if (read != 6)
        return -EINVAL;
    process.pid = (int32_t)strtol(text, NULL, 10);
    if (process.state == 'Z' && threads > 1)
        process.state = 'S';
    *ret = process;
    return 0;
}

/* name: "12/stat", "self/stat". -ENOENT or -ESRCH where the process is gone. */
static int read_stat(const struct descendants *descendants, const char *name, struct lineage_process *ret) {
    char text[STAT_BYTES];
    int fd = openat(dirfd(descendants->proc), name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    ssize_t length = read(fd, text, sizeof text - 1);
    int error = errno;
    close(fd);
    if (length < 0)
        return -error;
    text[length] = '\0';
    return parse_stat(text, ret);
}

static int read_process(const struct descendants *descendants, pid_t pid, struct lineage_process *ret) {
    char name[32];
    snprintf(name, sizeof name, "%d/stat", (int)pid);
    return read_stat(descendants, name, ret);
}

static bool is_gone(int error) {
    return error == -ENOENT || error == -ESRCH;
}

static int table_grow(struct table *table) {
    size_t capacity = table->capacity == 0 ? TABLE_FIRST : 2 * table->capacity;
    struct lineage_process *processes = reallocarray(table->processes, capacity, sizeof *processes);
    if (processes == NULL)
        return -ENOMEM;
    table->processes = processes;
    uint64_t *told = reallocarray(table->told, capacity, sizeof *told);
    if (told == NULL)
        return -ENOMEM;
    table->told = told;
    table->capacity = capacity;
    return 0;
}

static int table_append(struct table *table, const struct lineage_process *process) {
    if (table->count == table->capacity && table_grow(table) < 0)
        return -ENOMEM;
    table->processes[table->count++] = *process;
    return 0;
}

static bool is_number(const char *name) {
    return name[0] >= '1' && name[0] <= '9' && strspn(name, "0123456789") == strlen(name);
}

static int read_table(struct descendants *descendants, struct table *table) {
    table->count = 0;
    rewinddir(descendants->proc);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(descendants->proc);
        if (entry == NULL)
            return -errno;
        if (!is_number(entry->d_name))
            continue;
        struct lineage_process process;
        int r = read_process(descendants, (pid_t)strtol(entry->d_name, NULL, 10), &process);
        if (r == 0)
            r = table_append(table, &process);
        if (r < 0 && !is_gone(r))
            return r; /* half a table would let stragglers off */
    }
}

/* Both are sorted: one walk through the two. */
static void carry_over(const struct table *former, struct table *table) {
    size_t j = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct lineage_process *process = &table->processes[i];
        while (j < former->count &&
               (former->processes[j].pid < process->pid ||
                (former->processes[j].pid == process->pid && former->processes[j].start < process->start)))
            j++;
        bool same = j < former->count && former->processes[j].pid == process->pid &&
                    former->processes[j].start == process->start;
        table->told[i] = same ? former->told[j] : 0;
    }
}

/* Makes descendants->now what /proc says now; it stays as it was where that fails. */
static int look(struct descendants *descendants) {
    struct table *table = &descendants->spare;
    int r = read_table(descendants, table);
    if (r < 0)
        return r;
    if (table->count > descendants->chosen_capacity) {
        uint32_t *chosen = reallocarray(descendants->chosen, table->capacity, sizeof *chosen);
        if (chosen == NULL)
            return -ENOMEM;
        descendants->chosen = chosen;
        descendants->chosen_capacity = table->capacity;
    }
    lineage_sort(table->processes, table->count);
    carry_over(&descendants->now, table);
    struct table former = descendants->now;
    descendants->now = descendants->spare;
    descendants->spare = former;
    return 0;
}

/* --- one process -------------------------------------------------------------------------------------------------- */

/* Whether it still is the one that was looked at, and alive: 0, -ESRCH. -EAGAIN: it has another group now, which may
 * be one that is spared. Else another -errno. */
static int confirm(const struct descendants *descendants, const struct lineage_process *process) {
    struct lineage_process again;
    int r = read_process(descendants, process->pid, &again);
    if (is_gone(r))
        return -ESRCH;
    if (r < 0)
        return r;
    if (again.start != process->start || again.state == 'Z' || again.state == 'X')
        return -ESRCH;
    return again.pgid != process->pgid ? -EAGAIN : 0;
}

/* A pidfd of exactly that process: first held, then compared. -ESRCH: it is gone; -ENOSYS: there are no pidfds here
 * (an old kernel, gVisor, or a seccomp filter: pidfd_open itself never says EPERM). */
static int open_process(const struct descendants *descendants, const struct lineage_process *process) {
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (fd < 0)
        return errno == EPERM ? -ENOSYS : errno == EINVAL ? -ESRCH : -errno;
    int r = confirm(descendants, process);
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

/* By pid, right after the comparison: the best there is without pidfds. */
static int kill_process(const struct descendants *descendants, const struct lineage_process *process, int signal) {
    int r = confirm(descendants, process);
    if (r < 0)
        return r;
    return kill(process->pid, signal) < 0 ? -errno : 0;
}

/* Sends signal and, where it is not KILL, CONT after it: a stopped process would never see it. Errors as confirm(). */
static int signal_process(const struct descendants *descendants, const struct lineage_process *process, int signal) {
    int r = 0;
    int fd = open_process(descendants, process);
    if (fd < 0 && fd != -ENOSYS)
        return fd;
    if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0)
        r = -errno;
    /* A seccomp filter says EPERM too, where kill() may go. */
    if (fd < 0 || r == -ENOSYS || r == -EPERM)
        r = kill_process(descendants, process, signal);
    if (r == 0 && signal != SIGKILL && signal != SIGCONT) {
        if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0) < 0)
            kill_process(descendants, process, SIGCONT);
    }
    if (fd >= 0)
        close(fd);
    return r;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static int compare_groups(const void *a, const void *b) {
    const pid_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* One look; signals whom it hasn't told yet. Returns how many, or -errno where it was none; *ret_again: another look
 * may find more. Who was killed, or has gone meanwhile, may have forked after the look. Not so after other signals:
 * what a process starts when it is told to stop is there to tidy up. */
static int signal_round(struct descendants *descendants, int signal, const pid_t *groups, size_t groups_count,
                        bool *ret_again) {
    int r = look(descendants);
    if (r < 0)
        return r;
    struct table *now = &descendants->now;
    uint64_t bit = UINT64_C(1) << (signal - 1);
    size_t count = lineage_stragglers(now->processes, now->count, getpid(), groups, groups_count, descendants->chosen);
    int signalled = 0, failed = 0;
    bool again = false;
    for (size_t i = 0; i < count; i++) {
        uint32_t index = descendants->chosen[i];
        if (now->told[index] & bit)
            continue;
        r = signal_process(descendants, &now->processes[index], signal);
        if (r == 0)
            signalled++;
        else if (r != -ESRCH && r != -EAGAIN)
            failed = r;
        /* One that may not be signalled never may; one that there was no descriptor for is tried again next time. */
        if (r == 0 || r == -EPERM)
            now->told[index] |= bit;
        again = again || r == -EAGAIN || (signal == SIGKILL && (r == 0 || r == -ESRCH));
    }
    *ret_again = again;
    return signalled > 0 || failed == 0 ? signalled : failed;
}

/* Without /proc brood can't tell its own from others: only PID 1 may assume that all are its own. */
static int signal_all(struct descendants *descendants, int signal, size_t groups_count) {
    uint64_t bit = UINT64_C(1) << (signal - 1);
    if (getpid() != 1 || groups_count > 0 || (signal != SIGKILL && (descendants->told_all & bit)))
        return 0;
    if (kill(-1, signal) < 0)
        return errno == ESRCH ? 0 : -errno;
    descendants->told_all |= bit;
    if (signal != SIGKILL && signal != SIGCONT)
        kill(-1, SIGCONT);
    return 1;
}

int descendants_signal(struct descendants *descendants, int signal, pid_t *groups, size_t groups_count) {
    assert(signal > 0 && signal <= 64);
    int failed = examine(descendants);
    if (failed < 0)
        return failed;
    if (descendants->proc == NULL)
        return signal_all(descendants, signal, groups_count);
    if (groups_count > 0)
        qsort(groups, groups_count, sizeof *groups, compare_groups);
    int total = 0;
    bool again = true;
    for (int round = 0; again && round < ROUNDS_MAX; round++) {
        int r = signal_round(descendants, signal, groups, groups_count, &again);
        if (r < 0)
            return total > 0 ? total : r;
        total += r;
    }
    return total;
}

int descendants_member(struct descendants *descendants, pid_t pgid) {
    assert(pgid > 1);
    /* Zombies are members too for kill(), so that only its no is an answer. */
    if (kill(-pgid, 0) < 0 && errno == ESRCH)
        return -ESRCH;
    int failed = examine(descendants);
    if (failed < 0)
        return failed;
    if (descendants->proc == NULL)
        return -EOPNOTSUPP;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        int r = round == 0 ? 0 : look(descendants);
        if (r < 0)
            return r;
        ptrdiff_t index = lineage_member(descendants->now.processes, descendants->now.count, pgid);
        if (index < 0 && round == 0)
            continue;
        if (index < 0)
            return -ESRCH;
        int fd = open_process(descendants, &descendants->now.processes[index]);
        if (fd != -ESRCH && fd != -EAGAIN)
            return fd;
    }
    return -EAGAIN; /* members come and go faster than they can be held */
}

/* Reads the ancestors alone, not all of /proc: every sd_notify message asks. */
bool descendants_below(struct descendants *descendants, pid_t pid, pid_t ancestor) {
    if (pid == ancestor)
        return true;
    if (examine(descendants) < 0 || descendants->proc == NULL)
        return false;
    struct table *chain = &descendants->spare;
    chain->count = 0;
    pid_t at = pid, self = getpid();
    bool complete = false;
    while (!complete && at > 0 && chain->count < CHAIN_MAX) {
        struct lineage_process process;
        if (read_process(descendants, at, &process) < 0 || table_append(chain, &process) < 0)
            return false;
        complete = at == ancestor || at == self; /* nobody above brood is asked for */
        at = process.ppid;
    }
    lineage_sort(chain->processes, chain->count);
    return lineage_descends(chain->processes, chain->count, pid, ancestor);
}

/* --- the object --------------------------------------------------------------------------------------------------- */

/* What passes: no reason to do without /proc for good. */
static bool is_passing(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR;
}

/* Why /proc says nothing about brood, to *ret_why; NULL: it does. Returns 0, or -errno where one can't tell now. */
static int find_fault(const struct descendants *descendants, const char **ret_why) {
    struct lineage_process self;
    const char *why = NULL;
    int r = read_stat(descendants, "self/stat", &self);
    if (is_passing(-r))
        return r;
    rewinddir(descendants->proc);
    errno = 0;
    if (is_gone(r))
        why = "/proc is not mounted, or belongs to another PID namespace";
    else if (r < 0)
        why = "/proc/self/stat can't be read";
    else if (self.pid != getpid())
        why = "/proc belongs to another PID namespace";
    else if (readdir(descendants->proc) == NULL)
        why = "/proc can't be listed";
    if (is_passing(errno))
        return -errno;
    *ret_why = why;
    return 0;
}

/* Once, before the first use: gives /proc up where it says nothing about brood. Returns 0, or -errno where one can't
 * tell now. */
static int examine(struct descendants *descendants) {
    if (descendants->examined || descendants->proc == NULL)
        return 0;
    int r = find_fault(descendants, &descendants->why);
    if (r < 0)
        return r;
    descendants->examined = true;
    if (descendants->why != NULL) {
        closedir(descendants->proc);
        descendants->proc = NULL;
    }
    return 0;
}

int descendants_open(struct descendants **ret) {
    struct descendants *descendants = calloc(1, sizeof *descendants);
    if (descendants == NULL)
        return -ENOMEM;
    descendants->proc = opendir("/proc");
    if (descendants->proc == NULL && is_passing(errno)) {
        int r = -errno;
        descendants_close(descendants);
        return r;
    }
    descendants->why = "/proc can't be opened";
    *ret = descendants;
    return 0;
}

static void table_free(struct table *table) {
    free(table->processes);
    free(table->told);
}

void descendants_close(struct descendants *descendants) {
    if (descendants == NULL)
        return;
    if (descendants->proc != NULL)
        closedir(descendants->proc);
    table_free(&descendants->now);
    table_free(&descendants->spare);
    free(descendants->chosen);
    free(descendants);
}

bool descendants_usable(struct descendants *descendants, const char **ret_why) {
    if (examine(descendants) < 0 || descendants->proc != NULL)
        return true;
    *ret_why = descendants->why;
    return false;
}
