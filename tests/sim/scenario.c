/* A seed to a spec and an operator's script. The struct spec is built directly: what the parser can't produce is not
 * produced here either, but no INI text is between a seed and its meaning. Most scenarios are small (a human must be
 * able to read the trace of one that fails), few are large. */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/signals.h"
#include "tests/sim/random.h"

enum { KEY_SPEC = 1, KEY_GROUP, KEY_SCRIPT, KEY_MOOD, KEY_DESCRIPTORS };

static char word_true[] = "true";
static char *command_argv[] = {word_true, NULL};

static const struct spec_command some_command = {.argv = command_argv, .argc = 1, .line = 1};

/* --- moods --- */

static const struct mood calm_mood = {.life_ms = 1000};

static void draw_mood(struct mood *ret, struct random *random) {
    static const struct mood moods[] = {
        {.crash = 20, .success = 500, .slow_stop = 100, .life_ms = 10000},
        {.crash = 900, .success = 100, .slow_stop = 200, .members = 200, .odd_facts = 50, .life_ms = 300},
        {.crash = 700, .success = 900, .slow_stop = 100, .members = 100, .odd_facts = 50, .life_ms = 2000},
        {.exec_failure = 400, .early_death = 100, .crash = 500, .success = 500, .spawn_failure = 200, .life_ms = 500},
        {.crash = 300,
         .success = 300,
         .stubborn = 400,
         .slow_stop = 400,
         .members = 300,
         .orphans = 200,
         .never_ready = 100,
         .life_ms = 5000},
        {.spawn_failure = 50,
         .exec_failure = 50,
         .early_death = 50,
         .crash = 400,
         .success = 400,
         .stubborn = 200,
         .slow_stop = 300,
         .never_ready = 200,
         .members = 300,
         .orphans = 200,
         .stuck = 30,
         .odd_facts = 400,
         .life_ms = 3000},
        {.crash = 400, .success = 300, .slow_stop = 600, .never_ready = 500, .odd_facts = 200, .life_ms = 20000},
    };
    *ret = RANDOM_OF(random, moods);
}

/* --- groups --- */

static msec_t draw_grace(struct random *random) {
    static const msec_t graces[] = {0, 1, 7, 100, 1000, 2000, 10000, 10000, 10000, 30000};
    return RANDOM_OF(random, graces);
}

static void draw_restart(struct spec_group *group, struct random *random) {
    static const enum restart_policy policies[] = {RESTART_NO, RESTART_ON_FAILURE, RESTART_ON_FAILURE, RESTART_ALWAYS};
    static const msec_t firsts[] = {1, 10, 100, 100, 1000};
    static const msec_t factors[] = {1, 2, 3, 5, 8, 300};
    static const msec_t stables[] = {0, 50, 500, 10000};
    static const msec_t windows[] = {100, 1000, 10000, 300000};
    group->restart = RANDOM_OF(random, policies);
    group->delay_first = RANDOM_OF(random, firsts);
    group->delay_last = group->delay_first * RANDOM_OF(random, factors);
    group->stable_after = RANDOM_OF(random, stables);
    group->limit_failures = random_below(random, 6);
    group->limit_window = RANDOM_OF(random, windows);
    group->success.codes[0] = 1;
    if (random_permille(random, 100))
        group->success.codes[0] |= 1u << 1;
    if (random_permille(random, 100))
        group->success.codes[2] |= (uint64_t)1 << (143 - 128);
    if (random_permille(random, 100))
        group->success.signals |= (uint64_t)1 << SIGNAL_TERM;
    group->shutdown_on_failure = random_permille(random, 500);
    group->shutdown_on_success = random_permille(random, 100);
}

