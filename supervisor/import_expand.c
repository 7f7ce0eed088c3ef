/* Values as supervisord computes them. %(NAME)s is Python's formatting, of which the names are few; what the
 * container's environment is nobody knows here, so %(ENV_X)s stays a reference in the value, for those who can write
 * it: a shell as ${X?}, [env] as ${X}. An environment list is split as Python's shlex splits what isn't POSIX: a
 * word has letters, digits and _/.+-():, and everything else belongs into quotes, which know no escape. */
#include "supervisor/import_internal.h"

#include <stdio.h>
#include <string.h>

#define PAIRS_MAX 1000 /* variables of one list: they are compared */
#define NUMBER_BYTES 32

/* --- %(NAME)s ----------------------------------------------------------------------------------------------------- */

struct format {
    bool zero;
    bool left;
    int width;
    char conversion;
};

/* What stands behind the closing parenthesis; returns how long it is, 0: it can't be read. */
static size_t format_read(const char *text, struct format *ret) {
    size_t at = 0;
    for (; text[at] == '0' || text[at] == '-'; at++) {
        ret->zero = ret->zero || text[at] == '0';
        ret->left = ret->left || text[at] == '-';
    }
    for (; text[at] >= '0' && text[at] <= '9' && ret->width < 10; at++)
        ret->width = ret->width * 10 + (text[at] - '0');
    ret->conversion = text[at];
    return text[at] == 's' || text[at] == 'd' || text[at] == 'i' ? at + 1 : 0;
}

static void add_number(struct importer *importer, struct buffer *buffer, struct format format, int64_t number) {
    char text[NUMBER_BYTES];
    int width = format.left ? -format.width : format.width;
    if (format.zero && !format.left && format.conversion != 's')
        (void)snprintf(text, sizeof(text), "%0*d", width, (int)number);
    else
        (void)snprintf(text, sizeof(text), "%*d", width, (int)number);
    buffer_text(importer, buffer, text);
}

static bool is(const char *name, size_t length, const char *word) {
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

static void add_reference(struct importer *importer, struct buffer *buffer, const char *name, size_t length) {
    static const char begin = REFERENCE_BEGIN;
    static const char end = REFERENCE_END;
    buffer_add(importer, buffer, &begin, 1);
    buffer_add(importer, buffer, name, length);
    buffer_add(importer, buffer, &end, 1);
}

/* Adds what a name stands for; false: supervisord knows no such name here. */
static bool add_name(struct importer *importer, const struct unit *unit, struct buffer *buffer, const char *name,
                     size_t length, struct format format) {
    bool plain = format.conversion == 's' && format.width == 0;
    if (is(name, length, "process_num") && unit->index)
        add_reference(importer, buffer, "WORKER_INDEX", strlen("WORKER_INDEX"));
    else if (is(name, length, "process_num") && unit->program != NULL)
        add_number(importer, buffer, format, unit->number);
    else if (is(name, length, "numprocs") && unit->program != NULL)
        add_number(importer, buffer, format, unit->numprocs);
    else if (plain && is(name, length, "here"))
        buffer_text(importer, buffer, importer->input->here);
    else if (plain && is(name, length, "program_name") && unit->program != NULL)
        buffer_text(importer, buffer, unit->program);
    else if (plain && is(name, length, "group_name") && unit->program != NULL)
        buffer_text(importer, buffer, unit->group);
    else if (plain && is(name, length, "host_node_name"))
        add_reference(importer, buffer, "HOSTNAME", strlen("HOSTNAME"));
    else if (plain && length > 4 && memcmp(name, "ENV_", 4) == 0 && variable_valid(name + 4, length - 4))
        add_reference(importer, buffer, name + 4, length - 4);
    else
        return false;
    return true;
}

char *expand(struct importer *importer, const struct unit *unit, const struct import_key *key) {
    struct buffer buffer = {.length = 0};
    buffer_text(importer, &buffer, "");
    for (const char *at = key->value; *at != '\0';) {
        if (*at != '%') {
            size_t length = strcspn(at, "%");
            buffer_add(importer, &buffer, at, length);
            at += length;
        } else if (at[1] == '%') {
            buffer_text(importer, &buffer, "%");
            at += 2;
        } else {
            const char *name = at + 2;
            const char *close = at[1] == '(' ? strchr(name, ')') : NULL;
            struct format format = {.width = 0};
            size_t behind = close == NULL ? 0 : format_read(close + 1, &format);
            if (behind == 0 || !add_name(importer, unit, &buffer, name, (size_t)(close - name), format)) {
                import_fault(importer, key->line, "%s: %s can't be expanded; write %%%% for a percent sign",
                             excerpt(&importer->parser, key->name, strlen(key->name), false),
                             excerpt(&importer->parser, at, strlen(at), true));
                return NULL;
            }
            at = close + 1 + behind;
        }
    }
    return importer_failed(importer) ? NULL : buffer.bytes;
}

bool has_reference(const char *value) {
    return strchr(value, REFERENCE_BEGIN) != NULL;
}

const char *with_references(struct importer *importer, const char *value) {
    struct buffer buffer = {.length = 0};
    buffer_text(importer, &buffer, "");
    for (; *value != '\0'; value++) {
        if (*value == REFERENCE_BEGIN)
            buffer_text(importer, &buffer, "${");
        else
            buffer_add(importer, &buffer, *value == REFERENCE_END ? "}" : value, 1);
    }
    return importer_failed(importer) ? "" : buffer.bytes;
}

bool mentions(const char *value, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(value, "%("); at != NULL; at = strstr(at + 2, "%(")) {
        if (strncmp(at + 2, name, length) == 0)
            return true;
    }
    return false;
}

