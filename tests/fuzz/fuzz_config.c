/* Any bytes as a config: it is read to its end, its faults are sorted and printable, a spec without errors holds what
 * spec.h promises, and the same bytes give the same result. Each input is read with keys that aren't built yet taken;
 * its digest chooses whether it is read again so, and whether the reading that refuses them has a COMMAND: all four
 * each time would halve how many inputs are seen. The replay does all four. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef FUZZING /* by libFuzzer, says the Makefile; else it is the replay */
static const bool in_replay = false;
#else
static const bool in_replay = true;
#endif

/* --- what holds for every spec without errors --------------------------------------------------------------------- */

static void check_command(const struct spec_command *command, bool needed) {
    assert(!needed || command->argc > 0);
    assert((command->argv == NULL) == (command->argc == 0));
    for (uint32_t i = 0; i < command->argc; i++)
        assert(command->argv[i] != NULL);
    assert(command->argc == 0 || (command->argv[command->argc] == NULL && command->argv[0][0] != '\0'));
}

static void check_list(const struct spec_text_list *list) {
    for (uint32_t i = 0; i < list->count; i++)
        assert(list->items[i][0] != '\0');
}

static void check_identity(const struct spec_identity *identity) {
    assert(identity->umask >= -1 && identity->umask <= 0777);
    assert(identity->nice >= -20 && identity->nice <= 19);
    assert(identity->oom_score_adj >= -1000 && identity->oom_score_adj <= 1000);
    check_list(&identity->groups);
    for (uint32_t i = 0; i < identity->limits_count; i++)
        assert(identity->limits[i].name[0] != '\0' && identity->limits[i].soft <= identity->limits[i].hard);
    for (uint32_t i = 0; i < identity->environment.count; i++)
        assert(strchr(identity->environment.variables[i].name, '=') == NULL);
}

static bool is_duration(msec_t duration) {
    return duration >= 0 && duration <= DURATION_MAX_MS;
}

static void check_group(const struct spec *spec, uint32_t index, uint32_t first_worker) {
    const struct spec_group *group = &spec->groups[index];
    assert(group->name[0] != '\0' && memchr(group->name, '\0', sizeof(group->name)) != NULL);
    assert(group->count >= 1 && group->count <= WORKERS_MAX);
    assert(group->first_worker == first_worker);
    check_command(&group->start, true);
    check_command(&group->stop, false);
    check_command(&group->ready_command, group->ready == READY_EXEC);
    check_command(&group->check_command, group->check == CHECK_EXEC);
    bool text = group->ready == READY_TCP || group->ready == READY_UNIX || group->ready == READY_FILE;
    assert((group->ready_text != NULL) == text);
    assert((group->check_text != NULL) == (group->check == CHECK_TCP));
    assert(group->ready != READY_FD || group->ready_fd >= 3);
    assert(group->startup_timeout == MSEC_NEVER || (is_duration(group->startup_timeout) && group->startup_timeout > 0));
    assert(group->grace == MSEC_NEVER || is_duration(group->grace));
    assert(group->stop_signal >= 0 && group->stop_signal < SIGNALS_END);
    assert(group->delay_first >= 1 && group->delay_first <= group->delay_last && is_duration(group->delay_last));
    assert(group->limit_failures <= RESTART_LIMIT_MAX && is_duration(group->limit_window) && group->limit_window > 0);
    assert(is_duration(group->stable_after) && is_duration(group->every) && is_duration(group->watchdog));
    assert(is_duration(group->lifetime) && group->lifetime_spread <= group->lifetime);
    assert(group->check_interval > 0 && group->check_timeout > 0 && group->check_failures > 0);
    assert(group->listen.count == 0 || group->type == TYPE_CLUSTER);
    check_list(&group->listen);
    assert(group->listen.count <= LISTEN_MAX);
    for (uint32_t i = 0; i < group->listen.count; i++) {
        const struct spec_listen *socket = &group->sockets[i];
        assert(socket->kind == LISTEN_UNIX ? socket->address[0] == '/' : strchr(socket->address, ':') != NULL);
        assert(socket->mode <= 0777 && strcspn(socket->address, "?,") == strlen(socket->address));
        assert(group->ready != READY_FD || group->ready_fd >= 3 + (int)group->listen.count);
    }
    check_identity(&group->identity);
    for (uint32_t i = 0; i < group->after_count; i++)
        assert(group->after[i] < spec->groups_count && group->after[i] != index);
}

