/* The inits that brood is measured against, and how each is run: all of them take `--` and a command.
 *
 * Where none of them is PID 1, brood and catatonit adopt orphans by themselves and tini when it is told to: it is, so
 * that all do the same work and none writes a warning. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stddef.h>
#include <sys/types.h>

enum { BROOD, TINI, TINI_STATIC, DUMB_INIT, CATATONIT, PEERS };

struct peer {
    const char *name;
    char path[4096];
};

/* Finds each on PATH, brood at the path that is given; a missing one ends the program. */
void peers_find(struct peer peers[static PEERS], const char *brood);

#define COMMAND_WORDS 8

/* Fills argv with `PEER -- command…`. */
void peer_command(const struct peer *peer, char *const *command, char *argv[static COMMAND_WORDS + 3]);

#endif
