/* See text.h. Sources: RFC 3339, Unicode 15 table 3-7 (well-formed UTF-8). */
#include "init/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static bool is_between(unsigned char byte, unsigned char low, unsigned char high) {
    return byte >= low && byte <= high;
}

size_t utf8_length(const unsigned char *text, const unsigned char *end) {
    unsigned char low = 0x80, high = 0xbf;
    size_t length;
    if (text[0] < 0x80)
        return 1;
    if (is_between(text[0], 0xc2, 0xdf))
        length = 2;
    else if (is_between(text[0], 0xe0, 0xef))
        length = 3;
    else if (is_between(text[0], 0xf0, 0xf4))
        length = 4;
    else
        return 0;
    if ((size_t)(end - text) < length)
        return 0;
    /* No overlong forms, no surrogates, nothing beyond U+10FFFF: all are told by the second byte. */
    if (text[0] == 0xe0)
        low = 0xa0;
    if (text[0] == 0xed)
        high = 0x9f;
    if (text[0] == 0xf0)
        low = 0x90;
    if (text[0] == 0xf4)
        high = 0x8f;
    if (!is_between(text[1], low, high))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (!is_between(text[i], 0x80, 0xbf))
            return 0;
    }
    return length;
}

/* RFC 3339, UTC, milliseconds. Not by gmtime_r(): it reads TZ and /etc/localtime first, and allocates for them. */
void text_time(char ret[static TEXT_TIME_BYTES]) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    long long seconds = (long long)now.tv_sec;
    long long day = seconds / 86400, second = seconds % 86400;
    if (second < 0) {
        second += 86400;
        day--;
    }
    /* Days since 0000-03-01: a year that begins in March ends with its leap day, eras of 400 years are all alike. */
    day += 719468;
    long long era = (day >= 0 ? day : day - 146096) / 146097;
    long long of_era = day - era * 146097;
    long long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long long of_year = of_era - (365 * year + year / 4 - year / 100);
    long long month = (5 * of_year + 2) / 153;
    long long of_month = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);

    /* Modulo what each field has digits for, so that the compiler sees that it fits; all of it, for 7,900 years
     * more. */
    snprintf(ret, TEXT_TIME_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000, (unsigned)month % 100,
             (unsigned)of_month % 100, (unsigned)(second / 3600) % 100, (unsigned)(second / 60 % 60),
             (unsigned)(second % 60), (unsigned)(now.tv_nsec / 1000000) % 1000);
}
