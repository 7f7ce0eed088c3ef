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
#include "init/output.h"
#include "init/perform.h"
#include "init/terminal.h"
#include "init/unshared.h"
#include "init/watch.h"
#include "init/wrapping.h"
#include "supervisor/signals.h"

#define LAST_QUIET_MS 1000 /* at the end: how long workers' last lines wait for a reader that takes nothing … */
#define LAST_MOST_MS 5000  /* … and for one that is slow */
#define UNTIMED_MS 1000    /* between two looks at the time where the timer refuses */
#define WINDOW_MS 4        /* how long a zombie may wait in a crowd of them */
#define LOOKS_IN_WINDOW 16 /* at all children, before it is a crowd */

enum { SIGNALS_OWN, SIGNALS_STOPPED }; /* SOURCE_SIGNALS by index: the signalfd, and what an inner brood tells */

struct loop {
    struct performer performer;
    struct readiness readiness;
    struct manager manager;
    struct terminal terminal;
    struct inbox inbox;
    struct sv *core;
    const struct manners *manners;
    int signals;
    int timer;
    msec_t now;     /* of this turn */
    msec_t armed;   /* what the timer is set to */
    bool signalled; /* the signalfd has something */
    bool reap;      /* CHLD came */
    pid_t ended;    /* … for this child; others may have ended before it was read */
    bool reap_all;  /* these others are still to be looked for */
    msec_t window;  /* until when looks at all children are counted */
    uint32_t looks; /* … that were wanted so far */
    bool crowd;     /* too many were in the window before */
    bool suspended; /* brood is to stop itself at the end of this turn */
    /* Of one turn or step. Not on the stack: of 20 KiB there only what is used becomes memory here. */
    struct epoll_event found[WAITS_PER_TURN];
    struct signalfd_siginfo infos[SIGNALS_PER_TURN];
    struct actions actions;
};

