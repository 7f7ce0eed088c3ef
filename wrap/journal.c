/* Writes and reads the journal of reach = strict: see journal.h.
 *
 * A reader trusts only what it can check: it may be root who reads, in a directory like /tmp. Who may have written the
 * file is the caller's question (strict_undo.c); here every byte of a line has its rule, and one bad line makes the
 * whole journal void: undoing half of it would be worse than saying that something is wrong. */
#include "wrap/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/strict_files.h"

#define HEADER "brood-strict 1"
#define DIRECTORY "directory "
#define NUMBER_DIGITS 9 /* below 2^32 without a second thought */
#define ATTEMPTS 8      /* a repairing brood took the new file for one that was left behind */

static const char *const WAYS[] = {[WAY_MOUNT] = "mount ", [WAY_LINK] = "link "};

/* --- reading ------------------------------------------------------------------------------------------------------ */

int journal_path_check(const char *path) {
    size_t length = strlen(path), start = 0;
    if (path[0] != '/' || length < 2 || length >= PATH_MAX)
        return -EINVAL;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '\0' && ((unsigned char)path[i] < 0x20 || path[i] == 0x7f))
            return -EINVAL;
        if (path[i] != '/' && path[i] != '\0')
            continue;
        const char *part = path + start + 1;
        size_t count = i - start - 1;
        if (count == 0 || count > NAME_MAX || (count == 1 && part[0] == '.') ||
            (count == 2 && part[0] == '.' && part[1] == '.'))
            return -EINVAL;
        start = i;
    }
    return 0;
}

static bool key_is_good(const char *key) {
    for (int i = 0; i < CONTEXT_KEY_BYTES; i++) {
        char c = key[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return key[CONTEXT_KEY_BYTES] == '\0';
}

/* Digits without leading zeros, then a blank. */
static const char *parse_number(const char *text, uint32_t *ret) {
    uint32_t number = 0;
    int digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits <= NUMBER_DIGITS; digits++)
        number = number * 10 + (uint32_t)(text[digits] - '0');
    if (digits == 0 || digits > NUMBER_DIGITS || (digits > 1 && text[0] == '0') || text[digits] != ' ')
        return NULL;
    *ret = number;
    return text + digits + 1;
}

static int parse_step(const char *line, struct journal_step *ret) {
    for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++) {
        size_t length = strlen(WAYS[i]);
        if (strncmp(line, WAYS[i], length) != 0)
            continue;
        struct journal_step step = {.way = (enum journal_way)i};
        step.path = parse_number(line + length, &step.number);
        if (step.path == NULL || journal_path_check(step.path) < 0)
            return -EBADMSG;
        *ret = step;
        return 0;
    }
    return -EBADMSG;
}

static int parse_line(struct journal_record *record, size_t number, const char *line) {
    if (number == 1)
        return strcmp(line, HEADER) == 0 ? 0 : -EBADMSG;
    if (number > 2)
        return parse_step(line, &record->steps[record->count++]);
    size_t length = strlen(line), prefix = strlen(DIRECTORY);
    if (strncmp(line, DIRECTORY, prefix) != 0 || length < prefix + CONTEXT_KEY_BYTES + 1 ||
        journal_path_check(line + prefix) < 0 || !key_is_good(line + length - CONTEXT_KEY_BYTES))
        return -EBADMSG;
    record->directory = line + prefix;
    record->key = line + length - CONTEXT_KEY_BYTES;
    return 0;
}

int journal_parse(char *text, size_t length, struct journal_record *ret, size_t *ret_line) {
    struct journal_record record = {.text = text};
    size_t lines = 0, line = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    record.steps = calloc(lines + 1, sizeof *record.steps);
    int r = record.steps == NULL ? -ENOMEM : 0;
    char *end;
    for (char *at = text; r == 0 && (end = memchr(at, '\n', (size_t)(text + length - at))) != NULL; at = end + 1) {
        *end = '\0';
        line++;
        r = strlen(at) == (size_t)(end - at) ? parse_line(&record, line, at) : -EBADMSG; /* a NUL byte inside */
    }
    if (r < 0) {
        journal_forget(&record);
        if (r == -EBADMSG)
            *ret_line = line;
        return r;
    }
    *ret = record;
    return 0;
}

