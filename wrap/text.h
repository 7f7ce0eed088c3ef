/* Strings without a C library: what the shim and the preload library need, and no more. */
#ifndef WRAP_TEXT_H
#define WRAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t text_length(const char *text) {
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static inline bool text_same_bytes(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static inline bool text_same(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* What follows `start` in text; NULL where text doesn't begin so. */
static inline const char *text_after(const char *text, const char *start) {
    for (; *start != '\0'; text++, start++)
        if (*text != *start)
            return NULL;
    return text;
}

/* The value of "NAME=VALUE", NULL where the variable has another name. */
static inline const char *text_value(const char *variable, const char *name) {
    const char *rest = text_after(variable, name);
    return rest != NULL && *rest == '=' ? rest + 1 : NULL;
}

static inline bool text_has(const char *text, char character) {
    for (; *text != '\0'; text++)
        if (*text == character)
            return true;
    return false;
}

/* What follows the last slash. */
static inline const char *text_base(const char *path) {
    const char *base = path;
    for (; *path != '\0'; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

/* A string that is put together in a buffer of the caller's; too much makes it invalid, and it stays so. */
struct text_builder {
    char *bytes;
    size_t size;
    size_t length;
    bool failed;
};

static inline void text_add_bytes(struct text_builder *builder, const char *text, size_t length) {
    if (builder->failed || length >= builder->size - builder->length) {
        builder->failed = true;
        return;
    }
    for (size_t i = 0; i < length; i++)
        builder->bytes[builder->length++] = text[i];
    builder->bytes[builder->length] = '\0';
}

static inline void text_add(struct text_builder *builder, const char *text) {
    text_add_bytes(builder, text, text_length(text));
}

static inline void text_add_number(struct text_builder *builder, unsigned long number) {
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    text_add_bytes(builder, digits + at, sizeof digits - at);
}

/* The decimal number that *text begins with; *text is moved behind it. -1: there is none, or a too large one. */
static inline long text_take_number(const char **text) {
    long number = -1;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        number = 10 * (number < 0 ? 0 : number) + (**text - '0');
        if (number > 1000000000)
            return -1;
    }
    return number;
}

#endif
