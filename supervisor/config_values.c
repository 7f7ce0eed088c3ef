/* Values by themselves: numbers, durations, names, quotes. Text in, value out; nothing
 * here knows of sections or faults. Numbers are read by loops of our own: strtol takes blanks,
 * signs and prefixes that the grammar doesn't have. */
#include "supervisor/config_internal.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many digits text begins with; their value, at most `most` + 1, goes to *ret. */
static size_t digits_read(const char *text, uint64_t most, uint64_t *ret) {
    uint64_t sum = 0;
    bool over = false;
    size_t count = 0;
    for (; is_digit(text[count]); count++) {
        uint64_t digit = (uint64_t)(text[count] - '0');
        over = over || sum > (most - digit) / 10 || digit > most;
        if (!over)
            sum = sum * 10 + digit;
    }
    *ret = over ? most + 1 : sum;
    return count;
}

bool number_parse(const char *text, uint64_t most, uint64_t *ret) {
    uint64_t number;
    size_t digits = digits_read(text, most, &number);
    if (digits == 0 || text[digits] != '\0' || number > most)
        return false;
    *ret = number;
    return true;
}

bool integer_parse(const char *text, int64_t least, int64_t most, int64_t *ret) {
    bool minus = *text == '-';
    uint64_t number;
    if (!number_parse(minus ? text + 1 : text, INT32_MAX, &number))
        return false;
    int64_t value = minus ? -(int64_t)number : (int64_t)number;
    if (value < least || value > most)
        return false;
    *ret = value;
    return true;
}

bool duration_parse(const char *text, msec_t *ret, const char **ret_why) {
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    uint64_t number;
    size_t digits = digits_read(text, DURATION_MAX_MS, &number);
    if (digits == 0) {
        *ret_why = "is not a duration; write a whole number with ms, s, m or h, such as 10s";
        return false;
    }
    if (text[digits] == '\0') {
        if (number == 0) {
            *ret = 0;
            return true;
        }
        *ret_why = "has no unit; write ms, s, m or h right behind the number, such as 10s";
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        if (number > (uint64_t)DURATION_MAX_MS / units[i].factor) {
            *ret_why = "is longer than 365 days; write at most 8760h";
            return false;
        }
        *ret = (msec_t)(number * units[i].factor);
        return true;
    }
    *ret_why = "is not a duration; write a whole number with ms, s, m or h, such as 10s";
    return false;
}

int config_duration(const char *text, msec_t *ret, const char **why) {
    const char *reason;
    if (duration_parse(text, ret, &reason))
        return 0;
    if (why != NULL)
        *why = reason;
    return -EINVAL;
}

bool name_valid(const char *text, size_t length) {
    if (length < 1 || length > NAME_MAX_BYTES || (!is_letter(text[0]) && !is_digit(text[0])))
        return false;
    for (size_t i = 1; i < length; i++) {
        if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-')
            return false;
    }
    return true;
}

bool variable_valid(const char *text, size_t length) {
    if (length < 1 || is_digit(text[0]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '_')
            return false;
    }
    return true;
}

/* --- quotes ------------------------------------------------------------------------------------------------------- */

/* Behind the quote that closes the one at `at`; length + 1 where nothing does. */
static size_t quote_end(const char *text, size_t length, size_t at, bool backslashes) {
    char quote = text[at++];
    while (at < length && text[at] != quote)
        at += backslashes && text[at] == '\\' ? 2 : 1;
    return at < length ? at + 1 : length + 1;
}

const char *text_unquote(struct text *text) {
    char quote = text->bytes[0];
    text->quoted = quote == '"' || quote == '\'';
    if (!text->quoted)
        return NULL;
    size_t end = quote_end(text->bytes, text->length, 0, quote == '"');
    if (end > text->length)
        return "the quote is not closed; close it, or put the whole value into the other kind of quotes";
    if (end != text->length)
        return "something follows the closing quote; put it inside, or a comment behind a blank and ;";
    size_t out = 0;
    for (size_t at = 1; at + 1 < end; at++) {
        char next = text->bytes[at + 1];
        if (quote == '"' && text->bytes[at] == '\\' && (next == '"' || next == '\\'))
            at++;
        text->bytes[out++] = text->bytes[at];
    }
    text->bytes[out] = '\0';
    text->length = out;
    return NULL;
}

/* Quotes count only where the value begins with one. */
static size_t text_end(const char *text, size_t length) {
    size_t at = 0;
    while (at < length && is_blank(text[at]))
        at++;
    if (at < length && (text[at] == '"' || text[at] == '\''))
        at = quote_end(text, length, at, text[at] == '"');
    if (at > length)
        at = length;
    while (at < length && !(text[at] == ';' && at > 0 && is_blank(text[at - 1])))
        at++;
    while (at > 0 && is_blank(text[at - 1]))
        at--;
    return at;
}

/* Quotes count everywhere. In a command a backslash takes the meaning from a blank too, '\ ;' begins no comment. */
static size_t quoted_end(const char *text, size_t length, bool command) {
    size_t end = 0;
    bool blank = false;
    for (size_t at = 0; at < length;) {
        char c = text[at];
        if (is_blank(c)) {
            blank = true;
            at++;
            continue;
        }
        if (c == ';' && blank)
            break;
        blank = false;
        if (c == '"' || (command && c == '\''))
            at = quote_end(text, length, at, c == '"');
        else
            at += command && c == '\\' && at + 1 < length ? 2 : 1;
        end = at < length ? at : length;
    }
    return end;
}

size_t value_end(enum quoting quoting, const char *text, size_t length) {
    size_t start = 0;
    switch (quoting) {
    case QUOTING_TEXT:
        return text_end(text, length);
    case QUOTING_COMMAND:
        return quoted_end(text, length, true);
    case QUOTING_JSON:
        return quoted_end(text, length, false);
    case QUOTING_PROBE:
        while (start < length && is_blank(text[start]))
            start++;
        if (length - start >= 5 && memcmp(text + start, "exec:", 5) == 0)
            return quoted_end(text, length, true);
        return text_end(text, length);
    }
    return length;
}
