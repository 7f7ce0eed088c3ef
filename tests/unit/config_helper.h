/* What the tests of the config share: parse a text, and say
 * its faults as brood --check would, without the file's name. */
#ifndef TESTS_UNIT_CONFIG_HELPER_H
#define TESTS_UNIT_CONFIG_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"

static inline struct config_input helper_input(const char *text, size_t length) {
    return (struct config_input){.bytes = text,
                                 .length = length,
                                 .grace = MSEC_NEVER,
                                 .cpus = 3,
                                 .sigrtmin = 34,
                                 .sigrtmax = 64,
                                 .accept_unbuilt = true};
}

/* "2: error: [worker:web] …\n…", the caller's to free. */
static inline char *helper_faults(const struct config *config) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    uint32_t errors = 0;
    for (uint32_t i = 0; i < config->faults_count; i++) {
        const struct config_fault *fault = &config->faults[i];
        assert_true(i == 0 || config->faults[i - 1].line <= fault->line);
        (void)fprintf(stream, "%u: %s: %s\n", fault->line, fault->severity == FAULT_ERROR ? "error" : "warning",
                      fault->text);
        errors += fault->severity == FAULT_ERROR;
    }
    assert_true(config->faults_count > FAULTS_MAX || errors == config->errors);
    (void)fclose(stream);
    return text;
}

/* Parses, compares all faults with the expected text, frees. */
static inline void helper_expect_input(const struct config_input *input, const char *expected) {
    struct config config;
    assert_int_equal(config_parse(input, &config), 0);
    char *faults = helper_faults(&config);
    if (strcmp(faults, expected) != 0)
        print_error("--- config:\n%.*s\n--- faults:\n%s--- expected:\n%s",
                    (int)(input->length < 500 ? input->length : 500), input->bytes, faults, expected);
    assert_string_equal(faults, expected);
    free(faults);
    config_free(&config);
}

static inline void helper_expect(const char *text, const char *expected) {
    struct config_input input = helper_input(text, strlen(text));
    helper_expect_input(&input, expected);
}

#endif
