/* epoll, a signalfd, a timerfd. One turn: arm the timer if the deadline has changed, wait, read the clock, drain what
 * there is into the inbox, then step every event that was there when the turn began. Nothing else waits, and nothing
 * ticks.
 *
 * The signalfd is made by the raw call with all 64 signals: glibc's own functions leave 32 and 33 out, and their
 * default kills. BOOT follows the first look at the signals, so that a TERM that came before is seen before anything is
 * started. */
#include "init/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "init/children.h"
#include "init/environment.h"
#include "init/fd.h"
#include "init/inbox.h"
#include "init/log.h"
#include "init/perform.h"
#include "init/watch.h"
#include "init/wrapping.h"
#include "supervisor/signals.h"

#define UNTIMED_MS 1000 /* between two looks at the time where the timer refuses */

struct loop {
    struct performer performer;
    struct readiness readiness;
    struct inbox inbox;
    struct sv *core;
    int signals;
    int timer;
    msec_t now;     /* of this turn */
    msec_t armed;   /* what the timer is set to */
    bool signalled; /* the signalfd has something */
    bool reap;      /* CHLD came */
};

static int open_signals(void) {
    uint64_t all = SIGNAL_SET_ALL;
    return (int)syscall(SYS_signalfd4, -1, &all, (size_t)SIGNAL_SET_BYTES, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each step with what it is for, so that 111 can say what is missing. */
static int open_descriptors(struct loop *loop, const char **ret_step) {
    struct performer *performer = &loop->performer;
    struct slot none = {.kind = SLOT_CONTAINER};
    *ret_step = "/dev/null";
    if ((performer->null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
        return -errno;
    *ret_step = "an epoll";
    if ((performer->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        return -errno;
    *ret_step = "a signalfd";
    if ((loop->signals = open_signals()) < 0)
        return -errno;
    *ret_step = "a timerfd";
    if ((loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0)
        return -errno;
    *ret_step = "its epoll";
    int r = watch_add(performer->epoll, loop->signals, SOURCE_SIGNALS, none);
    return r < 0 ? r : watch_add(performer->epoll, loop->timer, SOURCE_TIMER, none);
}

static int open_parts(struct loop *loop, const struct loop_input *input) {
    struct performer *performer = &loop->performer;
    int r = descendants_open(&performer->descendants);
    if (r < 0)
        return r;
    const struct children_input children = {.spec = input->spec,
                                            .epoll = performer->epoll,
                                            .inbox = &loop->inbox,
                                            .descendants = performer->descendants,
                                            .readiness = &loop->readiness};
    r = children_open(&children, &performer->children);
    void *memory = r == 0 ? malloc(sv_bytes(input->spec)) : NULL;
    if (r == 0 && !memory)
        r = -ENOMEM;
    if (r == 0)
        loop->core = sv_init(input->spec, memory);
    return r;
}

int loop_open(const struct loop_input *input, struct loop **ret, char *error, size_t size) {
    const char *step = "";
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        snprintf(error, size, "no memory");
        return -ENOMEM;
    }
    loop->performer = (struct performer){.spec = input->spec,
                                         .inherited = input->inherited,
                                         .sandbox = input->sandbox,
                                         .readiness = &loop->readiness,
                                         .inbox = &loop->inbox,
                                         .epoll = -1,
                                         .null = -1};
    loop->signals = loop->timer = -1;
    loop->armed = MSEC_NEVER;
    int r = open_descriptors(loop, &step);
    if (r == 0) {
        step = "memory";
        r = open_parts(loop, input);
    }
    if (r < 0)
        snprintf(error, size, "cannot get %s: %s", step, strerror(-r));
    else
        r = environment_open(input->spec, environ, &loop->performer.environment, error, size);
    if (r == 0)
        r = wrapping_open(input->spec, loop->performer.environment, &loop->performer.wraps, error, size);
    if (r == 0)
        r = readiness_open(input->spec, &loop->readiness, error, size);
    if (r < 0) {
        loop_close(loop);
        return r;
    }
    *ret = loop;
    return 0;
}

void loop_close(struct loop *loop) {
    if (!loop)
        return;
    children_close(loop->performer.children);
    readiness_close(&loop->readiness);
    descendants_close(loop->performer.descendants);
    wrap_close(loop->performer.wraps);
    environment_close(loop->performer.environment);
    free(loop->core);
    fd_close(&loop->timer);
    fd_close(&loop->signals);
    fd_close(&loop->performer.epoll);
    fd_close(&loop->performer.null);
    free(loop);
}

const struct sv *loop_core(const struct loop *loop) {
    return loop->core;
}

/* --- facts --- */

static void take_signal(struct loop *loop, const struct signalfd_siginfo *info) {
    int number = (int)info->ssi_signo;
    if (number == SIGCHLD) {
        loop->reap = true;
        return;
    }
    if (number == SIGPIPE && info->ssi_pid == (uint32_t)getpid())
        return; /* a log that nobody reads any more */
    if (loop->performer.spec->signals[number].policy == SIGNAL_RELOAD && info->ssi_code != SI_KERNEL) {
        char name[SIGNAL_NAME_BYTES];
        log_record(LOG_WARNING, "container", NULL, "%s: reloading is not built yet, the config stays as it is",
                   signal_name(number, loop->performer.spec->sigrtmin, name));
        return;
    }
    inbox_push(&loop->inbox, (struct event){.kind = EVENT_SIGNAL,
                                            .signal = number,
                                            .hangup = number == SIGHUP && info->ssi_code == SI_KERNEL});
}

/* The last in each turn: who sends a TERM because he has seen a worker run may expect that brood has seen it too. */
static void read_signals(struct loop *loop) {
    loop->signalled = false;
    struct signalfd_siginfo infos[SIGNALS_PER_TURN];
    ssize_t length = read(loop->signals, infos, sizeof infos);
    for (ssize_t i = 0; i < length / (ssize_t)sizeof infos[0]; i++)
        take_signal(loop, &infos[i]);
}

static void read_timer(struct loop *loop) {
    uint64_t count;
    ssize_t length = read(loop->timer, &count, sizeof count);
    (void)length;
    loop->armed = MSEC_NEVER;
}

static void take_wait(struct loop *loop, uint64_t key) {
    struct children *children = loop->performer.children;
    struct slot slot = watch_slot(key);
    switch (watch_source(key)) {
    case SOURCE_SIGNALS:
        loop->signalled = true;
        return;
    case SOURCE_TIMER:
        read_timer(loop);
        return;
    case SOURCE_STATUS:
        children_read_status(children, slot);
        return;
    case SOURCE_READY:
        children_read_ready(children, slot);
        return;
    case SOURCE_MEMBER:
        children_look(children, slot);
        return;
    }
}

static msec_t read_clock(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (msec_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Sets the timer where the deadline has changed. False where the system refused that. */
static bool arm(struct loop *loop, msec_t deadline) {
    if (deadline == loop->armed)
        return true;
    struct itimerspec spec = {0};
    if (deadline != MSEC_NEVER) {
        spec.it_value.tv_sec = (time_t)(deadline / 1000);
        spec.it_value.tv_nsec = (long)(deadline % 1000) * 1000000;
    }
    if (timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &spec, NULL) < 0) {
        log_record(LOG_WARNING, "container", NULL, "cannot set a timer, looking every %dms instead: %s", UNTIMED_MS,
                   strerror(errno));
        return false;
    }
    loop->armed = deadline;
    return true;
}

/* How long to wait: not at all where something is due already, else until the timer or a fact. */
static int patience(struct loop *loop) {
    msec_t deadline = sv_deadline(loop->core);
    if (loop->inbox.count > 0 || children_due(loop->performer.children) || deadline <= loop->now)
        return 0;
    return arm(loop, deadline) ? -1 : UNTIMED_MS;
}

static void wait_for_facts(struct loop *loop, int timeout_ms) {
    struct epoll_event found[WAITS_PER_TURN];
    int count = epoll_wait(loop->performer.epoll, found, WAITS_PER_TURN, timeout_ms);
    loop->now = read_clock();
    for (int i = 0; i < count; i++)
        take_wait(loop, found[i].data.u64);
    if (loop->signalled)
        read_signals(loop);
    if (loop->reap || children_due(loop->performer.children)) {
        loop->reap = false;
        children_reap(loop->performer.children);
    }
}

static void step(struct loop *loop, struct event event) {
    struct actions actions = {.capacity = ACTIONS_MAX};
    event.time = loop->now;
    sv_step(loop->core, &event, &actions);
    for (uint32_t i = 0; i < actions.count; i++)
        perform(&loop->performer, &actions.items[i]);
}

static void turn(struct loop *loop, int timeout_ms) {
    wait_for_facts(loop, timeout_ms);
    for (uint32_t left = loop->inbox.count; left > 0; left--)
        step(loop, inbox_take(&loop->inbox));
    if (sv_deadline(loop->core) <= loop->now)
        step(loop, (struct event){.kind = EVENT_TICK});
}

static void say_what_is_missing(const struct loop *loop) {
    const char *why;
    if (!descendants_usable(loop->performer.descendants, &why))
        log_record(LOG_WARNING, "container", NULL, "%s: descendants that left their group are %s", why,
                   getpid() == 1 ? "reached by kill(-1) alone" : "not found");
}

void loop_run(struct loop *loop) {
    say_what_is_missing(loop);
    read_signals(loop); /* a TERM that came before comes before */
    inbox_push(&loop->inbox, (struct event){.kind = EVENT_BOOT});
    turn(loop, 0);
    while (!sv_done(loop->core))
        turn(loop, patience(loop));
}
