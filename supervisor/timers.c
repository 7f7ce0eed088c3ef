/* A binary heap of deadlines that knows where each worker stands in it, so that a deadline can be moved or taken away
 * in O(log n): most are, long before they are due. Equal deadlines come out by worker number, so that the same
 * seed gives the same trace. */
#include "supervisor/timers.h"

#include <assert.h>

#define NOWHERE UINT32_MAX

void timers_init(struct timers *timers, uint32_t workers, msec_t *deadline, uint32_t *place, uint32_t *heap) {
    *timers = (struct timers){.deadline = deadline, .place = place, .heap = heap};
    for (uint32_t i = 0; i < workers; i++) {
        deadline[i] = MSEC_NEVER;
        place[i] = NOWHERE;
    }
}

static int earlier(const struct timers *timers, uint32_t a, uint32_t b) {
    if (timers->deadline[a] != timers->deadline[b])
        return timers->deadline[a] < timers->deadline[b];
    return a < b;
}

static void put(struct timers *timers, uint32_t place, uint32_t worker) {
    timers->heap[place] = worker;
    timers->place[worker] = place;
}

static void sift(struct timers *timers, uint32_t place) {
    uint32_t worker = timers->heap[place];
    while (place > 0 && earlier(timers, worker, timers->heap[(place - 1) / 2])) {
        put(timers, place, timers->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && earlier(timers, timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!earlier(timers, timers->heap[child], worker))
            break;
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, worker);
}

void timers_set(struct timers *timers, uint32_t worker, msec_t deadline) {
    uint32_t place = timers->place[worker];
    timers->deadline[worker] = deadline;
    if (deadline != MSEC_NEVER) {
        if (place == NOWHERE) {
            place = timers->count++;
            put(timers, place, worker);
        }
        sift(timers, place);
        return;
    }
    if (place == NOWHERE)
        return;
    timers->place[worker] = NOWHERE;
    uint32_t last = timers->heap[--timers->count];
    if (last != worker) {
        put(timers, place, last);
        sift(timers, place);
    }
}

msec_t timers_earliest(const struct timers *timers) {
    return timers->count > 0 ? timers->deadline[timers->heap[0]] : MSEC_NEVER;
}

uint32_t timers_top(const struct timers *timers) {
    assert(timers->count > 0);
    return timers->heap[0];
}