static void draw_group(struct spec_group *group, uint32_t id, struct random *random) {
    static const msec_t timeouts[] = {1, 50, 500, 5000};
    static const msec_t graces[] = {0, 10, 100, 1000, 5000, 60000};
    static const int signals[] = {SIGNAL_QUIT, SIGNAL_INT, SIGNAL_WINCH, SIGNAL_HUP};
    static const enum ready_kind readies[] = {READY_NONE, READY_NONE, READY_NONE, READY_NOTIFY, READY_NOTIFY,
                                              READY_TCP,  READY_UNIX, READY_FILE, READY_EXEC,   READY_EXEC};
    memset(group, 0, sizeof(*group));
    snprintf(group->name, sizeof(group->name), "g%u", id);
    group->line = 10 * (id + 1);
    group->count = 1 + random_below(random, 3) * random_below(random, 2);
    group->start = some_command;
    if (random_permille(random, 400))
        group->stop = some_command;
    group->ready = RANDOM_OF(random, readies);
    group->startup_timeout =
        group->ready != READY_NONE && random_permille(random, 500) ? RANDOM_OF(random, timeouts) : MSEC_NEVER;
    group->kill_after_completed = random_permille(random, 200);
    group->grace = random_permille(random, 300) ? RANDOM_OF(random, graces) : MSEC_NEVER;
    group->stop_signal = random_permille(random, 300) ? RANDOM_OF(random, signals) : 0;
    group->stop_to = random_permille(random, 150) ? STOP_TO_LEADER : STOP_TO_GROUP;
    group->watchdog = group->ready != READY_NONE && random_permille(random, 150) ? 2000 : 0;
    draw_restart(group, random);
}

/* What its processes are given: with a key of its own, so that this changes nothing else of a seed. */
static void draw_descriptors(struct spec_group *group, struct random *random) {
    static const enum worker_output outputs[] = {OUTPUT_INHERIT, OUTPUT_INHERIT, OUTPUT_PREFIX, OUTPUT_JSON,
                                                 OUTPUT_NULL};
    static const uint32_t counts[] = {0, 1, 1, 2, 3, 7, LISTEN_MAX};
    group->type = random_permille(random, 500) ? TYPE_CLUSTER : TYPE_CHILD_PROCESS;
    uint32_t count = RANDOM_OF(random, counts), above = random_below(random, 3);
    if (group->type == TYPE_CLUSTER)
        group->listen.count = count; /* what they are is nobody's business here */
    if (random_permille(random, 500) && group->ready == READY_NOTIFY) {
        group->ready = READY_FD;
        group->ready_fd = (int)(3 + group->listen.count + above);
    }
    group->output = RANDOM_OF(random, outputs);
}

static void make_command_group(struct spec_group *group) {
    memset(group, 0, sizeof(*group));
    snprintf(group->name, sizeof(group->name), "main");
    group->count = 1;
    group->start = some_command;
    group->start.line = 0;
    group->startup_timeout = MSEC_NEVER;
    group->grace = MSEC_NEVER;
    group->restart = RESTART_NO;
    group->delay_first = 100;
    group->delay_last = 30000;
    group->stable_after = 10000;
    group->success.codes[0] = 1;
    group->shutdown_on_failure = group->shutdown_on_success = true;
    group->stdin_from = STDIN_INHERIT;
}

/* `after` over the groups that were not dropped: each may only name groups that come earlier in an order of its own
 * (the bits reversed), so that file order and dependency order differ and no cycle can be. */
static uint32_t rank_of(uint32_t id) {
    return ((id & 1) << 2) | (id & 2) | ((id & 4) >> 2);
}

