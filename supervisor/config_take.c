/* Values to fields: one function for each kind of value of the key table. Each says
 * what is legal where the value isn't, and leaves the field as it was; the value
 * itself may be cut up, nobody reads it afterwards. */
#include "supervisor/config_internal.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/words.h"

/* Of the current key; false, and a fault, where it is none. */
static bool duration_take(struct parser *parser, const char *text, msec_t least, msec_t *ret) {
    const char *why;
    const char *shown = excerpt(parser, text, strlen(text), true);
    uint64_t number;
    msec_t duration;
    if (!duration_parse(text, &duration, &why)) {
        if (number_parse(text, DURATION_MAX_MS, &number))
            key_error(parser, "%s has no unit; write %ss (or ms, m, h)", shown, text);
        else
            key_error(parser, "%s %s", shown, why);
        return false;
    }
    if (duration < least) {
        key_error(parser, "%s is too short; write at least %dms", shown, (int)least);
        return false;
    }
    *ret = duration;
    return true;
}

void take_duration(struct parser *parser, const struct key *key, void *field) {
    msec_t duration;
    if (duration_take(parser, parser->text.bytes, key->least, &duration))
        *(msec_t *)field = key->zero_is_never && duration == 0 ? MSEC_NEVER : duration;
}

void take_boolean(struct parser *parser, const struct key *key, void *field) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    (void)key;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(parser->text.bytes, words[i]) == 0) {
            *(bool *)field = i % 2 == 1;
            return;
        }
    }
    key_error(parser, "%s is neither yes nor no; write yes, true, on, no, false or off", value_excerpt(parser));
}

/* The number of the value among the choices; else an error that names them, and -1. */
static int choice(struct parser *parser, const char *const *choices) {
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(parser->text.bytes, choices[i]) == 0)
            return i;
    }
    char legal[128] = "";
    size_t used = 0;
    for (int i = 0; choices[i] != NULL; i++) {
        const char *before = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        used += (size_t)snprintf(legal + used, sizeof(legal) - used, "%s%s", before, choices[i]);
    }
    key_error(parser, "%s is not a value of it; write %s", value_excerpt(parser), legal);
    return -1;
}

void take_choice(struct parser *parser, const struct key *key, void *field) {
    int number = choice(parser, key->choices);
    unsigned value = (unsigned)number;
    if (number >= 0)
        memcpy(field, &value, sizeof(value));
}

_Static_assert(sizeof(enum log_level) == sizeof(unsigned) && sizeof(enum restart_policy) == sizeof(unsigned) &&
                   sizeof(enum worker_output) == sizeof(unsigned) && sizeof(enum wrap_reach) == sizeof(unsigned),
               "take_choice() writes enums");

void take_switch(struct parser *parser, const struct key *key, void *field) {
    int number = choice(parser, key->choices);
    if (number >= 0)
        *(bool *)field = number == 1;
}

static char *keep_text(struct parser *parser) {
    return arena_copy(&parser->keep, parser->text.bytes, parser->text.length);
}

void take_text(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    *(char **)field = keep_text(parser);
}

void take_env_file(struct parser *parser, const struct key *key, void *field) {
    struct spec_environment *environment = field;
    (void)key;
    environment->file = keep_text(parser);
    environment->file_line = parser->line;
}

static const char *words_why(int error) {
    switch ((enum words_error)error) {
    case WORDS_E_QUOTE:
        return "a quote is not closed; close it, or write \\ before it";
    case WORDS_E_BACKSLASH:
        return "the command ends with a backslash; remove it, or write \\\\";
    case WORDS_E_MANY:
        return "more than 4096 words; put them into a script";
    }
    return "";
}

_Static_assert(ARGUMENTS_MAX == 4096, "a text says so");

