/* Between what Docker, systemd and a shell take for such a file there is a common ground, and this is it: who wrote
 * a file for one of them has the same variables here, or a fault with its line. So nothing is expanded, no comment
 * begins behind a value, and a quoted value ends on its line. */
#include "init/env_lines.h"

#include <string.h>

#include "wrap/environ.h"

static int is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Takes the quotes of a value away, in place. NULL, or what is wrong. */
static const char *unquote(char *value) {
    char quote = value[0], *out = value;
    if (quote != '"' && quote != '\'')
        return NULL;
    char *in = value + 1;
    for (; *in != quote; in++) {
        if (quote == '"' && in[0] == '\\' && (in[1] == '"' || in[1] == '\\'))
            in++;
        if (*in == '\0')
            return "the quote is not closed on this line; close it, or put the whole value into the other kind of "
                   "quotes";
        *out++ = *in;
    }
    if (in[1] != '\0')
        return "something follows the closing quote; put it inside of the quotes, or remove it";
    *out = '\0';
    return NULL;
}

static char *skip_export(char *line) {
    if (strncmp(line, "export", 6) != 0 || !is_blank(line[6]))
        return line;
    char *name = line + 6 + strspn(line + 6, " \t");
    return *name == '=' ? line : name; /* export = 1 sets a variable of that name */
}

/* line: from its first byte that isn't blank to its NUL. */
static const char *read_variable(char *line, char *end, char **ret_name, char **ret_value) {
    if (strlen(line) != (size_t)(end - line))
        return "a NUL byte, which no variable can hold; remove it";
    while (end > line && is_blank(end[-1]))
        *--end = '\0';
    char *name = skip_export(line);
    char *sign = strchr(name, '=');
    if (!sign)
        return "no = in it; write NAME=VALUE, or # before a comment";
    char *name_end = sign;
    while (name_end > name && is_blank(name_end[-1]))
        name_end--;
    *name_end = '\0';
    if (!environ_name_valid(name))
        return "not a variable's name; write letters, digits and _, no digit first, before the =";
    char *value = sign + 1 + strspn(sign + 1, " \t");
    const char *fault = unquote(value);
    if (fault)
        return fault;
    if (strlen(name) + 1 + strlen(value) > ENVIRON_BYTES_MAX)
        return "longer than 131071 bytes, no program can be given it; shorten it";
    *ret_name = name;
    *ret_value = value;
    return NULL;
}

_Static_assert(ENVIRON_BYTES_MAX == 131071, "a text says so");

enum env_line env_lines_next(struct env_lines *lines, char **ret_name, char **ret_value, const char **ret_fault) {
    if (lines->line == 0 && lines->end - lines->next >= 3 && memcmp(lines->next, "\xef\xbb\xbf", 3) == 0)
        lines->next += 3;
    while (lines->next < lines->end) {
        char *line = lines->next;
        char *end = memchr(line, '\n', (size_t)(lines->end - line));
        lines->next = end ? end + 1 : lines->end;
        lines->line++;
        if (!end)
            end = lines->end;
        if (end > line && end[-1] == '\r')
            end--;
        *end = '\0';
        while (is_blank(*line))
            line++;
        if (line == end || *line == '#' || *line == ';')
            continue;
        const char *fault = read_variable(line, end, ret_name, ret_value);
        if (!fault)
            return ENV_LINE_VARIABLE;
        *ret_fault = fault;
        return ENV_LINE_FAULT;
    }
    return ENV_LINE_END;
}