static void link_groups(struct scenario *scenario) {
    struct spec *spec = &scenario->spec;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        struct random random = random_keyed(scenario->seed, KEY_GROUP, scenario->ids[i], 77);
        uint32_t density = RANDOM_OF(&random, ((const uint32_t[]){0, 0, 200, 500}));
        uint64_t wants = 0;
        for (uint32_t id = 0; id < SIM_GROUPS_MAX; id++)
            wants |= (uint64_t)random_permille(&random, density) << id;
        struct spec_group *group = &scenario->groups[i];
        group->after = scenario->after[i];
        group->before = scenario->before[i];
        for (uint32_t j = 0; j < spec->groups_count; j++) {
            bool command = (int32_t)i == spec->command_group || (int32_t)j == spec->command_group;
            if (!command && (wants >> scenario->ids[j] & 1) && rank_of(scenario->ids[j]) < rank_of(scenario->ids[i]))
                group->after[group->after_count++] = (uint16_t)j;
        }
    }
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        for (uint32_t k = 0; k < scenario->groups[i].after_count; k++) {
            struct spec_group *below = &scenario->groups[scenario->groups[i].after[k]];
            below->before[below->before_count++] = (uint16_t)i;
        }
    }
}

static void add_group(struct scenario *scenario, const struct spec_group *group, uint32_t id) {
    struct spec *spec = &scenario->spec;
    struct random random = random_keyed(scenario->seed, KEY_MOOD, id, 0);
    uint32_t index = spec->groups_count++;
    scenario->groups[index] = *group;
    scenario->ids[index] = id;
    draw_mood(&scenario->moods[index], &random);
    if (scenario->masks.calm >> id & 1)
        scenario->moods[index] = calm_mood;
    if (scenario->masks.single >> id & 1)
        scenario->groups[index].count = 1;
    scenario->groups[index].first_worker = spec->workers_count;
    spec->workers_count += scenario->groups[index].count;
}

static void make_groups(struct scenario *scenario, uint32_t count, bool command, bool large) {
    scenario->group_all = count + command;
    for (uint32_t id = 0; id < count; id++) {
        struct random random = random_keyed(scenario->seed, KEY_GROUP, id, 0);
        struct spec_group group;
        draw_group(&group, id, &random);
        if (large && id == 0)
            group.count = 80 + random_below(&random, 200);
        struct random own = random_keyed(scenario->seed, KEY_DESCRIPTORS, id, 0);
        draw_descriptors(&group, &own);
        if (!(scenario->masks.drop_groups >> id & 1))
            add_group(scenario, &group, id);
    }
    if (command && (scenario->spec.command_only || !(scenario->masks.drop_groups >> count & 1))) {
        struct spec_group group;
        make_command_group(&group);
        scenario->spec.command_group = (int32_t)scenario->spec.groups_count;
        add_group(scenario, &group, count);
    }
}

/* --- the spec as a whole --- */

static void set_signal(struct spec *spec, int number, enum signal_policy policy, int forwarded, int32_t group) {
    spec->signals[number] = (struct spec_signal){.policy = policy, .number = forwarded, .group = group};
}

/* What [signals] may say beside the defaults: another signal in its place, one group, nothing, no stop. */
static void draw_policies(struct spec *spec, struct random *random) {
    static const int keys[] = {SIGNAL_HUP, SIGNAL_USR1, SIGNAL_USR2, SIGNAL_WINCH, SIGNAL_TERM, SIGNAL_INT, 34, 64};
    static const int others[] = {SIGNAL_HUP, SIGNAL_USR1, SIGNAL_TERM, SIGNAL_INT, 35, 64};
    for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        uint32_t how = random_below(random, 12);
        int32_t group = spec->groups_count > 0 ? (int32_t)random_below(random, spec->groups_count) : -1;
        int other = RANDOM_OF(random, others);
        if (how == 0)
            set_signal(spec, keys[i], SIGNAL_FORWARD, keys[i], -1);
        else if (how == 1)
            set_signal(spec, keys[i], SIGNAL_FORWARD, other, -1);
        else if (how == 2)
            set_signal(spec, keys[i], SIGNAL_FORWARD, keys[i], group);
        else if (how == 3)
            set_signal(spec, keys[i], SIGNAL_IGNORE, keys[i], -1);
    }
}

