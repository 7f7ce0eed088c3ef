/* What brood's own records and the framed lines of workers have in common: which bytes are a character of UTF-8, and
 * the time of day as text. The time of day decides nothing; nobody else asks for it. */
#ifndef INIT_TEXT_H
#define INIT_TEXT_H

#include <stddef.h>

#define TEXT_TIME_BYTES 25 /* of 2026-01-01T00:00:00.000Z, with its NUL */

/* Bytes of the well-formed UTF-8 character that text begins with, 1 to 4; 0 where there is none. end > text. */
size_t utf8_length(const unsigned char *text, const unsigned char *end);

/* RFC 3339, UTC, milliseconds: now. */
void text_time(char ret[static TEXT_TIME_BYTES]);

#endif