static int open_signals(void) {
    uint64_t all = SIGNAL_SET_ALL;
    return (int)syscall(SYS_signalfd4, -1, &all, (size_t)SIGNAL_SET_BYTES, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each step with what it is for, so that 111 can say what is missing. */
static int open_descriptors(struct loop *loop, const char **ret_step) {
    struct performer *performer = &loop->performer;
    struct slot none = {.kind = SLOT_CONTAINER}, inner = {.kind = SLOT_CONTAINER, .index = SIGNALS_STOPPED};
    *ret_step = "/dev/null";
    if (!performer->spec->command_only && (performer->null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
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
    if (r == 0 && performer->sandbox && performer->sandbox->hear_stopped > 0)
        r = watch_add(performer->epoll, performer->sandbox->hear_stopped, SOURCE_SIGNALS, inner);
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
                                            .readiness = &loop->readiness,
                                            .probes = performer->probes,
                                            .reaped = input->manners->tells_reaped ? LOG_WARNING : LOG_DEBUG};
    r = children_open(&children, &performer->children);
    void *memory = r == 0 ? unshared_alloc(sv_bytes(input->spec)) : NULL;
    if (r == 0 && !memory)
        r = -ENOMEM;
    if (r == 0)
        loop->core = sv_init(input->spec, memory);
    return r < 0 ? r : output_open(input->spec, performer->epoll, &performer->output);
}

int loop_open(const struct loop_input *input, struct loop **ret, char *error, size_t size) {
    const char *step = "";
    struct loop *loop = unshared_alloc(sizeof *loop);
    if (!loop) {
        snprintf(error, size, "no memory");
        return -ENOMEM;
    }
    loop->performer = (struct performer){.spec = input->spec,
                                         .inherited = input->inherited,
                                         .sandbox = input->sandbox,
                                         .readiness = &loop->readiness,
                                         .manager = &loop->manager,
                                         .terminal = &loop->terminal,
                                         .inbox = &loop->inbox,
                                         .epoll = -1,
                                         .null = -1};
    loop->manners = input->manners;
    loop->actions.capacity = ACTIONS_MAX;
    loop->signals = loop->timer = loop->terminal.fd = -1;
    loop->armed = MSEC_NEVER;
    manager_open(input->spec, getenv("NOTIFY_SOCKET"), &loop->manager);
    int r = open_descriptors(loop, &step);
    if (r == 0 && probes_open(input->spec, loop->performer.epoll, &loop->performer.probes, error, size) < 0) {
        loop_close(loop);
        return -EINVAL;
    }
    if (r == 0) {
        step = "memory and descriptors";
        r = open_parts(loop, input);
    }
    if (r < 0)
        snprintf(error, size, "cannot get %s: %s", step, strerror(-r));
    else
        r = environment_open(input->spec, environ, &loop->performer.environment, error, size);
    if (r == 0)
        r = sockets_open(input->spec, &loop->performer.sockets, error, size);
    if (r == 0)
        r = wrapping_open(input->spec, loop->performer.environment, &loop->performer.wraps, error, size);
    if (r == 0)
        r = readiness_open(input->spec, &loop->readiness, error, size);
    if (r == 0)
        r = privileges_open(input->spec, &loop->performer.privileges, error, size);
    if (r < 0) {
        loop_close(loop);
        return r;
    }
    bool wanted = input->spec->command_group >= 0 && !(input->sandbox && !input->sandbox->command);
    terminal_open(&loop->terminal, wanted, input->outer_fd, input->inherited->ignored);
    if (input->manners->joined)
        terminal_keep_together(&loop->terminal);
    if (!input->sandbox) /* the outer brood makes namespaces yet */
        privileges_give_up(input->spec, loop->performer.privileges);
    *ret = loop;
    return 0;
}

void loop_close(struct loop *loop) {
    if (!loop)
        return;
    output_close(loop->performer.output);
    children_close(loop->performer.children);
    probes_close(loop->performer.probes);
    manager_close(&loop->manager);
    readiness_close(&loop->readiness);
    descendants_close(loop->performer.descendants);
    if (loop->performer.wraps)
        wrap_close(loop->performer.wraps);
    sockets_close(loop->performer.sockets);
    environment_close(loop->performer.environment);
    privileges_close(loop->performer.privileges);
    terminal_close(&loop->terminal);
    unshared_free(loop->core, sv_bytes(loop->performer.spec));
    fd_close(&loop->timer);
    fd_close(&loop->signals);
    fd_close(&loop->performer.epoll);
    fd_close(&loop->performer.null);
    unshared_free(loop, sizeof *loop);
}

const struct sv *loop_core(const struct loop *loop) {
    return loop->core;
}

static msec_t read_clock(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (msec_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- the terminal --- */

static uint32_t command_worker(const struct spec *spec) {
    return spec->groups[spec->command_group].first_worker;
}

static void continue_command(struct loop *loop) {
    children_continue(loop->performer.children, command_worker(loop->performer.spec));
}

/* Afterwards brood may have been stopped for any time. */
static void stop_with_command(struct loop *loop, int signal) {
    if (terminal_stopped(&loop->terminal, signal))
        continue_command(loop);
    loop->now = read_clock();
}

static void look_at_command(struct loop *loop) {
    int signal = 0;
    if (loop->terminal.kind == TERMINAL_SHARED)
        signal = children_stopped(loop->performer.children, command_worker(loop->performer.spec));
    if (signal != 0)
        stop_with_command(loop, signal);
}

/* The inner brood's command, which the inner one can't stop with. */
static void read_stopped(struct loop *loop) {
    uint8_t signals[16];
    ssize_t length = read(loop->performer.sandbox->hear_stopped, signals, sizeof signals);
    if (length > 0)
        stop_with_command(loop, signals[length - 1]);
}

/* --- facts --- */

static void take_signal(struct loop *loop, const struct signalfd_siginfo *info) {
    int number = (int)info->ssi_signo;
    if (number == SIGCHLD) {
        loop->reap = true;
        loop->ended = (pid_t)info->ssi_pid;
        return;
    }
    if (number == SIGPIPE && info->ssi_pid == (uint32_t)getpid())
        return; /* a log that nobody reads any more */
    if (number == SIGCONT && terminal_continued(&loop->terminal)) {
        continue_command(loop);
        return;
    }
    /* Below a shell brood stops with the command, which this signal may not stop. */
    if (loop->manners->suspends && loop->terminal.kind != TERMINAL_SHARED)
        loop->suspended |= number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
    if (info->ssi_code == SI_KERNEL && terminal_has_told(&loop->terminal, number))
        return;
    /* A shell that was told of the hang-up sends HUP on as its own. */
    bool hangup = number == SIGHUP && (info->ssi_code == SI_KERNEL || terminal_hung_up(&loop->terminal));
    if (loop->performer.spec->signals[number].policy == SIGNAL_RELOAD && !hangup) {
        char name[SIGNAL_NAME_BYTES];
        log_record(LOG_WARNING, "container", NULL, "%s: reloading is not built yet, the config stays as it is",
                   signal_name(number, loop->performer.spec->sigrtmin, name));
        return;
    }
    /* An inner brood without a command has no terminal: to it a HUP would mean to reload. */
    if (hangup && loop->performer.sandbox && !loop->performer.sandbox->command)
        number = SIGTERM;
    inbox_push(&loop->inbox, (struct event){.kind = EVENT_SIGNAL, .signal = number, .hangup = hangup});
}

/* The last in each turn: who sends a TERM because he has seen a worker run may expect that brood has seen it too. */
static void read_signals(struct loop *loop) {
    loop->signalled = false;
    ssize_t length = read(loop->signals, loop->infos, sizeof loop->infos);
    for (ssize_t i = 0; i < length / (ssize_t)sizeof loop->infos[0]; i++)
        take_signal(loop, &loop->infos[i]);
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
        if (slot.index == SIGNALS_STOPPED)
            read_stopped(loop);
        else
            loop->signalled = true;
        return;
    case SOURCE_TIMER:
        read_timer(loop);
        return;
    case SOURCE_STATUS:
        children_read_status(children, slot);
        return;
    case SOURCE_READY:
    case SOURCE_NOTIFY:
        children_read_ready(children, slot);
        return;
    case SOURCE_MEMBER:
        children_look(children, slot);
        return;
    case SOURCE_MAIN:
        children_main_ended(children, slot);
        return;
    case SOURCE_PROBE:
        probes_connected(loop->performer.probes, slot);
        return;
    case SOURCE_OUTPUT:
        output_readable(loop->performer.output, slot);
        return;
    case SOURCE_OUTPUT_READY:
        output_writable(loop->performer.output, slot);
        return;
    }
}

/* Sets the timer where it would come too late. One that comes too early is left: setting it again costs more than that
 * one look, the more so under a hypervisor. False where the system refused. */
static bool arm(struct loop *loop, msec_t deadline) {
    if (deadline >= loop->armed)
        return true;
    struct itimerspec spec = {.it_value.tv_sec = (time_t)(deadline / 1000),
                              .it_value.tv_nsec = (long)(deadline % 1000) * 1000000};
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
    if (loop->inbox.count > 0 || children_due(loop->performer.children) || deadline <= loop->now ||
        probes_due(loop->performer.probes) || output_due(loop->performer.output))
        return 0;
    if (loop->reap_all)
        deadline = msec_min(deadline, loop->window);
    return arm(loop, deadline) ? -1 : UNTIMED_MS;
}

/* To find that nobody else has ended the kernel looks at every child. For thousands that end one after the other, each
 * with a CHLD of its own, that would be millions of looks. So where there were many in a row only the first of a window
 * goes through all of them; after it the child that the signal names is taken, and the look that is owed to those whose
 * CHLD was merged into another one's follows when the window ends. */
static void reap(struct loop *loop) {
    struct children *children = loop->performer.children;
    if (loop->now >= loop->window) {
        loop->crowd = loop->looks > LOOKS_IN_WINDOW;
        loop->looks = 0;
        loop->window = loop->now + WINDOW_MS;
    }
    loop->looks++;
    loop->reap_all = !children_due(children) && loop->looks > (loop->crowd ? 1 : LOOKS_IN_WINDOW);
    if (!loop->reap_all)
        children_reap(children);
    else if (loop->reap && loop->ended > 0)
        children_reap_one(children, loop->ended);
    loop->reap = false;
    look_at_command(loop);
}

static void wait_for_facts(struct loop *loop, int timeout_ms) {
    int count = epoll_wait(loop->performer.epoll, loop->found, WAITS_PER_TURN, timeout_ms);
    loop->now = read_clock();
    for (int i = 0; i < count; i++)
        take_wait(loop, loop->found[i].data.u64);
    if (loop->signalled)
        read_signals(loop);
    if (loop->reap || loop->reap_all || children_due(loop->performer.children))
        reap(loop);
    probes_report(loop->performer.probes, &loop->inbox);
    output_run(loop->performer.output);
}

static void step(struct loop *loop, struct event event) {
    event.time = loop->now;
    if (event.kind == EVENT_EXITED && spec_is_command(loop->performer.spec, event.slot))
        terminal_ended(&loop->terminal, event.ending.kind == ENDING_KILLED);
    if (event.kind == EVENT_EXITED && event.slot.kind != SLOT_PRIMARY)
        output_ended(loop->performer.output, event.slot.index);
    sv_step(loop->core, &event, &loop->actions);
    for (uint32_t i = 0; i < loop->actions.count; i++)
        perform(&loop->performer, &loop->actions.items[i]);
}

/* As dumb-init does, once the command has been told. PID 1 of a namespace isn't stopped by itself. */
static void suspend(struct loop *loop) {
    loop->suspended = false;
    kill(getpid(), SIGSTOP);
    loop->now = read_clock();
}

static void turn(struct loop *loop, int timeout_ms) {
    wait_for_facts(loop, timeout_ms);
    for (uint32_t left = loop->inbox.count; left > 0; left--)
        step(loop, inbox_take(&loop->inbox));
    if (sv_deadline(loop->core) <= loop->now)
        step(loop, (struct event){.kind = EVENT_TICK});
    if (loop->suspended)
        suspend(loop);
}

/* The last lines of the workers, before the last record: for as long as somebody takes them, within bounds. Nothing is
 * left to decide, so what else happens now is no event any more. */
static void drain_output(struct loop *loop) {
    struct output *output = loop->performer.output;
    msec_t most = loop->now + LAST_MOST_MS, until = loop->now + LAST_QUIET_MS;
    output_finish(output);
    while (!output_finished(output) && loop->now < msec_min(until, most)) {
        uint64_t written = output_written(output);
        wait_for_facts(loop, output_due(output) ? 0 : (int)(msec_min(until, most) - loop->now));
        loop->inbox.count = 0;
        if (output_written(output) != written)
            until = loop->now + LAST_QUIET_MS;
    }
}

void loop_run(struct loop *loop) {
    if (!loop->performer.spec->command_only) /* a command alone needs /proc only if it leaves somebody behind */
        perform_say_missing(&loop->performer);
    read_signals(loop); /* a TERM that came before comes before */
    inbox_push(&loop->inbox, (struct event){.kind = EVENT_BOOT});
    turn(loop, 0);
    while (!sv_done(loop->core))
        turn(loop, patience(loop));
    drain_output(loop);
}
