/* What brood promises, checked from the outside: events in, actions out, the spec; nothing of the core's own state.
 *
 * The checker keeps its own small model of every worker, as a reader of the contract would on paper: what facts have
 * said, what was asked for. Two kinds of rules follow:
 *   - on each action: it was allowed (check_actions.c, and below for what has a file of its own);
 *   - whenever no work is queued ("at rest"): nothing that was due by now is missing, and the next wake-up is not
 *     later than the next thing that will be due (check_rest.c).
 * Probes, forwarded signals and what a manager above brood is told have both in check_extras.c. What each process is
 * given is checked in check_descriptors.c.
 *
 * The exit status is compared with a second reading of the contract's table (check_status.c). The state that a REPORT
 * names is taken as brood's claim, and checked against what the model allows. */
#ifndef TESTS_SIM_CHECKER_H
#define TESTS_SIM_CHECKER_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/action.h"
#include "supervisor/descriptors.h"
#include "supervisor/event.h"
#include "supervisor/spec.h"
#include "tests/sim/scenario.h"

#define CHECKER_FAILURES_MAX 8 /* limits of scenarios are lower */

enum model_stage { MODEL_IDLE, MODEL_LIFE, MODEL_BACKOFF, MODEL_DOWN, MODEL_COMPLETED, MODEL_FAILED };
enum model_wish { WISH_NONE, WISH_AGAIN, WISH_DOWN };

struct model_worker {
    uint32_t group;
    enum model_stage stage;
    bool revived; /* an operator wants it though it was settled */
    msec_t due;   /* BACKOFF */
    uint32_t spawns;
    msec_t failures[CHECKER_FAILURES_MAX];
    uint32_t failures_count;
    msec_t delay;
    /* this life */
    uint32_t generation;
    bool leader, in_flight, spawn_failed, members, members_left;
    bool hook, hook_in_flight, hook_ran, hook_killed;
    msec_t hook_retry_at; /* it could not be forked: not before */
    bool ready, up, asked, timed_out, unhealthy, job_done;
    enum model_wish wish;
    bool heirs_asked; /* stop_to = leader: the members that outlived the leader were */
    msec_t ready_at, asked_at, grace_from, signalled_at, killed_at, patience_from;
    msec_t deadline; /* start timeout, then watchdog */
    msec_t interval; /* of the watchdog, 0: none */
    bool triggered;  /* it asked its watchdog to strike */
    bool executed;
    bool said_ready; /* brood has said so */
    struct ending ending;
    uint64_t owed;            /* signals to be forwarded to it */
    uint8_t got[SIGNALS_END]; /* how many of those that are open it has got, by number */
    /* its probe: one, over all its lives */
    uint32_t probe; /* the generation of the one in flight, 0: none */
    bool probe_ended;
    msec_t probe_from, probe_due, probe_delay;
};

struct model_group {
    uint32_t up;
    uint32_t alive; /* workers in a life */
    bool ready, hopeless, doomed;
    bool begun;                /* one of its workers was spawned */
    uint8_t sent[SIGNALS_END]; /* signals for it that are open, by the number it gets */
};

/* What a manager above brood was told. */
struct model_manager {
    bool ready, stopping;
    msec_t start_until; /* what the groups that have begun may take */
    msec_t promised;
};

struct model_task {
    bool alive, ended, killed;
    uint32_t generation;
    uint32_t spawns;
    msec_t retry_at, signalled_at;
    struct ending ending;
};

struct model_stop {
    bool begun, requested;
    int signal;
    msec_t at, urge_at, stragglers_at;
    msec_t kill_at; /* not before it … */
    msec_t kill_by; /* … and by then: later where somebody was asked late, after a pause of the whole container */
    msec_t first_signal_at;
    bool second;       /* a second signal that counts */
    bool second_maybe; /* … by one reading of the contract */
    bool killed;       /* a worker or hook was KILLed in a requested stop */
    bool cut_job;
    bool cut_start;
};

struct checker {
    const struct spec *spec;
    msec_t now;
    msec_t late;     /* how much later than wanted it was stepped, in all */
    bool not_let_go; /* killed processes were left when the primary's stop hook began */
    bool booted, urged, straggled, childless, straggler_term, done;
    bool running; /* the core has said that the primary is through */
    msec_t straggler_kill_at, finish_at;
    struct model_task primary[2];
    struct model_stop stop;
    uint32_t in_flight, unfinished, probing;
    bool failed_any;
    int failed_status;
    uint64_t forward_open; /* signals that may not have reached everybody yet, by the number they arrive with */
    struct model_manager manager;
    struct model_group groups[SIM_GROUPS_MAX];
    struct model_worker workers[SIM_WORKERS_MAX];
    bool failed;
    char failure[300];
};

void checker_init(struct checker *checker, const struct spec *spec);

/* Before the step of this event, and after it for each of its actions. */
void checker_event(struct checker *checker, const struct event *event);
void checker_action(struct checker *checker, const struct action *action);

/* What the process of this slot, which an action is about, is given (check_descriptors.c). */
void checker_given(struct checker *checker, struct slot slot, const struct descriptors *given);

/* No work is queued: the core's deadline is later than now. */
void checker_rest(struct checker *checker, msec_t deadline);

/* The core says that it is done. */
void checker_done(struct checker *checker, int status);

/* --- shared by its files --- */

void violation(struct checker *checker, const char *format, ...) __attribute__((format(printf, 2, 3)));
void worker_violation(struct checker *checker, const struct model_worker *worker, const char *text);

const struct spec_group *model_spec(const struct checker *checker, const struct model_worker *worker);
msec_t model_grace(const struct checker *checker, const struct model_worker *worker);
bool model_forgiven(const struct checker *checker, const struct model_worker *worker);
bool model_has_process(const struct model_worker *worker);
bool model_gone(const struct model_worker *worker);
bool model_hook_due(const struct checker *checker, const struct model_worker *worker);
bool model_above_clear(const struct checker *checker, uint32_t group);
bool model_urged(const struct checker *checker, const struct model_worker *worker);
bool model_started(const struct checker *checker);
msec_t model_kill_due(const struct checker *checker, const struct model_worker *worker);
void model_ask(struct checker *checker, struct model_worker *worker, enum cause cause);
void model_set_up(struct checker *checker, struct model_worker *worker, bool up);
void model_begin_stop(struct checker *checker, bool requested, int signal);
void model_note_ready(struct checker *checker, struct model_worker *worker);
void model_verdict(struct checker *checker, struct model_worker *worker, const struct report *report);

/* --- check_extras.c: each part's facts, actions and what is due at rest --- */

bool model_starting(const struct model_worker *worker);
void probe_executed(struct checker *checker, struct model_worker *worker);
void probe_event(struct checker *checker, const struct event *event);
void check_probe(struct checker *checker, const struct action *action);
void check_probe_end(struct checker *checker, const struct action *action);
void rest_probe(struct checker *checker, const struct model_worker *worker);
msec_t probe_next(const struct checker *checker, const struct model_worker *worker);

void forward_event(struct checker *checker, const struct spec_signal *policy, int number);
void check_forward(struct checker *checker, struct model_worker *worker, const struct action *action);
void rest_forward(struct checker *checker);

void manager_begin(struct checker *checker, struct model_worker *worker);
void manager_extend(struct checker *checker, msec_t until);
void check_notify(struct checker *checker, const struct action *action);
void rest_manager(struct checker *checker);
void manager_done(struct checker *checker);

#endif
