/* What brood was started with, and what it changes on itself at once: signals, descriptors, the limit of open files.
 *
 * A command without a config gets all of it back (tini's manners); the processes of a config start clean. */
#ifndef INIT_INHERITED_H
#define INIT_INHERITED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#define SIGNAL_SET_BYTES 8 /* the kernel's own signal set: one bit a signal, number 1 is bit 0 */
#define SIGNAL_SET_ALL UINT64_MAX

struct inherited {
    uint64_t mask; /* signals that were blocked */
    uint64_t
        ignored;    /* signals that were ignored; until inherited_seal() only CHLD, TSTP, TTIN and TTOU are looked at */
    uint8_t closed; /* bit n: descriptor n (0 to 2) was closed; brood holds its number with /dev/null */
    int directory;  /* where its caller was, once brood has left that (O_PATH); 0: brood is there */
    int stopped_fd; /* of --sandbox's inner brood: tell_stopped, see init/sandbox.h; close-on-exec now; 0: none */
    bool has_nofile;
    struct rlimit nofile; /* RLIMIT_NOFILE before brood raised its own; valid where has_nofile: it did */
};

static inline uint64_t signal_bit(int number) {
    return UINT64_C(1) << (number - 1);
}

/* To be the first call of main(): blocks every signal, then takes down the rest. Never fails: what the system does not
 * tell stays as if it had not been changed. */
void inherited_take(struct inherited *ret);

/* Under a config nothing but 0, 1 and 2 is passed on: marks every other open descriptor close-on-exec, and makes the
 * ones of 0 to 2 that were closed /dev/null for the workers too. Finds out which signals were ignored: 64 system calls
 * that a command alone can do without, it inherits them as they are. */
void inherited_seal(struct inherited *inherited);

/* The signal mask of this thread, all 64 signals: glibc's own functions leave 32 and 33 out. */
void signal_mask_set(uint64_t mask);

/* The disposition of a signal: ignored, or the default. */
void signal_set_ignored(int number, bool ignored);

#endif
