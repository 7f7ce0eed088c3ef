/* Words against what sh makes of the same line: a table by
 * hand, and random lines that a real /bin/sh splits too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/words.h"

/* The words, each in <>, or "error N". */
static void show(const char *text, size_t max, char *buffer, size_t size) {
    size_t length = strlen(text);
    char *bytes = malloc(length + 1);
    size_t count = 1000;
    assert_non_null(bytes);
    int error = words_split(text, length, max, bytes, &count);
    if (error != 0) {
        assert_int_equal(count, 1000);
        (void)snprintf(buffer, size, "error %d", error);
    } else {
        const char *word = bytes;
        buffer[0] = '\0';
        for (size_t i = 0; i < count; i++) {
            size_t used = strlen(buffer);
            (void)snprintf(buffer + used, size - used, "<%s>", word);
            word += strlen(word) + 1;
            assert_true(word <= bytes + length + 1);
        }
    }
    free(bytes);
}

static void by_hand(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", ""},
        {" \t\n ", ""},
        {"a", "<a>"},
        {"  node\tserver.js  --port 80 ", "<node><server.js><--port><80>"},
        {"sh -c 'a ; b | c'", "<sh><-c><a ; b | c>"},
        {"''", "<>"},
        {"a '' \"\" b", "<a><><><b>"},
        {"a'b'\"c\"d", "<abcd>"},
        {"'it'\\''s'", "<it's>"},
        {"it\\'s", "<it's>"},
        {"a\\ b", "<a b>"},
        {"a\\\\b \\n", "<a\\b><n>"},
        {"'a\\b' '\\'", "<a\\b><\\>"},
        {"\"a\\\"b\\\\c\\$d\\`e\"", "<a\"b\\c$d`e>"},
        {"\"a\\nb\\'c\"", "<a\\nb\\'c>"},
        {"$HOME * ~ `x` #y && | > <", "<$HOME><*><~><`x`><#y><&&><|><>><<>"},
        {"\xff\xc3\xa9", "<\xff\xc3\xa9>"},
        {"'", "error 1"},
        {"a \"b", "error 1"},
        {"\"a\\\"", "error 1"},
        {"\"a\\", "error 1"},
        {"a\\", "error 2"},
        {"\\", "error 2"},
        {"1 2 3 4", "error 3"},
        {"1 2 3   ", "<1><2><3>"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char words[256];
        show(rows[i].text, rows[i].text[0] == '1' ? 3 : 100, words, sizeof(words));
        assert_string_equal(words, rows[i].words);
    }
}

static uint64_t random_state = 1;

static unsigned random_below(unsigned bound) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % bound;
}

/* One line of one sh: `printf '<%s>' WORDS`, for lines of the characters that mean nothing else to it. */
static void as_sh_does(void **state) {
    (void)state;
    enum { LINES = 300 };
    static const char alphabet[] = "ab \t'\"\\=-./:";
    static char texts[LINES][24];
    char path[] = "/tmp/brood-words-XXXXXX";
    FILE *script = fdopen(mkstemp(path), "w");
    assert_non_null(script);
    int used = 0;
    while (used < LINES) {
        char *text = texts[used];
        size_t length = 1 + random_below(20);
        for (size_t i = 0; i < length; i++)
            text[i] = alphabet[random_below(sizeof(alphabet) - 1)];
        text[length] = '\0';
        char words[128];
        show(text, 100, words, sizeof(words));
        if (words[0] == '<') { /* sh says nothing useful about the others */
            (void)fprintf(script, "printf '<%%s>' %s; echo\n", text);
            used++;
        }
    }
    assert_int_equal(fclose(script), 0);
    char command[64];
    (void)snprintf(command, sizeof(command), "/bin/sh %s", path);
    FILE *shell = popen(command, "r");
    assert_non_null(shell);
    for (int i = 0; i < LINES; i++) {
        char line[256];
        char words[256];
        assert_non_null(fgets(line, sizeof(line), shell));
        line[strcspn(line, "\n")] = '\0';
        show(texts[i], 100, words, sizeof(words));
        if (strcmp(words, line) != 0)
            fail_msg("%s: %s, sh says %s", texts[i], words, line);
    }
    assert_int_equal(pclose(shell), 0);
    assert_int_equal(remove(path), 0);
}

/* What is quoted comes back as it was, whatever it is. */
static void quoted_is_kept(void **state) {
    (void)state;
    for (int round = 0; round < 2000; round++) {
        char word[64];
        char text[300] = "'";
        size_t length = random_below(60);
        size_t out = 1;
        for (size_t i = 0; i < length; i++) {
            word[i] = (char)(1 + random_below(255));
            if (word[i] == '\'')
                out += (size_t)snprintf(text + out, sizeof(text) - out, "'\\''");
            else
                text[out++] = word[i];
        }
        word[length] = '\0';
        text[out++] = '\'';
        char bytes[300];
        size_t count = 0;
        assert_int_equal(words_split(text, out, 1, bytes, &count), 0);
        assert_int_equal(count, 1);
        assert_string_equal(bytes, word);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(as_sh_does),
        cmocka_unit_test(quoted_is_kept),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