static void make_signals(struct spec *spec, struct random *random) {
    bool interrupts = random_permille(random, 300);
    for (int number = 1; number < SIGNALS_END; number++)
        set_signal(spec, number, SIGNAL_FORWARD, number, -1);
    set_signal(spec, SIGNAL_KILL, SIGNAL_IGNORE, 0, -1);
    set_signal(spec, SIGNAL_SIGSTOP, SIGNAL_IGNORE, 0, -1);
    set_signal(spec, SIGNAL_CHLD, SIGNAL_IGNORE, 0, -1);
    set_signal(spec, SIGNAL_TERM, SIGNAL_STOP, SIGNAL_TERM, -1);
    if (spec->command_only) {
        if (interrupts) {
            set_signal(spec, SIGNAL_INT, SIGNAL_STOP, SIGNAL_INT, -1);
            set_signal(spec, SIGNAL_QUIT, SIGNAL_STOP, SIGNAL_QUIT, -1);
        }
        return;
    }
    set_signal(spec, SIGNAL_INT, SIGNAL_STOP, SIGNAL_INT, -1);
    set_signal(spec, SIGNAL_QUIT, SIGNAL_STOP, SIGNAL_QUIT, -1);
    set_signal(spec, SIGNAL_HUP, SIGNAL_RELOAD, 0, -1);
    set_signal(spec, SIGNAL_WINCH, SIGNAL_IGNORE, 0, -1);
    if (random_permille(random, 400))
        draw_policies(spec, random);
}

/* A command alone under another init's name, but that TERM still stops: else a life might never end. */
static void make_guise(struct spec *spec, struct random *random) {
    static const int others[] = {SIGNAL_QUIT, SIGNAL_SIGSTOP, 37};
    if (!spec->command_only || !random_permille(random, 400))
        return;
    set_signal(spec, SIGNAL_HUP, SIGNAL_FORWARD, RANDOM_OF(random, others), -1);
    set_signal(spec, SIGNAL_USR1, random_permille(random, 500) ? SIGNAL_FORWARD : SIGNAL_IGNORE, SIGNAL_USR1, -1);
    spec->groups[spec->command_group].stop_to = random_permille(random, 500) ? STOP_TO_LEADER : STOP_TO_GROUP;
}

static void make_spec(struct scenario *scenario) {
    static const uint32_t counts[] = {1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 6};
    struct random random = random_keyed(scenario->seed, KEY_SPEC, 0, 0);
    struct spec *spec = &scenario->spec;
    uint32_t mode = random_below(&random, 100);
    bool command_only = mode < 8;
    bool command = mode < 16;
    bool primary = !command_only && random_permille(&random, 350);
    bool primary_alone = !command && primary && random_permille(&random, 100);
    bool large = random_permille(&random, 4);
    uint32_t count = RANDOM_OF(&random, counts);

    spec->command_group = -1;
    spec->command_only = command_only;
    spec->grace = draw_grace(&random);
    spec->finish_grace = draw_grace(&random);
    spec->kill_on_second_signal = random_permille(&random, 850);
    spec->log_level = LOG_INFO;
    spec->sigrtmin = 34;
    if (primary) {
        uint32_t which = random_below(&random, 3);
        spec->primary.line = 1;
        if (which != 0)
            spec->primary.start = some_command;
        if (which != 1)
            spec->primary.stop = some_command;
    }
    spec->groups = scenario->groups;
    make_groups(scenario, command_only || primary_alone ? 0 : count, command, large && !command_only);
    link_groups(scenario);
    make_signals(spec, &random);
    struct random guise = random_keyed(scenario->seed, KEY_SPEC, 1, 0);
    make_guise(spec, &guise);
    draw_mood(&scenario->primary_mood, &random);
    scenario->primary_mood.crash = 980;
    scenario->primary_mood.success = 800;
    if (scenario->masks.calm >> 63)
        scenario->primary_mood = (struct mood){.crash = 1000, .success = 1000, .life_ms = 100};

    scenario->drain = random_permille(&random, 600);
    scenario->late = random_permille(&random, 200) ? 100 : 0;
    scenario->late_ms = RANDOM_OF(&random, ((const int64_t[]){3, 100, 5000, 40000}));
    scenario->reorder = random_permille(&random, 500);
    if (scenario->masks.steady) {
        scenario->late = 0;
        scenario->reorder = false;
    }
}