bool command_split(struct parser *parser, const char *from, struct spec_command *ret) {
    size_t length = strlen(from);
    size_t count = 0;
    char *bytes = arena_take(&parser->keep, length + 1);
    if (bytes == NULL)
        return false;
    int error = words_split(from, length, ARGUMENTS_MAX, bytes, &count);
    if (error != 0) {
        key_error(parser, "%s: %s", excerpt(parser, from, length, false), words_why(error));
        return false;
    }
    if (count == 0 || bytes[0] == '\0') {
        key_error(parser, "%s names no program; write one, with its arguments behind it", value_excerpt(parser));
        return false;
    }
    char **argv = arena_take(&parser->keep, (count + 1) * sizeof(*argv));
    if (argv == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        argv[i] = bytes;
        bytes += strlen(bytes) + 1;
    }
    *ret = (struct spec_command){.argv = argv, .argc = (uint32_t)count, .line = parser->line};
    return true;
}

void take_command(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    (void)command_split(parser, parser->text.bytes, field);
}

void take_number(struct parser *parser, const struct key *key, void *field) {
    uint64_t number;
    if (number_parse(parser->text.bytes, (uint64_t)key->most, &number) && number >= (uint64_t)key->least)
        *(uint32_t *)field = (uint32_t)number;
    else
        key_error(parser, "%s is out of range; write %d to %d", value_excerpt(parser), (int)key->least, (int)key->most);
}

void take_count(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    uint64_t number;
    if (strcmp(parser->text.bytes, "auto") == 0)
        *(uint32_t *)field = parser->input->cpus < WORKERS_MAX ? parser->input->cpus : WORKERS_MAX;
    else if (number_parse(parser->text.bytes, WORKERS_MAX, &number) && number > 0)
        *(uint32_t *)field = (uint32_t)number;
    else
        key_error(parser, "%s is not a count; write 1 to %d, or auto", value_excerpt(parser), WORKERS_MAX);
}

/* --- pairs -------------------------------------------------------------------------------------------------------- */

/* Cuts the value at the first `sign`; returns what is behind it, NULL where there is none. */
static char *cut(struct parser *parser, const char *sign) {
    char *at = strstr(parser->text.bytes, sign);
    if (at == NULL)
        return NULL;
    *at = '\0';
    return at + strlen(sign);
}

void take_restart_delay(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_group *group = field;
    const char *whole = value_excerpt(parser);
    const char *behind = cut(parser, "..");
    msec_t first;
    msec_t last;
    if (!duration_take(parser, parser->text.bytes, 0, &first))
        return;
    last = first;
    if (behind != NULL && !duration_take(parser, behind, 0, &last))
        return;
    if (last < first) {
        key_error(parser, "%s ends before it begins; write the shorter delay first", whole);
        return;
    }
    /* 0 is "at once", and could not be doubled. */
    group->delay_first = first > 0 ? first : 1;
    group->delay_last = last > 0 ? last : 1;
}

void take_restart_limit(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_group *group = field;
    const char *whole = value_excerpt(parser);
    const char *behind = cut(parser, "/");
    uint64_t number;
    msec_t window = group->limit_window;
    if (!number_parse(parser->text.bytes, UINT32_MAX, &number) || (behind == NULL && number > 0)) {
        key_error(parser, "%s is not a limit; write FAILURES/DURATION such as 10/5m, or 0 for no limit", whole);
        return;
    }
    if (number > RESTART_LIMIT_MAX) {
        key_error(parser, "%s: no more than %d failures are remembered; write at most %d, or 0 for no limit", whole,
                  RESTART_LIMIT_MAX, RESTART_LIMIT_MAX);
        return;
    }
    if (behind != NULL && !duration_take(parser, behind, 1, &window))
        return;
    group->limit_failures = (uint32_t)number;
    group->limit_window = window;
}

void take_lifetime(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_group *group = field;
    const char *whole = value_excerpt(parser);
    const char *behind = cut(parser, "\xc2\xb1");
    msec_t lifetime;
    msec_t spread = 0;
    if (!duration_take(parser, parser->text.bytes, 0, &lifetime))
        return;
    if (behind != NULL && !duration_take(parser, behind, 0, &spread))
        return;
    if (spread > lifetime) {
        key_error(parser, "%s: the spread is longer than the lifetime; write a shorter one", whole);
        return;
    }
    group->lifetime = lifetime;
    group->lifetime_spread = spread;
}

