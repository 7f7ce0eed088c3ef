/* Whether a text is one JSON value: [wrap:…] data is handed on as it was written, so
 * nothing is built, only checked. Recursion is bounded by JSON_DEPTH_MAX. Source: RFC
 * 8259; bytes above 127 are taken as they are. */
#include "supervisor/config_internal.h"

#include <string.h>

struct json {
    const char *text; /* ends with NUL, which is no part of any value */
    size_t at;
    unsigned depth;
    const char *why;
};

static bool value(struct json *json);

static bool fail(struct json *json, const char *why) {
    json->why = why;
    return false;
}

static void blanks(struct json *json) {
    while (json->text[json->at] == ' ' || json->text[json->at] == '\t')
        json->at++;
}

static bool accept(struct json *json, char c) {
    if (json->text[json->at] != c)
        return false;
    json->at++;
    return true;
}

static bool digits(struct json *json) {
    size_t start = json->at;
    while (json->text[json->at] >= '0' && json->text[json->at] <= '9')
        json->at++;
    return json->at > start || fail(json, "a digit is missing");
}

static bool number(struct json *json) {
    (void)accept(json, '-');
    if (!accept(json, '0') && !digits(json))
        return false;
    if (accept(json, '.') && !digits(json))
        return false;
    if (accept(json, 'e') || accept(json, 'E')) {
        if (!accept(json, '+'))
            (void)accept(json, '-');
        return digits(json);
    }
    return true;
}

static bool escape(struct json *json) {
    char c = json->text[json->at];
    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
        return fail(json, "no such escape in a string");
    json->at++;
    for (int i = 0; c == 'u' && i < 4; i++) {
        char digit = json->text[json->at];
        if (digit == '\0' || strchr("0123456789abcdefABCDEF", digit) == NULL)
            return fail(json, "\\u needs four hexadecimal digits");
        json->at++;
    }
    return true;
}

static bool string(struct json *json) {
    if (!accept(json, '"'))
        return fail(json, "a string in \"\" is missing");
    for (;;) {
        if (accept(json, '"'))
            return true;
        if (json->text[json->at] == '\0')
            return fail(json, "a string is not closed");
        if (json->text[json->at] == '\t')
            return fail(json, "a TAB in a string is written \\t");
        if (accept(json, '\\')) {
            if (!escape(json))
                return false;
        } else {
            json->at++;
        }
    }
}

/* The members of an object, or the items of an array, behind its opening bracket. */
static bool members(struct json *json, bool object) {
    char end = object ? '}' : ']';
    blanks(json);
    if (accept(json, end))
        return true;
    for (;;) {
        if (object) {
            blanks(json);
            if (!string(json))
                return false;
            blanks(json);
            if (!accept(json, ':'))
                return fail(json, "a : is missing");
        }
        if (!value(json))
            return false;
        if (accept(json, end))
            return true;
        if (!accept(json, ','))
            return fail(json, object ? "a , or } is missing" : "a , or ] is missing");
    }
}

static bool word(struct json *json) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if (strncmp(json->text + json->at, words[i], length) == 0) {
            json->at += length;
            return true;
        }
    }
    return fail(json, "a value is missing");
}

static bool value(struct json *json) {
    blanks(json);
    char c = json->text[json->at];
    bool fine;
    if (c == '{' || c == '[') {
        if (json->depth == JSON_DEPTH_MAX)
            return fail(json, "more than 64 levels");
        json->depth++;
        json->at++;
        fine = members(json, c == '{');
        json->depth--;
    } else if (c == '"') {
        fine = string(json);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        fine = number(json);
    } else {
        fine = word(json);
    }
    if (fine)
        blanks(json);
    return fine;
}

_Static_assert(JSON_DEPTH_MAX == 64, "a text says so");

const char *json_check(const char *text, size_t length, size_t *ret_at) {
    struct json json = {.text = text};
    if (value(&json) && json.at != length)
        (void)fail(&json, "something follows the value");
    if (json.why != NULL)
        *ret_at = json.at;
    return json.why;
}
