/* What describe.c and describe_trace.c put texts together with. */
#ifndef SUPERVISOR_DESCRIBE_INTERNAL_H
#define SUPERVISOR_DESCRIBE_INTERNAL_H

#include <stddef.h>

#include "supervisor/event.h"
#include "supervisor/msec.h"
#include "supervisor/spec.h"

/* A text that grows to the right and counts what no longer fits, as snprintf does. */
struct text {
    char *buffer;
    size_t size;
    size_t length;
};

struct text describe_begin(char *buffer, size_t size);
void describe_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each adds one word or a few, as describe.h shows them. */
void describe_add_error(struct text *text, int error);
void describe_add_signal(struct text *text, const struct spec *spec, int number);
void describe_add_duration(struct text *text, msec_t duration);
void describe_add_slot(struct text *text, const struct spec *spec, struct slot slot);
void describe_add_ending(struct text *text, const struct spec *spec, struct ending ending);

#endif
