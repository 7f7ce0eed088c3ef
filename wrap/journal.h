/* The journal of reach = strict: what a brood that dies half-way leaves for the next one to read.
 *
 * A small text file, twice: DIRECTORY/journal beside the shims, and /run/brood/journal-KEY where that can be written
 * (the shims may lie in a tmpfs that a restart empties). One line per program and way, on the disk before the first
 * thing is changed that way; what has to be undone is then read from the files themselves. A brood that lives holds a
 * flock on both. Our own format, version 1:
 *
 *     brood-strict 1
 *     directory /run/brood/shims-Kz81Qa
 *     mount 0 /usr/bin/node
 *     link 1 /usr/bin/git */
#ifndef WRAP_JOURNAL_H
#define WRAP_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "wrap/context.h"

#define JOURNAL_NAME "journal"
#define JOURNAL_RUN "/run/brood"
#define JOURNAL_BYTES_MAX (1024 * 1024) /* 250 programs with the longest paths there are */

enum journal_way { WAY_MOUNT, WAY_LINK };

struct journal_step {
    enum journal_way way;
    uint32_t number;
    const char *path;
};

struct journal {
    int fds[2];    /* -1: not there */
    int places[2]; /* their directories */
    char names[2][sizeof "journal-" + CONTEXT_KEY_BYTES];
};

/* What was read. The strings point into text. */
struct journal_record {
    char *text;
    const char *directory; /* NULL: the header is incomplete, nothing had been changed yet */
    const char *key;       /* the last CONTEXT_KEY_BYTES bytes of directory */
    struct journal_step *steps;
    size_t count;
};

/* Whether a path may stand in a journal: absolute, no ".", ".." or empty part, no control byte, below PATH_MAX. */
int journal_path_check(const char *path);

/* Makes the journal in the directory that is open as directory_fd, and its copy where that works. Returns 0 or -errno;
 * then *ret is untouched. End it with journal_remove() or journal_close(). */
int journal_open(int directory_fd, const char *directory, const char *key, struct journal *ret);

/* Adds a line and waits for the disk. Returns 0 or -errno; after an error nothing may be added any more. */
int journal_add(struct journal *journal, const struct journal_step *step);

/* Removes the files and closes them; journal_close() leaves them for the next brood. */
void journal_remove(struct journal *journal);
void journal_close(struct journal *journal);

/* Pure. Takes text over in any case, length bytes and a NUL from malloc(). A last line without its end is one that was
 * being written when brood died: it is ignored, since its step never began. Returns 0, or -EBADMSG with the number of
 * the faulty line in *ret_line; -ENOMEM. Free it with journal_forget(). */
int journal_parse(char *text, size_t length, struct journal_record *ret, size_t *ret_line);
void journal_forget(struct journal_record *record);

#endif
