/* The import as a whole: see import.h. The last judge is the config's own reader: what it would refuse becomes a fault
 * of the line that it came from, so that no config is printed that brood doesn't accept. */
#include "supervisor/import_internal.h"

#include <errno.h>
#include <string.h>

#include "supervisor/signals.h"

static void write_units(struct importer *importer) {
    bool any = false;
    for (uint32_t i = 0; i < importer->units_count && !importer_failed(importer); i++) {
        const struct unit *unit = &importer->units[i];
        any = any || !unit->off;
        if (unit->first || importer->parser.errors == 0)
            write_worker(importer, unit);
    }
    if (any || importer->parser.errors > 0 || importer_failed(importer))
        return;
    if (importer->units_count > 0)
        import_fault(importer, 0, "no program in it is started by itself: brood starts every group that a config has");
    else
        import_fault(importer, 0, "no [program:x] in it; what [include] names has to be imported with it, in one file");
}

/* Whether the result is a config; its faults become those of the import. */
static int judge(struct importer *importer) {
    const struct config_input input = {.bytes = importer->text.bytes,
                                       .length = importer->text.length,
                                       .grace = MSEC_NEVER,
                                       .cpus = 1,
                                       .sigrtmin = SIGRTMIN_USUAL,
                                       .sigrtmax = SIGRTMAX_USUAL};
    struct config config;
    int r = config_parse(&input, &config);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < config.faults_count; i++) {
        const struct config_fault *fault = &config.faults[i];
        uint32_t about = 0;
        if (fault->severity != FAULT_ERROR)
            continue;
        if (fault->line > 0 && fault->line <= importer->lines.length / sizeof(about))
            memcpy(&about, importer->lines.bytes + (fault->line - 1) * sizeof(about), sizeof(about));
        import_fault(importer, about, "brood can't have it so: %s", fault->text);
    }
    config_free(&config);
    return 0;
}

static int import(struct importer *importer) {
    const struct import_input *input = importer->input;
    if (input->length > IMPORT_BYTES_MAX) {
        import_fault(importer, 0, "the file is larger than 1 MiB; surely it is not the config that was meant");
        return 0;
    }
    import_read(importer);
    units_collect(importer);
    if (importer_failed(importer))
        return -ENOMEM;
    write_top(importer);
    write_units(importer);
    write_rest(importer);
    if (importer_failed(importer))
        return -ENOMEM;
    return importer->parser.errors > 0 ? 0 : judge(importer);
}

_Static_assert(IMPORT_BYTES_MAX == 1u << 20, "a text says so");

int import_supervisord(const struct import_input *input, struct import *ret) {
    struct importer importer = {.input = input};
    struct parser *parser = &importer.parser;
    importer.sections_end = &importer.sections;
    int r = import(&importer);
    faults_finish(parser);
    const char *text = NULL;
    if (parser->errors == 0 && r == 0)
        text = arena_copy(&parser->keep, importer.text.bytes, importer.text.length);
    if (importer_failed(&importer))
        r = -ENOMEM;
    if (r == 0)
        *ret = (struct import){.text = text,
                               .length = importer.text.length,
                               .faults = parser->faults,
                               .faults_count = parser->faults_count,
                               .memory = parser->keep.chunks};
    else
        arena_free(&parser->keep);
    arena_free(&parser->scratch);
    return r;
}

void import_free(struct import *import) {
    struct arena arena = {.chunks = import->memory};
    arena_free(&arena);
    *import = (struct import){.text = NULL};
}
