/* See peers.h. */
#include "tests/bench/peers.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/figures.h"

static void find(struct peer *peer) {
    const char *search = getenv("PATH");
    for (; search && *search != '\0'; search += strspn(search, ":")) {
        int length = (int)strcspn(search, ":");
        snprintf(peer->path, sizeof peer->path, "%.*s/%s", length, search, peer->name);
        if (access(peer->path, X_OK) == 0)
            return;
        search += length;
    }
    cannot(peer->name, "not on PATH; tests/deps.sh bench installs it");
}

void peers_find(struct peer peers[static PEERS], const char *brood) {
    static const char *const names[PEERS] = {
        [BROOD] = "brood",         [TINI] = "tini",           [TINI_STATIC] = "tini-static",
        [DUMB_INIT] = "dumb-init", [CATATONIT] = "catatonit",
    };
    for (size_t i = 0; i < PEERS; i++) {
        peers[i].name = names[i];
        if (i != BROOD)
            find(&peers[i]);
    }
    snprintf(peers[BROOD].path, sizeof peers[BROOD].path, "%s", brood);
    if (access(brood, X_OK) < 0)
        cannot(brood, "not there");
    setenv("TINI_SUBREAPER", "1", 1);
}

void peer_command(const struct peer *peer, char *const *command, char *argv[static COMMAND_WORDS + 3]) {
    static char dashes[] = "--";
    size_t count = 0;
    argv[count++] = (char *)(uintptr_t)peer->path;
    argv[count++] = dashes;
    for (size_t i = 0; command[i] && i < COMMAND_WORDS; i++)
        argv[count++] = command[i];
    argv[count] = NULL;
}
