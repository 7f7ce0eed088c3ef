/* Any bytes as one datagram of sd_notify: nothing is read outside of them (they are a block of their own for the
 * sanitizer), every number is in the range that its comment says, the status lies inside, a barrier says nothing else,
 * and what it says doesn't depend on a newline at its end. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct notify *a, const struct notify *b) {
    return a->ready == b->ready && a->stopping == b->stopping && a->reloading == b->reloading && a->ping == b->ping &&
           a->trigger == b->trigger && a->stores == b->stores && a->watchdog_usec == b->watchdog_usec &&
           a->extend_usec == b->extend_usec && a->monotonic_usec == b->monotonic_usec && a->main_pid == b->main_pid &&
           a->error == b->error && a->exit_status == b->exit_status && a->status_length == b->status_length &&
           (a->status == NULL) == (b->status == NULL);
}

static void check(const struct notify *notify, const char *bytes, size_t size) {
    const struct notify nothing = {.exit_status = -1};
    assert(notify->main_pid >= 0);
    assert(notify->error >= 0 && notify->error <= 4095);
    assert(notify->exit_status >= -1 && notify->exit_status <= 255);
    if (notify->status != NULL) {
        assert(notify->status >= bytes && notify->status + notify->status_length <= bytes + size);
        assert(memchr(notify->status, '\n', notify->status_length) == NULL);
    }
    assert(!notify->barrier || same(notify, &nothing));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct notify notify, longer;
    char *bytes = calloc(size, 1), *copy = calloc(size + 1, 1);
    if ((bytes == NULL && size > 0) || copy == NULL)
        abort();
    if (size > 0) {
        memcpy(bytes, data, size);
        memcpy(copy, data, size);
    }
    int r = notify_parse(bytes, size, &notify);
    bool nul = size > 1 && memchr(data, '\0', size - 1) != NULL;
    assert(r == (nul ? -EINVAL : 0));
    if (r == 0) {
        check(&notify, bytes, size);
        if (size > 0 && copy[size - 1] == '\0')
            size--;
        copy[size] = '\n';
        assert(notify_parse(copy, size + 1, &longer) == 0 && same(&notify, &longer));
    }
    free(bytes);
    free(copy);
    return 0;
}
