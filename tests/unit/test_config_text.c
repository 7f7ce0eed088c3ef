/* Values that have a grammar of their own (hosts, JSON), and how a fault shows what can't be printed: tables of what is
 * legal, and of words that the fault must have where it isn't. */
#include "tests/unit/config_helper.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORKER "[worker:web]\nstart = x\n"
#define WRAP "[worker:web]\nstart = x\n[wrap:cov]\nwrapper = x\n"

/* One line behind others: its only fault has these words in it, or there is none where they are NULL. */
static void expect_words(const char *before, const char *line, const char *words) {
    char text[1024];
    (void)snprintf(text, sizeof(text), "%s%s", before, line);
    struct config_input input = helper_input(text, strlen(text));
    struct config config;
    assert_int_equal(config_parse(&input, &config), 0);
    char *faults = helper_faults(&config);
    if (config.errors != (words == NULL ? 0 : 1) || (words != NULL && strstr(faults, words) == NULL))
        fail_msg("%s: \"%s\", should have \"%s\"", line, faults, words == NULL ? "nothing" : words);
    free(faults);
    config_free(&config);
}

#define LABEL_63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static void hosts(void **state) {
    (void)state;
    static const char *const legal[] = {
        "0.0.0.0",     "255.10.1.99",           "[::]", "[::1]", "[1::]",   "[1:2::7:8]", "[abcd::EF9]",
        "[::1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", "*",    "a_b",   "a-b.c-9", "9a",         LABEL_63,
        "db.",         "[1:2:3:4:5:6:7::]"};
    static const char *const illegal[] = {"1.2.3",
                                          "1.2.3.4.5",
                                          "1.2.3.04",
                                          "1.2.3.1234",
                                          "1..2.3",

                                          "[1:2]",
                                          "[1::2::3]",
                                          "[12345::]",
                                          "[1:2:3:4:5:6:7:8:9]",
                                          "[::1.2.3.256]",
                                          "[1.2.3.4]",
                                          "[1:2:3:4:5:6:7:1.2.3.4]",
                                          "[1:2:3:4:5:6:7:]",
                                          "[g::]",
                                          "[1:::2]",
                                          "[1:2:3:4:5:6:7:8::]",
                                          "[1::2:3:4:5:6:7:1.2.3.4]",
                                          "[1;2]",
                                          "[abcd/::]",
                                          "-a",
                                          "a.-b",
                                          "a..b",
                                          ".",
                                          "99.9",
                                          "a@b",
                                          LABEL_63 "d",
                                          "a/b"};
    char line[300];
    for (size_t i = 0; i < COUNT(legal); i++) {
        (void)snprintf(line, sizeof(line), "ready = tcp:%s:80", legal[i]);
        expect_words(WORKER, line, strcmp(legal[i], "db.") == 0 ? "has no valid host" : NULL);
    }
    for (size_t i = 0; i < COUNT(illegal); i++) {
        (void)snprintf(line, sizeof(line), "ready = tcp:%s:80", illegal[i]);
        expect_words(WORKER, line, "has no valid host");
    }
    (void)snprintf(line, sizeof(line), "ready = tcp:%s.%s.%s.%s:80", LABEL_63, LABEL_63, LABEL_63, LABEL_63);
    expect_words(WORKER, line, "has no valid host"); /* 255 characters */
    expect_words(WORKER, "ready = tcp:a:65535", NULL);
    expect_words(WORKER, "ready = tcp:a:65536", "has no port of 1 to 65535");
    expect_words(WORKER, "ready = tcp:a:http", "has no port of 1 to 65535");
    expect_words(WORKER, "ready = fd:1024", "has no free descriptor");
    expect_words(WORKER, "ready = fd:x", "has no free descriptor");
}

