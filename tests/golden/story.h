/* Stories: what brood does, told as a trace in virtual time, written by hand and compared to the letter.
 *
 *     ; What the story shows, in some lines.          (the head)
 *     [worker:web]                                    (the config, as in a brood.ini)
 *     start = node server.js
 *     ----
 *     < [     0] boot                                 (a fact that comes in)
 *       [     0] container: boot -> run               (what brood says)
 *     > [  5000] web/0#1 SIGNAL TERM, CONT            (what brood does about it; forks are told by what it says)
 *     ! [ 60000] web/0 exited 0                       (a fact after a pause: what was due meanwhile was not seen)
 *     = 0: stopped by TERM                            (the end: exit status and reason; or `= goes on`)
 *
 * Lines of the head that begin with `$` stand for the command line: `$ --grace 5s`, `$ -- sleep 60`. `$ no config`
 * takes the file away, `$ manager` shows what a manager above brood is told. Blank lines and lines with `;` in the
 * trace are for the reader. */
#ifndef TESTS_GOLDEN_STORY_H
#define TESTS_GOLDEN_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/event.h"
#include "supervisor/supervisor.h"

#define STORY_BYTES_MAX 65536
#define STORY_LINES_MAX 1000
#define STORY_WORDS_MAX 16

struct story {
    const char *path;
    char bytes[STORY_BYTES_MAX];
    char config[STORY_BYTES_MAX];
    size_t config_length;
    bool no_config;
    bool manager;
    char *command[STORY_WORDS_MAX + 1]; /* [0] NULL: none */
    const char *grace;                  /* NULL: not given */
    const char *lines[STORY_LINES_MAX]; /* of the trace, without what is for the reader */
    uint32_t lines_count;
};

/* Reads a story; false where it can't be read or has no trace, and says so. */
bool story_read(struct story *story, const char *path);

/* A line that begins with `<` or `!` to the event it stands for, as sv is now (generations).
 * Returns NULL, or what is wrong. */
const char *fact_parse(const struct sv *sv, const char *line, struct event *ret);

#endif