static bool names(const uint16_t *list, uint32_t count, uint32_t index) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == index)
            return true;
    }
    return false;
}

/* `before` is `after` the other way round, and there is an order in which all can start. */
static void check_order(const struct spec *spec) {
    bool started[GROUPS_MAX + 1] = {false};
    uint32_t edges = 0;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct spec_group *group = &spec->groups[i];
        edges += group->after_count;
        assert(group->before_count <= spec->groups_count);
        for (uint32_t j = 0; j < group->before_count; j++) {
            const struct spec_group *above = &spec->groups[group->before[j]];
            assert(names(above->after, above->after_count, i));
            edges--;
        }
    }
    assert(edges == 0);
    uint32_t left = spec->groups_count;
    for (bool progress = true; progress;) {
        progress = false;
        for (uint32_t i = 0; i < spec->groups_count; i++) {
            bool may = !started[i];
            for (uint32_t j = 0; may && j < spec->groups[i].after_count; j++)
                may = started[spec->groups[i].after[j]];
            started[i] = started[i] || may;
            progress = progress || may;
            left -= may;
        }
    }
    assert(left == 0);
}

static void check_spec(const struct spec *spec, const struct config_input *input) {
    assert(is_duration(spec->grace) && is_duration(spec->finish_grace));
    assert(spec->groups_count <= GROUPS_MAX + 1 && spec->workers_count <= WORKERS_MAX);
    assert(spec->command_group == (input->command == NULL ? -1 : (int32_t)spec->groups_count - 1));
    uint32_t workers = 0;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        check_group(spec, i, workers);
        workers += spec->groups[i].count;
    }
    assert(workers == spec->workers_count);
    check_order(spec);
    assert(workers > 0 || spec->primary.line > 0);
    check_command(&spec->primary.start, false);
    check_command(&spec->primary.stop, false);
    assert(spec->primary.line == 0 || spec->primary.start.argc + spec->primary.stop.argc > 0);
    check_identity(&spec->primary.identity);
    for (int i = 0; i < SIGNALS_END; i++) {
        assert(spec->signals[i].number >= 0 && spec->signals[i].number < SIGNALS_END);
        assert(spec->signals[i].group >= -1 && spec->signals[i].group < (int32_t)spec->groups_count);
        assert((i != 0 && i != 9 && i != 17 && i != 19) || spec->signals[i].policy == SIGNAL_IGNORE);
    }
    for (uint32_t i = 0; i < spec->wraps_count; i++) {
        assert(spec->wraps[i].wrapper != NULL && spec->wraps[i].programs.count > 0);
        check_list(&spec->wraps[i].programs);
        for (uint32_t j = 0; j < spec->wraps[i].groups_count; j++)
            assert(spec->wraps[i].groups[j] < spec->groups_count);
    }
}