static void json_of_every_kind(void **state) {
    (void)state;
    static const char *const legal[] = {
        "0",  "-0",  "-12.05",  "1e5",         "1E-5",    "2.5e+3",     "true",
        "[]", "{ }", "\"\\n\"", "\"\\u00eF\"", "[ 1 ,2]", "{\"a\":{}}", "[[],{\"b\" : \"\"}]"};
    static const struct {
        const char *text, *words;
    } illegal[] = {{"-", "a digit is missing"},
                   {"1.", "a digit is missing"},
                   {"1.x", "a digit is missing"},
                   {"1e", "a digit is missing"},
                   {"1e+", "a digit is missing"},
                   {"01", "something follows the value"},
                   {"\"\\x\"", "no such escape in a string"},
                   {"\"\\", "no such escape in a string"},
                   {"\"\\u12g4\"", "\\u needs four hexadecimal digits"},
                   {"\"\\u12", "\\u needs four hexadecimal digits"},
                   {"\"a", "a string is not closed"},
                   {"\"a\tb\"", "a TAB in a string is written \\t"},
                   {"{\"a\" 1}", "a : is missing"},
                   {"{\"a\": 1 \"b\"}", "a , or } is missing"},
                   {"{\"a\": 1,}", "a string in \"\" is missing"},
                   {"[1 2]", "a , or ] is missing"},
                   {"[1,", "is not JSON"},
                   {"[1,]", "is not JSON"},
                   {"{\"a\": }", "is not JSON"},
                   {"nul", "is not JSON"}};
    char line[100];
    for (size_t i = 0; i < COUNT(legal); i++) {
        (void)snprintf(line, sizeof(line), "data = %s", legal[i]);
        expect_words(WRAP, line, NULL);
    }
    for (size_t i = 0; i < COUNT(illegal); i++) {
        (void)snprintf(line, sizeof(line), "data = %s", illegal[i].text);
        expect_words(WRAP, line, illegal[i].words);
    }
}

/* What a fault shows of a value goes to a terminal: well-formed characters as they are, every other byte as \xNN. */
static void excerpts_are_printable(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *shown;
    } cases[] = {{"\xc3\xa9", "\"\xc3\xa9\""},
                 {"\xe2\x82\xac", "\"\xe2\x82\xac\""},
                 {"\xe0\xa4\x85", "\"\xe0\xa4\x85\""},
                 {"\xed\x9f\xbf", "\"\xed\x9f\xbf\""},
                 {"\xf0\x9f\x90\xa3", "\"\xf0\x9f\x90\xa3\""},
                 {"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
                 {"\xc2\xa0z", "\"\xc2\xa0z\""},
                 {"\x80z", "\"\\x80z\""},          /* a continuation alone */
                 {"\xc1\xbfz", "\"\\xc1\\xbfz\""}, /* overlong */
                 {"\xe0\x9f\xbfz", "\"\\xe0\\x9f\\xbfz\""},
                 {"\xf0\x8f\xbf\xbfz", "\"\\xf0\\x8f\\xbf\\xbfz\""},
                 {"\xed\xa0\x80z", "\"\\xed\\xa0\\x80z\""},          /* a surrogate */
                 {"\xf4\x90\x80\x80z", "\"\\xf4\\x90\\x80\\x80z\""}, /* beyond U+10FFFF */
                 {"\xf5\x80\x80\x80z", "\"\\xf5\\x80\\x80\\x80z\""},
                 {"\xc2\x85z", "\"\\xc2\\x85z\""}, /* a control character */
                 {"\xe2\x82z", "\"\\xe2\\x82z\""}, /* cut short */
                 {"z\xe2\x82", "\"z\\xe2\\x82\""}};
    char line[100];
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)snprintf(line, sizeof(line), "log_level = %s", cases[i].bytes);
        expect_words(WORKER "[supervisor]\n", line, cases[i].shown);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(json_of_every_kind),
        cmocka_unit_test(excerpts_are_printable),
    };
    return cmocka_run_group_tests_name("config text", tests, NULL, NULL);
}