/* --- identity ----------------------------------------------------------------------------------------------------- */

void take_umask(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    const char *text = parser->text.bytes;
    int32_t umask = 0;
    size_t length = strlen(text);
    bool fine = length <= 4;
    for (size_t i = 0; fine && i < length; i++) {
        fine = text[i] >= '0' && text[i] <= '7';
        umask = umask * 8 + (text[i] - '0');
    }
    if (fine && umask <= 0777)
        *(int32_t *)field = umask;
    else
        key_error(parser, "%s is not a file mode mask; write octal digits, 0 to 0777", value_excerpt(parser));
}

static bool integer(struct parser *parser, const struct key *key, int32_t *ret) {
    int64_t number;
    if (!integer_parse(parser->text.bytes, key->least, key->most, &number)) {
        key_error(parser, "%s is out of range; write %d to %d", value_excerpt(parser), (int)key->least, (int)key->most);
        return false;
    }
    *ret = (int32_t)number;
    return true;
}

void take_nice(struct parser *parser, const struct key *key, void *field) {
    struct spec_identity *identity = field;
    identity->has_nice = integer(parser, key, &identity->nice) || identity->has_nice;
}

void take_oom_score_adj(struct parser *parser, const struct key *key, void *field) {
    struct spec_identity *identity = field;
    identity->has_oom_score_adj = integer(parser, key, &identity->oom_score_adj) || identity->has_oom_score_adj;
}

static bool limit_value(const char *text, uint64_t *ret) {
    if (strcmp(text, "unlimited") != 0)
        return number_parse(text, UINT64_MAX - 1, ret);
    *ret = UINT64_MAX;
    return true;
}

#define LIMITS_MAX 16 /* of the key table: one for each limit_* */

void take_limit(struct parser *parser, const struct key *key, void *field) {
    struct spec_identity *identity = field;
    struct spec_limit limit = {.name = key->name + strlen("limit_")};
    const char *whole = value_excerpt(parser);
    const char *behind = cut(parser, ":");
    if (!limit_value(parser->text.bytes, &limit.soft) ||
        !limit_value(behind == NULL ? parser->text.bytes : behind, &limit.hard)) {
        key_error(parser, "%s is not a limit; write SOFT:HARD or one number for both, each a whole number or unlimited",
                  whole);
        return;
    }
    if (limit.soft > limit.hard) {
        key_error(parser, "%s: the soft limit is above the hard one; write the lower one first", whole);
        return;
    }
    if (identity->limits == NULL)
        identity->limits = arena_take(&parser->keep, LIMITS_MAX * sizeof(*identity->limits));
    if (identity->limits != NULL && identity->limits_count < LIMITS_MAX)
        identity->limits[identity->limits_count++] = limit;
}

/* --- texts with a form of their own ------------------------------------------------------------------------------- */

void take_json(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    size_t at;
    const char *why = json_check(parser->text.bytes, parser->text.length, &at);
    if (why == NULL)
        *(char **)field = keep_text(parser);
    else
        key_error(parser, "%s is not JSON: %s, at byte %zu of it", value_excerpt(parser), why, at + 1);
}

void take_control(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    if (strcmp(parser->text.bytes, "none") == 0)
        *(char **)field = NULL;
    else if (parser->text.bytes[0] == '/' && parser->text.length <= SOCKET_PATH_MAX)
        *(char **)field = keep_text(parser);
    else
        key_error(parser, "%s is not a socket's path; write an absolute one of at most %d bytes, or none",
                  value_excerpt(parser), SOCKET_PATH_MAX);
}

void take_shim_root(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    if (parser->text.bytes[0] != '/')
        key_error(parser, "%s is not an absolute path; write one that begins with /", value_excerpt(parser));
    else if (strchr(parser->text.bytes, ':') != NULL)
        key_error(parser, "%s has a colon, which would end it in PATH; choose another directory",
                  value_excerpt(parser));
    else
        *(char **)field = keep_text(parser);
}
