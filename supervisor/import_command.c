/* A program's command. supervisord splits it as Python's shlex does, which differs from sh within "…", where only " and
 * \ can be escaped; brood splits as sh does. The text stays as it is where both come to the same words, else each word
 * is quoted anew. A command with variables, or one that wants a socket as its standard input, needs a shell: brood
 * expands nothing there. The shell only executes the program: process, signals and status stay the program's. */
#include "supervisor/import_internal.h"

#include <string.h>

#include "supervisor/words.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE };

/* A word without its quotes. In its bytes REFERENCE_BEGIN becomes REFERENCE_BARE where the reference stands outside of
 * quotes: what it stands for is then split at blanks, as supervisord does. */
#define REFERENCE_BARE '\x03'

struct splitter {
    const char *at;
    char *out;
};

/* Copies the next word with a NUL; false: a quote or a backslash is left open. */
static bool take_word(struct splitter *splitter) {
    enum quote quote = QUOTE_NONE;
    for (; *splitter->at != '\0' && (quote != QUOTE_NONE || !is_blank(*splitter->at)); splitter->at++) {
        char c = *splitter->at;
        char next = splitter->at[1];
        if (quote == QUOTE_NONE && c == '\\') {
            if (next == '\0')
                return false;
            *splitter->out++ = *++splitter->at;
        } else if (quote == QUOTE_DOUBLE && c == '\\' && (next == '"' || next == '\\')) {
            *splitter->out++ = *++splitter->at;
        } else if (quote != QUOTE_DOUBLE && c == '\'') {
            quote = quote == QUOTE_SINGLE ? QUOTE_NONE : QUOTE_SINGLE;
        } else if (quote != QUOTE_SINGLE && c == '"') {
            quote = quote == QUOTE_DOUBLE ? QUOTE_NONE : QUOTE_DOUBLE;
        } else {
            *splitter->out++ = c == REFERENCE_BEGIN && quote == QUOTE_NONE ? REFERENCE_BARE : c;
        }
    }
    *splitter->out++ = '\0';
    return quote == QUOTE_NONE;
}

/* All words, one behind the other, into bytes of length + 1; how many, -1: something is left open. */
static int words_of(const char *value, char *bytes) {
    struct splitter splitter = {.at = value, .out = bytes};
    int count = 0;
    for (;;) {
        while (is_blank(*splitter.at))
            splitter.at++;
        if (*splitter.at == '\0')
            return count;
        if (!take_word(&splitter))
            return -1;
        count++;
    }
}

/* Whether brood's own splitting of the text comes to these words, and no ` ;` of it begins a comment. */
static bool same_words(struct importer *importer, const char *value, const char *words, int count) {
    size_t length = strlen(value);
    size_t other_count = 0;
    char *other = arena_take(&importer->parser.scratch, length + 1);
    if (other == NULL || strchr(value, '\n') != NULL || value_end(QUOTING_COMMAND, value, length) != length ||
        words_split(value, length, ARGUMENTS_MAX, other, &other_count) != 0 || other_count != (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        if (strcmp(other, words) != 0)
            return false;
        other += strlen(other) + 1;
        words += strlen(words) + 1;
    }
    return true;
}

static bool is_plain(const char *text, size_t length) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    for (size_t i = 0; i < length; i++) {
        if (strchr(plain, text[i]) == NULL)
            return false;
    }
    return length > 0;
}

/* A word for brood: as it is, in '…', or in "…" where it has a ' in it. */
static void add_word(struct importer *importer, struct buffer *buffer, const char *word) {
    if (is_plain(word, strlen(word))) {
        buffer_text(importer, buffer, word);
        return;
    }
    const char *quote = strchr(word, '\'') == NULL ? "'" : "\"";
    buffer_text(importer, buffer, quote);
    for (; *word != '\0'; word++) {
        if (*quote == '"' && strchr("\"\\$`", *word) != NULL)
            buffer_text(importer, buffer, "\\");
        buffer_add(importer, buffer, word, 1);
    }
    buffer_text(importer, buffer, quote);
}

