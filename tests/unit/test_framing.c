/* init/framing.c: where lines end and pieces are cut, and what is written for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "init/framing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct framing prefix = {.head = "a | ", .head_length = 4};
static const struct framing json = {.head = "{\"text\":\"", .head_length = 9, .json = true};

/* All lines of these bytes; the caller's to free(). */
static char *frame(const struct framing *framing, const char *bytes, size_t length, bool last) {
    struct framing_cursor cursor = {.bytes = bytes, .end = length, .last = last};
    struct framing_piece piece;
    size_t at = 0, room = framing_room(framing, length) * 16 + length * 8;
    char *out = calloc(room, 1);
    assert_non_null(out);
    while (framing_take(&cursor, &piece)) {
        assert_true(framing_room(framing, piece.length) < room - at);
        at += framing_put(framing, &piece, out + at);
    }
    assert_int_equal(cursor.at == cursor.end, last || length == 0 || bytes[length - 1] == '\n');
    return out;
}

static void test_lines(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool last;
        const char *prefixed;
        const char *json;
    } rows[] = {
        {"", true, "", ""},
        {"\n", false, "a | \n", "{\"text\":\"\"}\n"},
        {"one", false, "", ""},
        {"one", true, "a | one\n", "{\"text\":\"one\"}\n"},
        {"one\ntwo\nthr", false, "a | one\na | two\n", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n"},
        {"one\r\n", true, "a | one\r\n", "{\"text\":\"one\\r\"}\n"},
        {"\t\"\\\x01\x7f/\n", true, "a | \t\"\\\x01\x7f/\n", "{\"text\":\"\\t\\\"\\\\\\u0001\\u007f/\"}\n"},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n", true, "a | gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n",
         "{\"text\":\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"}\n"},
        {"\xff\xc3\n", true, "a | \xff\xc3\n", "{\"text\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *out = frame(&prefix, rows[i].text, strlen(rows[i].text), rows[i].last);
        assert_string_equal(out, rows[i].prefixed);
        free(out);
        out = frame(&json, rows[i].text, strlen(rows[i].text), rows[i].last);
        assert_string_equal(out, rows[i].json);
        free(out);
    }
}

static void test_nul(void **state) {
    (void)state;
    const struct framing_piece piece = {.text = "a\0b", .length = 3};
    char out[64];
    assert_int_equal(framing_put(&prefix, &piece, out), 8);
    assert_memory_equal(out, "a | a\0b\n", 8);
    assert_int_equal(framing_put(&json, &piece, out), 20);
    assert_memory_equal(out, "{\"text\":\"a\\u0000b\"}\n", 20);
}

/* `before` bytes of x, then these; the pieces that come of it. */
static void expect_pieces(size_t before, const char *after, bool last, const size_t *lengths, size_t count) {
    size_t length = before + strlen(after);
    char *bytes = malloc(length);
    assert_non_null(bytes);
    memset(bytes, 'x', before);
    memcpy(bytes + before, after, length - before);
    struct framing_cursor cursor = {.bytes = bytes, .end = length, .last = last};
    struct framing_piece piece;
    for (size_t i = 0; i < count; i++) {
        assert_true(framing_take(&cursor, &piece));
        assert_int_equal(piece.length, lengths[i]);
        assert_int_equal(piece.partial, i + 1 < count || !last);
    }
    assert_false(framing_take(&cursor, &piece));
    free(bytes);
}

static void test_long_lines(void **state) {
    (void)state;
    const size_t max = FRAMING_LINE_MAX;
    expect_pieces(max, "", false, NULL, 0);
    expect_pieces(max, "", true, (const size_t[]){max}, 1);
    expect_pieces(max, "\n", true, (const size_t[]){max}, 1);
    expect_pieces(max, "y", false, (const size_t[]){max}, 1);
    expect_pieces(max, "y\n", true, (const size_t[]){max, 1}, 2);
    expect_pieces(2 * max, "y\n", true, (const size_t[]){max, max, 1}, 3);
    /* Never within a character, whether all of it is there or not. */
    expect_pieces(max - 1, "\xc3\xbc\n", true, (const size_t[]){max - 1, 2}, 2);
    expect_pieces(max - 2, "\xf0\x9f\x98\x80", true, (const size_t[]){max - 2, 4}, 2);
    expect_pieces(max - 1, "\xf0\x9f", false, (const size_t[]){max - 1}, 1);
    expect_pieces(max - 2, "\xc3\xbcy\n", true, (const size_t[]){max, 1}, 2);
    /* What isn't UTF-8 can't push a cut back without end. */
    expect_pieces(max - 4, "\x80\x80\x80\x80\x80", false, (const size_t[]){max}, 1);
}

static void test_partial(void **state) {
    (void)state;
    const struct framing_piece piece = {.text = "abc", .length = 3, .partial = true};
    char out[64] = "";
    out[framing_put(&json, &piece, out)] = '\0';
    assert_string_equal(out, "{\"text\":\"abc\",\"partial\":true}\n");
    out[framing_put(&prefix, &piece, out)] = '\0';
    assert_string_equal(out, "a | abc\n");
}

/* The worst that JSON makes of a byte fits into the room that was asked for. */
static void test_room(void **state) {
    (void)state;
    static char text[1000], out[8000];
    memset(text, 1, sizeof text);
    const struct framing_piece piece = {.text = text, .length = sizeof text, .partial = true};
    size_t room = framing_room(&json, sizeof text);
    assert_true(room <= sizeof out);
    assert_true(framing_put(&json, &piece, out) <= room);
    assert_true(framing_put(&prefix, &piece, out) <= framing_room(&prefix, sizeof text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_nul),  cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_partial), cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
