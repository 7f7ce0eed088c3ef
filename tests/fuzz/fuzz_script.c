/* The first bytes of a file as a #! line: what image_script() says is what the kernel's rules, written down here once
 * more and in another way, come to. (That they are the kernel's rules is what tests/unit/test_image.c shows.) */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BLANKS " \t"

/* A text that may hold NULs. */
struct span {
    const char *begin;
    const char *end;
};

static bool is_blank(char character) {
    return character != '\0' && strchr(BLANKS, character) != NULL;
}

/* 256 bytes of which the file fills a part. With a newline (before any NUL) the line is what is before it. Without one
 * it is everything but the 256th byte, provided that the interpreter's name ends by then, that byte included. */
static bool find_line(const char block[IMAGE_HEAD_BYTES], struct span *ret) {
    if (memcmp(block, "#!", 2) != 0)
        return false;
    const char *newline = memchr(block, '\n', strnlen(block, IMAGE_HEAD_BYTES));
    *ret = (struct span){block + 2, newline != NULL ? newline : block + IMAGE_HEAD_BYTES - 1};
    if (newline == NULL) {
        char text[IMAGE_HEAD_BYTES + 1] = "";
        memcpy(text, block, IMAGE_HEAD_BYTES);
        size_t name = 2 + strspn(text + 2, BLANKS);
        if (name + strcspn(text + name, BLANKS) == IMAGE_HEAD_BYTES)
            return false;
    }
    return true;
}

/* Copies of both words; false: not a script. */
static bool expect(const char *bytes, size_t length, char *interpreter, char *argument, bool *ret_argument) {
    char block[IMAGE_HEAD_BYTES] = {0};
    char text[IMAGE_HEAD_BYTES + 1] = {0};
    struct span line;
    memcpy(block, bytes, length);
    if (!find_line(block, &line))
        return false;
    while (line.end > line.begin && is_blank(line.end[-1]))
        line.end--;
    while (line.begin < line.end && is_blank(*line.begin))
        line.begin++;
    if (line.begin == line.end)
        return false;
    memcpy(text, line.begin, (size_t)(line.end - line.begin)); /* ends at a NUL of its own or at the one behind it */
    size_t name = strcspn(text, BLANKS);
    memcpy(interpreter, text, name);
    interpreter[name] = '\0';
    *ret_argument = text[name] != '\0';
    memcpy(argument, text + name + strspn(text + name, BLANKS), strlen(text + name + strspn(text + name, BLANKS)) + 1);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char interpreter[IMAGE_HEAD_BYTES + 1], argument[IMAGE_HEAD_BYTES + 1];
    bool has_argument = false;
    size_t length = size < IMAGE_HEAD_BYTES ? size : IMAGE_HEAD_BYTES;
    char *head = malloc(IMAGE_HEAD_BYTES + 1);
    char *bytes = calloc(1, length + 1);
    if (head == NULL || bytes == NULL)
        abort();
    memset(head, 'x', IMAGE_HEAD_BYTES + 1);
    if (length > 0) {
        memcpy(head, data, length);
        memcpy(bytes, data, length);
    }
    const char *got_interpreter = NULL, *got_argument = NULL;
    bool expected = expect(bytes, length, interpreter, argument, &has_argument);
    assert(image_script(head, length, &got_interpreter, &got_argument) == expected);
    if (expected) {
        assert(strcmp(got_interpreter, interpreter) == 0);
        assert((got_argument != NULL) == has_argument);
        assert(got_argument == NULL || strcmp(got_argument, argument) == 0);
    } else {
        assert(got_interpreter == NULL && got_argument == NULL);
    }
    free(head);
    free(bytes);
    return 0;
}
