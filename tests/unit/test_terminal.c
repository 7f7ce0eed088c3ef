/* Giving a led terminal up: which HUP and CONT are the kernel's own and which are somebody's. The system tests can't
 * have a signal arrive right then; here a child on a pty of its own plays brood, its parent is the somebody. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/inherited.h"
#include "init/terminal.h"

enum { NOTHING_LEFT = 1, HUP_LEFT = 2, CONT_LEFT = 4, NO_TERMINAL = 8 };

static int pending_signals(void) {
    sigset_t pending;
    sigpending(&pending);
    int left = (sigismember(&pending, SIGHUP) ? HUP_LEFT : 0) | (sigismember(&pending, SIGCONT) ? CONT_LEFT : 0);
    return left ? left : NOTHING_LEFT;
}

/* In the child: leads the session of the pty `path`, has what its parent sent pending, gives the terminal up. */
static _Noreturn void play_brood(const char *path, int go) {
    struct terminal terminal;
    char byte;
    setsid();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (ioctl(fd, TIOCSCTTY, 0) < 0 || read(go, &byte, 1) != 1)
        _exit(NO_TERMINAL);
    terminal_open(&terminal, true, 0, 0);
    if (terminal.kind != TERMINAL_LED || !terminal.had)
        _exit(NO_TERMINAL);
    terminal_release(&terminal);
    if (!terminal.released || terminal.had || open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0)
        _exit(NO_TERMINAL);
    terminal_release(&terminal); /* once is enough */
    _exit(pending_signals());
}

/* What is pending afterwards, where these two signals (0: none) were sent before. */
static int left_after(int first, int second) {
    int go[2], status = 0;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        play_brood(ptsname(master), go[0]);
    if (first)
        kill(pid, first);
    if (second)
        kill(pid, second);
    assert_int_equal(write(go[1], "", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(go[0]);
    close(go[1]);
    close(master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_the_kernels_signals_are_consumed(void **state) {
    (void)state;
    assert_int_equal(left_after(0, 0), NOTHING_LEFT);
}

static void test_somebodys_signals_stay(void **state) {
    (void)state;
    assert_int_equal(left_after(SIGHUP, 0), HUP_LEFT);
    assert_int_equal(left_after(SIGCONT, 0), CONT_LEFT);
    assert_int_equal(left_after(SIGHUP, SIGCONT), HUP_LEFT | CONT_LEFT);
}

static void test_a_session_that_has_no_terminal(void **state) {
    (void)state;
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct terminal terminal;
        setsid();
        terminal_open(&terminal, true, 0, 0);
        bool none = terminal.kind == TERMINAL_NONE && terminal.fd < 0 && !terminal.had;
        none = none && !terminal_continued(&terminal) && !terminal_hung_up(&terminal);
        terminal_close(&terminal);
        _exit(none ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kernels_signals_are_consumed),
        cmocka_unit_test(test_somebodys_signals_stay),
        cmocka_unit_test(test_a_session_that_has_no_terminal),
    };
    signal_mask_set(SIGNAL_SET_ALL); /* as brood has it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
