/* For images without an interpreter: says that it is ready, waits for TERM, says farewell and ends. */
#include <signal.h>
#include <stdio.h>

int main(void) {
    sigset_t signals;
    int received;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    puts("server: ready");
    fflush(stdout);
    sigwait(&signals, &received);
    return puts("server: bye") < 0;
}
