/* Who a process is and what it may do, between its fork and its exec; and what brood itself may do. All of it is in
 * privileges*.c, and nothing here changes what children inherit of brood: bounding, ambient and inheritable sets, nice,
 * umask, limits are set in the child alone. The one exception is no_new_privileges, where every process below has it.
 * Sources: capabilities(7), credentials(7), setresuid(2), prctl(2), proc(5) (oom_score_adj), cap_iab(3). */
#ifndef INIT_PRIVILEGES_H
#define INIT_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/spec.h"

#define PRIVILEGES_OOM_FILE "/proc/self/oom_score_adj"

/* Sets of capabilities: bit n is the capability n. */
#define PRIVILEGES_BIT(capability) (UINT64_C(1) << (capability))

struct privileges {
    const struct spec_identity *identity; /* NULL: nothing is changed */
    bool groups;                          /* the supplementary groups are set */
    bool capabilities;                    /* the two sets are set; with a user, also to nothing */
    uint64_t inheritable;
    uint64_t ambient;
    uint64_t dropped; /* from the bounding set */
};

/* What failed; text names key and call: "user (setresuid)". */
struct privileges_failure {
    char text[64];
    int capability; /* that it needs; -1: none */
};

struct privileges_plan; /* of the primary and of every group */

/* --- the identities of a config (privileges_plan.c) --- */

/* Whether text is what cap_iab_from_text() reads; else the item of its list that isn't goes to ret_item. */
bool privileges_text_valid(const char *text, char *ret_item, size_t size);

/* Works out all identities of spec (which must stay), and has a child try each. Returns 0 with *ret owned by the
 * caller, or -errno with one line in error that names section, key, and the capability that brood doesn't hold. */
int privileges_open(const struct spec *spec, struct privileges_plan **ret, char *error, size_t size);
void privileges_close(struct privileges_plan *plan); /* takes NULL */

/* Of a group by its number, or of the primary: -1. */
const struct privileges *privileges_of(const struct privileges_plan *plan, int32_t group);

/* The union of the sets that its workers are given. */
uint64_t privileges_wanted(const struct privileges_plan *plan);

/* --- one process (privileges.c) --- */

/* In the child: everything at once, no_new_privs last. Returns 0, or -errno with ret_failure. */
int privileges_apply(const struct privileges *privileges, struct privileges_failure *ret_failure);

/* A set of this process; flag is a cap_flag_t. 0 where it can't be asked. */
uint64_t privileges_own_set(int flag);

/* --- brood's own (privileges_own.c) --- */

/* What brood has to keep permitted, out of `permitted`: for itself, for keys that a child applies, and, in wanted, for
 * its workers' own sets. everything: a process that stays root under no_new_privs gets nothing back at its exec. */
uint64_t privileges_kept(const struct spec *spec, uint64_t wanted, uint64_t permitted, bool everything);

/* CAP_SYS_ADMIN that came by the ambient set, from the outer brood of --sandbox, is brood's own: takes it out of the
 * sets that children inherit. Returns 0 or -errno. */
int privileges_keep_lent(void);

/* Whether each process of spec has no_new_privileges = yes. */
bool privileges_all_bound(const struct spec *spec);

/* Gives up what brood never uses; before the loop, when all is open. One record says what brood does without. */
void privileges_give_up(const struct spec *spec, const struct privileges_plan *plan);

#endif