/* A piece of a word for a shell, without references. */
static void add_shell_piece(struct importer *importer, struct buffer *buffer, const char *text, size_t length,
                            bool *quoted) {
    bool quote = !is_plain(text, length) && length > 0;
    if (quote != *quoted && length > 0) {
        buffer_text(importer, buffer, "\"");
        *quoted = quote;
    }
    for (size_t i = 0; i < length; i++) {
        if (strchr("\"\\$`", text[i]) != NULL)
            buffer_text(importer, buffer, "\\");
        buffer_add(importer, buffer, text + i, 1);
    }
}

/* A word for a shell: plain pieces bare, everything else and references that stood in quotes in "…". */
static void add_shell_word(struct importer *importer, struct buffer *buffer, const char *word) {
    static const char references[] = {REFERENCE_BEGIN, REFERENCE_BARE, '\0'};
    bool quoted = false;
    if (word[0] == '\0')
        buffer_text(importer, buffer, "\"\"");
    while (*word != '\0') {
        size_t piece = strcspn(word, references);
        add_shell_piece(importer, buffer, word, piece, &quoted);
        word += piece;
        if (*word == '\0')
            break;
        bool quote = *word == REFERENCE_BEGIN;
        if (quote != quoted)
            buffer_text(importer, buffer, "\"");
        quoted = quote;
        size_t name = strcspn(++word, "\x02");
        buffer_text(importer, buffer, "${");
        buffer_add(importer, buffer, word, name);
        buffer_text(importer, buffer, "?}"); /* where it isn't set supervisord doesn't start the program either */
        word += name + (word[name] != '\0');
    }
    if (quoted)
        buffer_text(importer, buffer, "\"");
}

/* -f: of a bare reference the shell makes words, as supervisord does, but no names of files where its value has a *. */
static void add_shell(struct importer *importer, struct buffer *buffer, const char *words, int count, bool socket) {
    struct buffer script = {.length = 0};
    bool bare = false;
    buffer_text(importer, &script, "exec");
    for (; count > 0; count--, words += strlen(words) + 1) {
        buffer_text(importer, &script, " ");
        add_shell_word(importer, &script, words);
        bare = bare || strchr(words, REFERENCE_BARE) != NULL;
    }
    if (socket)
        buffer_text(importer, &script, " <&3 3<&-");
    if (importer_failed(importer))
        return;
    buffer_text(importer, buffer, bare ? "sh -fc " : "sh -c ");
    add_word(importer, buffer, script.bytes);
}

static bool has_newline(const char *words, int count) {
    for (; count > 0; count--, words += strlen(words) + 1) {
        if (strchr(words, '\n') != NULL)
            return true;
    }
    return false;
}

void write_command(struct importer *importer, const struct import_key *key, char *value, bool socket) {
    struct buffer line = {.length = 0};
    char *words = arena_take(&importer->parser.scratch, strlen(value) + 1);
    if (words == NULL)
        return;
    int count = words_of(value, words);
    if (count < 0) {
        import_fault(importer, key->line,
                     "command: a quote or a backslash is left open; supervisord cuts a value at a "
                     "blank and ; or #, even in quotes");
        return;
    }
    if (count == 0 || words[0] == '\0') {
        import_fault(importer, key->line, "command: names no program");
        return;
    }
    if (strchr(value, '\n') != NULL && has_newline(words, count)) {
        import_fault(importer, key->line,
                     "command: a line break in quotes can't be written in brood.ini; put the command "
                     "into a script");
        return;
    }
    if (has_reference(value) || socket) {
        write_line(importer, 0,
                   socket ? "; a shell makes the socket the program's standard input"
                          : "; a shell expands the variables; brood does so in [env] and env.* alone",
                   NULL);
        add_shell(importer, &line, words, count, socket);
    } else if (same_words(importer, value, words, count)) {
        buffer_text(importer, &line, value);
    } else {
        for (; count > 0; count--, words += strlen(words) + 1) {
            add_word(importer, &line, words);
            if (count > 1)
                buffer_text(importer, &line, " ");
        }
    }
    if (!importer_failed(importer))
        write_line(importer, key->line, "start = ", line.bytes, NULL);
}
