/* Random numbers of our own, so that a seed means the same on every machine and with every C library.
 *
 * splitmix64 (Steele, Lea, Flood 2014): one word of state, any value of it is good. Draws that belong to a thing (a
 * process, a moment) come from a generator keyed by that thing, never from one common stream: the behaviour of web/0's
 * third life stays what it is when something else is dropped from the scenario, which is what lets shrinking work. */
#ifndef TESTS_SIM_RANDOM_H
#define TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static inline uint64_t random_next(struct random *random) {
    random->state += 0x9e3779b97f4a7c15u;
    return random_mix(random->state);
}

/* A generator for the thing that seed, a, b and c name together. */
static inline struct random random_keyed(uint64_t seed, uint64_t a, uint64_t b, uint64_t c) {
    uint64_t state = random_mix(seed + 0x9e3779b97f4a7c15u);
    state = random_mix(state ^ (a + 0x632be59bd9b4e019u));
    state = random_mix(state ^ (b + 0xd1b54a32d192ed03u));
    state = random_mix(state ^ (c + 0x8cb92ba72f3d8dd7u));
    return (struct random){state};
}

/* 0 to bound - 1; the bias of the remainder does not matter here. */
static inline uint32_t random_below(struct random *random, uint32_t bound) {
    return (uint32_t)(random_next(random) % bound);
}

static inline int64_t random_between(struct random *random, int64_t low, int64_t high) {
    return low + (int64_t)(random_next(random) % (uint64_t)(high - low + 1));
}

/* True in so many of 1000 cases. */
static inline bool random_permille(struct random *random, uint32_t permille) {
    return random_below(random, 1000) < permille;
}

#define RANDOM_OF(random, array) ((array)[random_below((random), (uint32_t)(sizeof(array) / sizeof((array)[0])))])

#endif