/* --- the operator --- */

static void draw_script_event(struct scenario *scenario, struct event *ret, struct random *random, int64_t span) {
    static const int signals[] = {SIGNAL_TERM,  SIGNAL_TERM, SIGNAL_TERM, SIGNAL_INT,  SIGNAL_INT,
                                  SIGNAL_QUIT,  SIGNAL_HUP,  SIGNAL_USR1, SIGNAL_USR1, SIGNAL_USR2,
                                  SIGNAL_WINCH, 34,          64};
    static const enum event_kind kinds[] = {
        EVENT_SIGNAL,      EVENT_SIGNAL,      EVENT_SIGNAL,         EVENT_WORKER_START,   EVENT_WORKER_START,
        EVENT_WORKER_STOP, EVENT_WORKER_STOP, EVENT_WORKER_RESTART, EVENT_WORKER_RESTART, EVENT_SHUTDOWN};
    bool operators = random_permille(random, 600);
    uint64_t who = random_next(random);
    *ret = (struct event){.time = random_between(random, 0, span), .kind = RANDOM_OF(random, kinds)};
    if (ret->kind == EVENT_SHUTDOWN && random_permille(random, 700))
        ret->kind = EVENT_SIGNAL;
    if (ret->kind == EVENT_SIGNAL || scenario->spec.workers_count == 0 || scenario->spec.command_only) {
        ret->kind = EVENT_SIGNAL;
        ret->signal = RANDOM_OF(random, signals);
        ret->hangup = ret->signal == SIGNAL_HUP && !operators;
    } else if (ret->kind != EVENT_SHUTDOWN) {
        ret->slot = (struct slot){.kind = SLOT_WORKER, .index = (uint32_t)(who % scenario->spec.workers_count)};
    }
}

static void insert(struct scenario *scenario, const struct event *event) {
    uint32_t at = scenario->script_count++;
    while (at > 0 && scenario->script[at - 1].time > event->time) {
        scenario->script[at] = scenario->script[at - 1];
        at--;
    }
    scenario->script[at] = *event;
}

static void make_script(struct scenario *scenario) {
    static const int64_t spans[] = {10, 1000, 5000, 20000, 60000};
    struct random random = random_keyed(scenario->seed, KEY_SCRIPT, 0, 0);
    uint32_t count = random_below(&random, 7);
    if (random_permille(&random, 50))
        count = SIM_SCRIPT_MAX - 4;
    int64_t span = RANDOM_OF(&random, spans);
    msec_t boot = random_permille(&random, 30) ? 5 : 0;

    scenario->script_all = count;
    for (uint32_t i = 0; i < count; i++) {
        struct random own = random_keyed(scenario->seed, KEY_SCRIPT, 1, i);
        struct event event;
        draw_script_event(scenario, &event, &own, span);
        /* Before BOOT only signals can come: no socket is open yet, and no process is there. */
        if (event.kind != EVENT_SIGNAL && event.time <= boot)
            event.time = boot + 1;
        if (!(scenario->masks.drop_script >> i & 1))
            insert(scenario, &event);
    }
    insert(scenario, &(struct event){.time = boot, .kind = EVENT_BOOT});
    /* However long it runs, somebody ends it, with a signal that does. */
    msec_t end = 60000 + random_between(&random, 0, 60000);
    int last = scenario->spec.signals[SIGNAL_TERM].policy == SIGNAL_STOP ? SIGNAL_TERM : SIGNAL_QUIT;
    insert(scenario, &(struct event){.time = end, .kind = EVENT_SIGNAL, .signal = last});
}

