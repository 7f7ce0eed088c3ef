/* init/stream.c: what a pipe gives, piece by piece, and where lines end that have no newline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "init/stream.h"
#include "init/watch.h"

static int epoll;
static struct stream stream;
static char work[STREAM_WORK_BYTES];

static int before_each(void **state) {
    (void)state;
    struct slot slot = {.kind = SLOT_WORKER, .index = 7, .generation = 1};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    return epoll < 0 || stream_open(&stream, epoll, slot) < 0;
}

static int after_each(void **state) {
    (void)state;
    stream_close(&stream);
    return close(epoll);
}

static void write_text(const char *text) {
    assert_int_equal(write(stream.write_end, text, strlen(text)), strlen(text));
}

/* The next piece is this text, and the end of a line or not. */
static void expect(const char *text, bool last) {
    struct framing_cursor cursor;
    assert_true(stream_take(&stream, work, &cursor));
    assert_int_equal(cursor.at, 0);
    assert_int_equal(cursor.end, strlen(text));
    assert_memory_equal(cursor.bytes, text, cursor.end);
    assert_int_equal(cursor.last, last);
}

static void expect_nothing(void) {
    struct framing_cursor cursor = {.end = 99};
    assert_false(stream_take(&stream, work, &cursor));
    assert_int_equal(cursor.end, 99);
}

/* epoll tells once of what is new, whether or not it is read. */
static void test_epoll(void **state) {
    (void)state;
    struct epoll_event event;
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
    for (int i = 0; i < 2; i++) {
        write_text("x");
        assert_int_equal(epoll_wait(epoll, &event, 1, 0), 1);
        assert_int_equal(watch_source(event.data.u64), SOURCE_OUTPUT);
        assert_int_equal(watch_slot(event.data.u64).index, 7);
        assert_int_equal(watch_slot(event.data.u64).generation, 1);
        assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
    }
}

static void test_held_line_comes_first(void **state) {
    (void)state;
    expect_nothing();
    write_text("one\ntw");
    expect("one\ntw", false);
    assert_true(stream_hold(&stream, "tw", 2));
    expect_nothing();
    write_text("o\n");
    expect("two\n", false);
    assert_true(stream_hold(&stream, "", 0));
    assert_null(stream.held);
    expect_nothing();
}

static void test_end_of_nothing(void **state) {
    (void)state;
    assert_false(stream_end(&stream, false));
    expect_nothing();
    assert_true(stream_end(&stream, true)); /* its bytes are in work somewhere */
    assert_false(stream_end(&stream, true));
    expect("", true);
    expect_nothing();
}

static void test_end_of_a_held_line(void **state) {
    (void)state;
    assert_true(stream_hold(&stream, "half", 4));
    assert_true(stream_end(&stream, false));
    write_text("next");
    expect("half", true);
    expect("next", false);
}

/* Workers end one after the other while nobody reads: each one's last line ends. */
static void test_ends_in_the_pipe(void **state) {
    (void)state;
    write_text("first");
    assert_true(stream_end(&stream, false));
    assert_false(stream_end(&stream, false)); /* it is the same end */
    write_text("second");
    assert_true(stream_end(&stream, false));
    write_text("third");
    expect("first", true);
    expect("second", true);
    expect("third", false);
    expect_nothing();
}

/* More ends than are counted: the first ones and the last one hold. */
static void test_too_many_ends(void **state) {
    (void)state;
    for (int i = 0; i < STREAM_ENDS_MAX + 3; i++) {
        write_text("ab");
        assert_true(stream_end(&stream, false));
    }
    write_text("z");
    for (int i = 0; i < STREAM_ENDS_MAX - 1; i++)
        expect("ab", true);
    expect("abababab", true);
    expect("z", false);
}

/* An end that is further away than one read gives. */
static void test_end_far_away(void **state) {
    (void)state;
    static char text[STREAM_CHUNK + 1];
    memset(text, 'x', STREAM_CHUNK);
    write_text(text);
    assert_true(stream_end(&stream, false));
    struct framing_cursor cursor;
    assert_true(stream_take(&stream, work, &cursor));
    assert_int_equal(cursor.end, STREAM_CHUNK);
    assert_true(cursor.last);
    assert_int_equal(stream.ends_count, 0);
}

/* Somebody who opened /dev/stdout for reading took what was counted. */
static void test_somebody_else_reads(void **state) {
    (void)state;
    char byte[4];
    write_text("gone");
    assert_true(stream_end(&stream, false));
    assert_int_equal(read(stream.read_end, byte, sizeof byte), 4);
    expect("", true);
    write_text("here");
    expect("here", false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_epoll, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_held_line_comes_first, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_end_of_nothing, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_end_of_a_held_line, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_ends_in_the_pipe, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_too_many_ends, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_end_far_away, before_each, after_each),
        cmocka_unit_test_setup_teardown(test_somebody_else_reads, before_each, after_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
