/* Any bytes as a supervisord.conf: either faults, with lines that are there, or a config that brood's own reader
 * accepts without an error, all of it printable. The same bytes give the same result. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct import *import) {
    const struct config_input input = {.bytes = import->text,
                                       .length = import->length,
                                       .grace = MSEC_NEVER,
                                       .cpus = 1,
                                       .sigrtmin = 34,
                                       .sigrtmax = 64};
    struct config config;
    assert(import->faults_count == 0);
    assert(config_parse(&input, &config) == 0);
    assert(config.errors == 0);
    assert(config.spec.groups_count > 0);
    config_free(&config);
    assert(import->text[import->length - 1] == '\n');
    for (size_t i = 0; i < import->length; i++) {
        unsigned char c = (unsigned char)import->text[i];
        assert(c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f));
    }
}

static void check_faults(const struct import *import, uint32_t lines) {
    assert(import->faults_count > 0 && import->faults_count <= FAULTS_MAX + 1);
    for (uint32_t i = 0; i < import->faults_count; i++) {
        const struct config_fault *fault = &import->faults[i];
        assert(fault->severity == FAULT_ERROR && fault->line <= lines && strlen(fault->text) > 5);
        assert(i == 0 || import->faults[i - 1].line <= fault->line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* A copy of exactly this length: a byte read beyond it is seen by the sanitizer. */
    char *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    const struct import_input input = {.bytes = bytes, .length = size, .name = "x.conf", .here = "/etc"};
    struct import import;
    struct import again;
    uint32_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r';
    if (import_supervisord(&input, &import) != 0)
        abort();
    if (import.text != NULL)
        check_text(&import);
    else
        check_faults(&import, lines);
    if (size % 8 == 0) { /* each time would halve how many inputs are seen */
        if (import_supervisord(&input, &again) != 0)
            abort();
        assert((again.text == NULL) == (import.text == NULL) && again.faults_count == import.faults_count);
        assert(import.text == NULL ||
               (again.length == import.length && memcmp(again.text, import.text, import.length) == 0));
        import_free(&again);
    }
    import_free(&import);
    free(bytes);
    return 0;
}
