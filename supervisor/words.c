/* Words of a command line: see words.h. One pass over the bytes with one of three
 * states; a word exists as soon as a byte or a quote of it was seen, so that ''
 * is an empty word and blanks are none. */
#include "supervisor/words.h"

#include <stdbool.h>

enum quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE };

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

/* What a backslash takes the special meaning from inside "…"; before everything else there it is an ordinary byte. */
static bool is_escapable(char c) {
    return c == '"' || c == '\\' || c == '$' || c == '`';
}

struct splitter {
    const char *text;
    size_t length;
    size_t at;
    char *out; /* the next byte of the word */
};

/* Copies the word that begins at `at` up to the blank behind it, or the end. */
static int take_word(struct splitter *splitter) {
    enum quote quote = QUOTE_NONE;
    while (splitter->at < splitter->length) {
        char c = splitter->text[splitter->at];
        if (quote == QUOTE_NONE && is_blank(c))
            break;
        splitter->at++;
        if (quote != QUOTE_SINGLE && c == '\\') {
            if (splitter->at == splitter->length)
                return quote == QUOTE_NONE ? WORDS_E_BACKSLASH : WORDS_E_QUOTE;
            if (quote == QUOTE_NONE || is_escapable(splitter->text[splitter->at]))
                c = splitter->text[splitter->at++];
            *splitter->out++ = c;
        } else if (quote != QUOTE_DOUBLE && c == '\'') {
            quote = quote == QUOTE_SINGLE ? QUOTE_NONE : QUOTE_SINGLE;
        } else if (quote != QUOTE_SINGLE && c == '"') {
            quote = quote == QUOTE_DOUBLE ? QUOTE_NONE : QUOTE_DOUBLE;
        } else {
            *splitter->out++ = c;
        }
    }
    *splitter->out++ = '\0';
    return quote == QUOTE_NONE ? 0 : WORDS_E_QUOTE;
}

int words_split(const char *text, size_t length, size_t max, char *ret_bytes, size_t *ret_count) {
    struct splitter splitter = {.text = text, .length = length, .out = ret_bytes};
    size_t count = 0;
    for (;;) {
        while (splitter.at < length && is_blank(text[splitter.at]))
            splitter.at++;
        if (splitter.at == length)
            break;
        if (count == max)
            return WORDS_E_MANY;
        int error = take_word(&splitter);
        if (error != 0)
            return error;
        count++;
    }
    *ret_count = count;
    return 0;
}