static void check_faults(const struct config *config) {
    uint32_t errors = 0;
    assert(config->faults_count <= FAULTS_MAX + 1);
    for (uint32_t i = 0; i < config->faults_count; i++) {
        const struct config_fault *fault = &config->faults[i];
        assert(i == 0 || config->faults[i - 1].line <= fault->line);
        errors += fault->severity == FAULT_ERROR;
        assert(strlen(fault->text) > 10);
        for (const char *at = fault->text; *at != '\0'; at++)
            assert((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
    assert(config->faults_count > FAULTS_MAX || errors == config->errors);
}

/* --- the same again ----------------------------------------------------------------------------------------------- */

static uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        digest = (digest ^ at[i]) * UINT64_C(1099511628211);
    return digest;
}

static uint64_t digest_text(uint64_t digest, const char *text) {
    return text == NULL ? digest_bytes(digest, "\1", 1) : digest_bytes(digest, text, strlen(text) + 1);
}

static uint64_t digest_command(uint64_t digest, const struct spec_command *command) {
    for (uint32_t i = 0; i < command->argc; i++)
        digest = digest_text(digest, command->argv[i]);
    return digest_bytes(digest, &command->line, sizeof(command->line));
}

static uint64_t digest_environment(uint64_t digest, const struct spec_environment *environment) {
    for (uint32_t i = 0; i < environment->count; i++)
        digest = digest_text(digest_text(digest, environment->variables[i].name), environment->variables[i].value);
    return digest_text(digest, environment->file);
}

static uint64_t digest_group(uint64_t digest, const struct spec_group *group) {
    digest = digest_command(digest_command(digest_text(digest, group->name), &group->start), &group->stop);
    digest = digest_text(digest_command(digest, &group->ready_command), group->ready_text);
    digest = digest_text(digest_command(digest, &group->check_command), group->check_text);
    digest = digest_environment(digest, &group->identity.environment);
    digest = digest_text(digest_text(digest, group->identity.user), group->identity.working_directory);
    digest = digest_bytes(digest, &group->count, sizeof(group->count));
    digest = digest_bytes(digest, &group->grace, sizeof(group->grace));
    digest = digest_bytes(digest, &group->delay_last, sizeof(group->delay_last));
    digest = digest_bytes(digest, &group->success, sizeof(group->success));
    return digest_bytes(digest, &group->output, sizeof(group->output));
}

static uint64_t digest_config(const struct config *config) {
    uint64_t digest = config->errors;
    for (uint32_t i = 0; i < config->faults_count; i++) {
        digest = digest_text(digest, config->faults[i].text);
        digest = digest_bytes(digest, &config->faults[i].line, sizeof(config->faults[i].line));
    }
    if (config->errors > 0)
        return digest;
    const struct spec *spec = &config->spec;
    digest = digest_environment(digest, &spec->environment);
    for (uint32_t i = 0; i < spec->groups_count; i++)
        digest = digest_group(digest, &spec->groups[i]);
    for (uint32_t i = 0; i < spec->wraps_count; i++)
        digest = digest_text(digest_text(digest, spec->wraps[i].wrapper), spec->wraps[i].data);
    return digest_bytes(digest, spec->signals, sizeof(spec->signals));
}

/* --- entry -------------------------------------------------------------------------------------------------------- */

static uint64_t parse(const struct config_input *input, uint32_t *errors) {
    struct config config;
    int result = config_parse(input, &config);
    assert(result == 0);
    check_faults(&config);
    if (config.errors == 0)
        check_spec(&config.spec, input);
    uint64_t digest = digest_config(&config);
    *errors = config.errors;
    config_free(&config);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char program[] = "cmd";
    char *command[] = {program, NULL};
    /* A copy of exactly this length: a byte read beyond it is seen by the sanitizer. */
    char *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        abort();
    memcpy(bytes, data, size);
    struct config_input input = {
        .bytes = bytes, .length = size, .grace = MSEC_NEVER, .cpus = 2, .sigrtmin = 34, .sigrtmax = 64};
    uint32_t accepted = 0;
    uint32_t built = 0;
    uint64_t chosen = digest_bytes(0, data, size) >> 32;
    input.accept_unbuilt = true;
    uint64_t digest = parse(&input, &accepted);
    if (in_replay || chosen % 8 == 0)
        assert(parse(&input, &accepted) == digest);
    input.accept_unbuilt = false;
    if (in_replay || chosen % 16 < 8) {
        (void)parse(&input, &built);
        assert(built >= accepted);
    }
    if (in_replay || chosen % 16 >= 8) {
        input.command = command;
        (void)parse(&input, &built);
    }
    free(bytes);
    return 0;
}
