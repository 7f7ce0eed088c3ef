/* init/env_lines.c: the lines of an env_file, one table of whole files and what comes out of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/env_lines.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NO_SIGN "no = in it; write NAME=VALUE, or # before a comment"
#define NO_NAME "not a variable's name; write letters, digits and _, no digit first, before the ="
#define OPEN "the quote is not closed on this line; close it, or put the whole value into the other kind of quotes"
#define BEHIND "something follows the closing quote; put it inside of the quotes, or remove it"

struct row {
    const char *text;
    const char *wanted; /* LINE NAME=<VALUE> or LINE: FAULT, each with a newline */
};

static void expect(const char *text, size_t length, const char *wanted) {
    char *bytes = malloc(length + 1), got[2048] = "", *name, *value;
    const char *fault;
    assert_non_null(bytes);
    memcpy(bytes, text, length);
    struct env_lines lines = {.next = bytes, .end = bytes + length};
    enum env_line kind;
    while ((kind = env_lines_next(&lines, &name, &value, &fault)) != ENV_LINE_END) {
        char *end = got + strlen(got);
        size_t left = sizeof got - (size_t)(end - got);
        if (kind == ENV_LINE_VARIABLE)
            snprintf(end, left, "%u %s=<%s>\n", lines.line, name, value);
        else
            snprintf(end, left, "%u: %s\n", lines.line, fault);
    }
    assert_string_equal(got, wanted);
    free(bytes);
}

static void files(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {"\n\r\n \t\n# A=1\n  ; B=2\n", ""},
        {"A=1", "1 A=<1>\n"},
        {"A=1\n\nB=2\n", "1 A=<1>\n3 B=<2>\n"},
        {"A=1\r\nB=2\r\n", "1 A=<1>\n2 B=<2>\n"},
        {"\xef\xbb\xbf"
         "A=1\n",
         "1 A=<1>\n"},
        {"  A = 1 2 \t\n", "1 A=<1 2>\n"},
        {"A=\nB= \nC=''\n", "1 A=<>\n2 B=<>\n3 C=<>\n"},
        {"A=x=y # not a comment ; nor this\n", "1 A=<x=y # not a comment ; nor this>\n"},
        {"A=${B} $C `d` \\n\n", "1 A=<${B} $C `d` \\n>\n"},
        {"A=\" x \"\nB=' y '\n", "1 A=< x >\n2 B=< y >\n"},
        {"A=\"a \\\" b \\\\ c \\n\"\nB='a \\'\n", "1 A=<a \" b \\ c \\n>\n2 B=<a \\>\n"},
        {"A=it's \"fine\"\n", "1 A=<it's \"fine\">\n"},
        {"A=\"it's\"\nB='\"'\n", "1 A=<it's>\n2 B=<\">\n"},
        {"export A=1\nexport\tB=2\nexport=3\nexport = 4\n", "1 A=<1>\n2 B=<2>\n3 export=<3>\n4 export=<4>\n"},
        {"A=1\nA=2\n", "1 A=<1>\n2 A=<2>\n"},
        {"\xc3\xa4=1\nA=\xc3\xa4\xff\n", "1: " NO_NAME "\n2 A=<\xc3\xa4\xff>\n"},

        {"A\nexport B\nC=1\n", "1: " NO_SIGN "\n2: " NO_SIGN "\n3 C=<1>\n"},
        {"=1\n1A=1\nA-B=1\nA B=1\nexport =1\n exportA=1\n",
         "1: " NO_NAME "\n2: " NO_NAME "\n3: " NO_NAME "\n4: " NO_NAME "\n5 export=<1>\n6 exportA=<1>\n"},
        {"A=\"\nB='\nC=\"\\\"\nD=\"\\\nE=\"a\\", "1: " OPEN "\n2: " OPEN "\n3: " OPEN "\n4: " OPEN "\n5: " OPEN "\n"},
        {"A=\"x\"y\nB='x' # y\n", "1: " BEHIND "\n2: " BEHIND "\n"},
        {"A=\"x\" \nA='x'\t\r\n", "1 A=<x>\n2 A=<x>\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(rows[i].text, strlen(rows[i].text), rows[i].wanted);
    static const char nul[] = "A=x\0y\n\0\nB=1\0";
    static const char said[] = "1: a NUL byte, which no variable can hold; remove it\n"
                               "2: a NUL byte, which no variable can hold; remove it\n"
                               "3: a NUL byte, which no variable can hold; remove it\n";
    expect(nul, sizeof nul - 1, said);
}

/* The longest that exec takes is taken, one byte more is a fault. */
static void long_lines(void **state) {
    (void)state;
    enum { MOST = 131071 };
    char *bytes = malloc(MOST + 2), *name, *value;
    const char *fault;
    assert_non_null(bytes);
    for (size_t length = MOST; length <= MOST + 1; length++) {
        memset(bytes, 'x', length);
        memcpy(bytes, "A=", 2);
        struct env_lines lines = {.next = bytes, .end = bytes + length};
        enum env_line kind = env_lines_next(&lines, &name, &value, &fault);
        assert_int_equal(kind, length == MOST ? ENV_LINE_VARIABLE : ENV_LINE_FAULT);
        if (kind == ENV_LINE_FAULT)
            assert_string_equal(fault, "longer than 131071 bytes, no program can be given it; shorten it");
        else
            assert_int_equal(strlen(value), MOST - 2);
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(long_lines),
    };
    return cmocka_run_group_tests_name("env_lines", tests, NULL, NULL);
}