bool numbers_are_plain(const char *value) {
    static const char number[] = "%(process_num)";
    for (const char *at = strstr(value, number); at != NULL; at = strstr(at + 1, number)) {
        if (strchr("dis", at[strlen(number)]) == NULL)
            return false;
    }
    return true;
}

/* --- numbers and booleans ----------------------------------------------------------------------------------------- */

bool take_integer_of(struct importer *importer, const struct unit *unit, const char *name, int64_t least, int64_t most,
                     int64_t *ret) {
    const struct import_key *key = key_find(importer, unit->section, name);
    const char *value = key == NULL ? NULL : expand(importer, unit, key);
    if (value == NULL || has_reference(value))
        return false;
    if (integer_parse(value, least, most, ret))
        return true;
    import_fault(importer, key->line, "%s: %s is not a whole number from %d to %d", name,
                 excerpt(&importer->parser, value, strlen(value), true), (int)least, (int)most);
    return false;
}

bool same_but_case(const char *value, const char *word) {
    size_t i = 0;
    while (word[i] != '\0' && (value[i] >= 'A' && value[i] <= 'Z' ? value[i] - 'A' + 'a' : value[i]) == word[i])
        i++;
    return word[i] == '\0' && value[i] == '\0';
}

int flag_parse(const char *value) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (same_but_case(value, words[i]))
            return i % 2 == 1 ? 1 : 0;
    }
    return -1;
}

bool take_flag_of(struct importer *importer, const struct unit *unit, const char *name, bool *ret) {
    const struct import_key *key = key_find(importer, unit->section, name);
    const char *value = key == NULL ? NULL : expand(importer, unit, key);
    if (value == NULL || has_reference(value))
        return false;
    int flag = flag_parse(value);
    if (flag < 0) {
        import_fault(importer, key->line, "%s: %s is neither true nor false", name,
                     excerpt(&importer->parser, value, strlen(value), true));
        return false;
    }
    *ret = flag == 1;
    return true;
}

/* --- environment -------------------------------------------------------------------------------------------------- */

enum token { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_SIGN, TOKEN_OPEN };

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == REFERENCE_BEGIN ||
           c == REFERENCE_END || (c != '\0' && strchr("_/.+-():", c) != NULL);
}

/* The next token at *cursor, from *ret_begin up to *cursor. */
static enum token token_next(char **cursor, char **ret_begin) {
    char *at = *cursor + strspn(*cursor, " \t\r\n");
    while (*at == '#') { /* to the end of the line, as shlex has it */
        at += strcspn(at, "\n");
        at += strspn(at, " \t\r\n");
    }
    enum token token = TOKEN_SIGN;
    *ret_begin = at;
    if (*at == '\0') {
        token = TOKEN_END;
    } else if (*at == '"' || *at == '\'') {
        char *close = strchr(at + 1, *at);
        token = close == NULL ? TOKEN_OPEN : TOKEN_QUOTED;
        at = close == NULL ? at + strlen(at) : close + 1;
    } else if (is_word(*at)) {
        token = TOKEN_WORD;
        while (is_word(*at) || *at == '"' || *at == '\'')
            at++;
    } else {
        at++;
    }
    *cursor = at;
    return token;
}

/* A pair at *cursor, and the sign behind it. False: there is none, *ret_why says why, NULL at the end. */
static bool pair_next(struct importer *importer, char **cursor, struct pair *ret, const char **ret_why) {
    char *name, *value, *rest;
    *ret_why = NULL;
    enum token token = token_next(cursor, &name);
    size_t length = (size_t)(*cursor - name);
    if (token == TOKEN_END)
        return false;
    *ret_why = "is not NAME=VALUE, with a comma before the next; put values into quotes";
    if (token != TOKEN_WORD)
        return false;
    if (!variable_valid(name, length)) {
        *ret_why = "is not a variable's name; write letters, digits and _, no digit first";
        return false;
    }
    if (token_next(cursor, &rest) != TOKEN_SIGN || *rest != '=')
        return false;
    token = token_next(cursor, &value);
    if (token == TOKEN_END || token == TOKEN_OPEN)
        return false;
    char *end = *cursor;
    while (end > value && (*value == '"' || *value == '\''))
        value++;
    while (end > value && (end[-1] == '"' || end[-1] == '\''))
        end--;
    ret->name = arena_copy(&importer->parser.scratch, name, length);
    ret->value = arena_copy(&importer->parser.scratch, value, (size_t)(end - value));
    token = token_next(cursor, &rest);
    return token == TOKEN_END || (token == TOKEN_SIGN && (*rest == ',' || *rest == ';'));
}

bool environment_read(struct importer *importer, const struct import_key *key, char *value, struct pair **ret,
                      size_t *ret_count) {
    struct pair *pairs = arena_take(&importer->parser.scratch, PAIRS_MAX * sizeof(*pairs));
    struct pair pair = {.name = ""};
    const char *why = NULL;
    size_t count = 0;
    char *begin = value;
    if (pairs == NULL)
        return false;
    for (;; begin = value) {
        if (!pair_next(importer, &value, &pair, &why))
            break;
        size_t place = 0;
        while (place < count && strcmp(pairs[place].name, pair.name) != 0)
            place++;
        if (place == PAIRS_MAX) {
            import_fault(importer, key->line, "environment: more than %d variables", PAIRS_MAX);
            return false;
        }
        pairs[place] = pair;
        count += place == count;
    }
    if (why != NULL && !importer_failed(importer)) {
        const char *shown = with_references(importer, begin);
        import_fault(importer, key->line, "environment: %s %s", excerpt(&importer->parser, shown, strlen(shown), true),
                     why);
        return false;
    }
    *ret = pairs;
    *ret_count = count;
    return !importer_failed(importer);
}