void scenario_make(struct scenario *scenario, uint64_t seed, const struct scenario_masks *masks) {
    memset(scenario, 0, sizeof(*scenario));
    scenario->seed = seed;
    scenario->masks = *masks;
    make_spec(scenario);
    make_script(scenario);
}

uint32_t scenario_group_of(const struct scenario *scenario, uint32_t worker) {
    uint32_t group = 0;
    while (worker >= scenario->groups[group].first_worker + scenario->groups[group].count)
        group++;
    return group;
}

/* --- for people --- */

static void print_group(const struct scenario *scenario, uint32_t index) {
    static const char *const policies[] = {"no", "on-failure", "always"};
    static const char *const readies[] = {"none", "notify", "fd", "tcp", "unix", "file", "exec"};
    static const char *const outputs[] = {"inherit", "prefix", "json", "null"};
    const struct spec_group *group = &scenario->groups[index];
    printf("; [worker:%s] count=%u restart=%s delay=%lld..%lldms stable=%lldms limit=%u/%lldms", group->name,
           group->count, policies[group->restart], (long long)group->delay_first, (long long)group->delay_last,
           (long long)group->stable_after, group->limit_failures, (long long)group->limit_window);
    printf(" ready=%s", readies[group->ready]);
    if (group->ready == READY_FD)
        printf(":%d", group->ready_fd);
    if (group->listen.count > 0)
        printf(" listen=%u", group->listen.count);
    if (group->output != OUTPUT_INHERIT)
        printf(" output=%s", outputs[group->output]);
    if (group->startup_timeout != MSEC_NEVER)
        printf(" startup_timeout=%lldms", (long long)group->startup_timeout);
    if (group->grace != MSEC_NEVER)
        printf(" grace=%lldms", (long long)group->grace);
    if (group->stop_signal)
        printf(" stop_signal=%d", group->stop_signal);
    if (group->watchdog)
        printf(" watchdog=%lldms", (long long)group->watchdog);
    printf("%s%s%s%s%s", group->stop.argc ? " stop-hook" : "", group->stop_to == STOP_TO_LEADER ? " to-leader" : "",
           group->kill_after_completed ? " job" : "", group->shutdown_on_failure ? " on_failure=shutdown" : "",
           group->shutdown_on_success ? " on_success=shutdown" : "");
    for (uint32_t i = 0; i < group->after_count; i++)
        printf(" after=%s", scenario->groups[group->after[i]].name);
    printf(" success=%llx/%llx/%llx\n", (unsigned long long)group->success.codes[0],
           (unsigned long long)group->success.codes[2], (unsigned long long)group->success.signals);
}

static void print_signals(const struct spec *spec) {
    static const char *const policies[] = {"ignore", "stop", "forward", "reload"};
    for (int i = 1; i < SIGNALS_END; i++) {
        const struct spec_signal *signal = &spec->signals[i];
        bool plain = signal->policy == SIGNAL_FORWARD && signal->number == i && signal->group < 0;
        if (!plain)
            printf("; signal %d = %s %d, group %d\n", i, policies[signal->policy], signal->number, signal->group);
    }
}

void scenario_print(const struct scenario *scenario) {
    const struct spec *spec = &scenario->spec;
    printf("; seed %llu: grace=%lldms finish_grace=%lldms second=%s%s%s%s%s%s\n", (unsigned long long)scenario->seed,
           (long long)spec->grace, (long long)spec->finish_grace, spec->kill_on_second_signal ? "kill" : "ignore",
           spec->command_only ? " command-only" : "", spec->primary.start.argc ? " primary-start" : "",
           spec->primary.stop.argc ? " primary-stop" : "", scenario->drain ? "" : " interleaved",
           scenario->late ? " late-wake-ups" : "");
    print_signals(spec);
    for (uint32_t i = 0; i < spec->groups_count; i++)
        print_group(scenario, i);
}