void journal_forget(struct journal_record *record) {
    free(record->steps);
    free(record->text);
    *record = (struct journal_record){0};
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* A new file with the lock held. A brood that looks for journals to repair may lock it first, find it empty and remove
 * it: then another one is made. The wait for its lock is short. */
static int create_locked(int directory_fd, const char *name) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        CLEANUP_FD int fd =
            openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
        struct stat status;
        if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &status) < 0)
            return -errno;
        if (status.st_nlink > 0)
            return fd_take(&fd);
    }
    return -EAGAIN;
}

static int write_durably(int fd, const char *text, size_t length) {
    ssize_t written = write(fd, text, length);
    if (written < 0)
        return -errno;
    if ((size_t)written != length)
        return -ENOSPC;
    return fsync(fd) < 0 ? -errno : 0;
}

static int begin(struct journal *journal, int index, const char *directory) {
    char text[PATH_MAX + 64];
    int length = snprintf(text, sizeof text, HEADER "\n" DIRECTORY "%s\n", directory);
    if (length < 0 || (size_t)length >= sizeof text)
        return -ENAMETOOLONG;
    CLEANUP_FD int fd = create_locked(journal->places[index], journal->names[index]);
    if (fd < 0)
        return fd;
    int r = write_durably(fd, text, (size_t)length);
    if (r == 0 && fsync(journal->places[index]) < 0 && errno != EINVAL) /* EINVAL: nothing to sync there */
        r = -errno;
    if (r < 0) {
        unlinkat(journal->places[index], journal->names[index], 0);
        return r;
    }
    journal->fds[index] = fd_take(&fd);
    return 0;
}

int journal_open(int directory_fd, const char *directory, const char *key, struct journal *ret) {
    struct journal journal = {.fds = {-1, -1}, .places = {-1, -1}, .names = {JOURNAL_NAME}};
    if (journal_path_check(directory) < 0 || !key_is_good(key))
        return -EINVAL;
    snprintf(journal.names[1], sizeof journal.names[1], "journal-%s", key);
    journal.places[0] = fcntl(directory_fd, F_DUPFD_CLOEXEC, 3);
    int r = journal.places[0] < 0 ? -errno : begin(&journal, 0, directory);
    if (r < 0) {
        journal_close(&journal);
        return r;
    }
    journal.places[1] = strict_make_directory(AT_FDCWD, JOURNAL_RUN, STRICT_KEEP_MODE);
    if (journal.places[1] >= 0)
        (void)begin(&journal, 1, directory);
    *ret = journal;
    return 0;
}

int journal_add(struct journal *journal, const struct journal_step *step) {
    char text[PATH_MAX + 32];
    int length = snprintf(text, sizeof text, "%s%u %s\n", WAYS[step->way], step->number, step->path);
    if (length < 0 || (size_t)length >= sizeof text)
        return -ENAMETOOLONG;
    for (int i = 0; i < 2; i++) {
        int r = journal->fds[i] < 0 ? 0 : write_durably(journal->fds[i], text, (size_t)length);
        if (r < 0)
            return r;
    }
    return 0;
}

void journal_close(struct journal *journal) {
    for (int i = 0; i < 2; i++) {
        fd_close(&journal->fds[i]);
        fd_close(&journal->places[i]);
    }
}

/* The copy first: while DIRECTORY/journal stands, DIRECTORY isn't forgotten. */
void journal_remove(struct journal *journal) {
    for (int i = 1; i >= 0; i--)
        if (journal->fds[i] >= 0)
            unlinkat(journal->places[i], journal->names[i], 0);
    journal_close(journal);
}
