/* A worker that does nothing: the smallest process there is, for tests that need a thousand of them. It dies of every
 * signal, as its dispositions are the defaults. */
#include <unistd.h>

int main(void) {
    for (;;)
        pause();
}
