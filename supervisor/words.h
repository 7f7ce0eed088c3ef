/* A command line to words, as sh splits it: blanks separate, '…' and "…" quote, a backslash takes the next byte as it
 * is (inside "…" only before ", \, $ and `). No variables, no globs, no operators: a shell is wanted with sh -c '…'.
 * Source: POSIX.1-2017, Shell Command Language, 2.2 Quoting. */
#ifndef SUPERVISOR_WORDS_H
#define SUPERVISOR_WORDS_H

#include <stddef.h>

enum words_error {
    WORDS_E_QUOTE = 1, /* a quote is not closed */
    WORDS_E_BACKSLASH, /* the line ends with a backslash */
    WORDS_E_MANY,      /* more words than max */
};

/* Splits length bytes of text (no NUL among them). Words go, each with a NUL, one after the other into ret_bytes, which
 * has room for length + 1 bytes (words never need more); their number to *ret_count. max bounds it.
 * Returns 0, or a WORDS_E_*. An empty text gives no word. */
int words_split(const char *text, size_t length, size_t max, char *ret_bytes, size_t *ret_count);

#endif
