/* init/privileges*.c, what of it is pure: the texts of libcap, and what brood keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <sys/capability.h>

#include <cmocka.h>

#include "init/privileges.h"

#define BIT(capability) (UINT64_C(1) << (capability))

static void texts(void **state) {
    char item[64] = "untouched";
    (void)state;
    assert_true(privileges_text_valid("^cap_net_bind_service", item, sizeof item));
    assert_true(privileges_text_valid("!%cap_chown,^cap_kill", item, sizeof item));
    assert_string_equal(item, "untouched");
    assert_false(privileges_text_valid("cap_kill,^cap_what,cap_nonsense", item, sizeof item));
    assert_string_equal(item, "^cap_what");
}

static void kept(void **state) {
    const uint64_t some = BIT(CAP_KILL) | BIT(CAP_NET_RAW) | BIT(CAP_SETUID) | BIT(CAP_SYS_ADMIN);
    struct spec_wrap wrap = {.reach = REACH_STRICT};
    struct spec spec = {.command_group = -1};
    (void)state;
    assert_int_equal(privileges_kept(&spec, 0, some, false), BIT(CAP_KILL) | BIT(CAP_SETUID));
    assert_int_equal(privileges_kept(&spec, BIT(CAP_NET_RAW), some, false), some & ~BIT(CAP_SYS_ADMIN));
    assert_int_equal(privileges_kept(&spec, BIT(CAP_NET_ADMIN), BIT(CAP_KILL), false), BIT(CAP_KILL));
    assert_int_equal(privileges_kept(&spec, 0, some, true), some);
    spec.wraps = &wrap;
    spec.wraps_count = 1;
    assert_int_equal(privileges_kept(&spec, 0, some, false), some & ~BIT(CAP_NET_RAW));
}

static void all_bound(void **state) {
    struct spec_group groups[2] = {{.identity = {.no_new_privileges = true}}, {.count = 1}};
    struct spec spec = {.groups = groups, .groups_count = 2, .command_group = -1};
    (void)state;
    assert_false(privileges_all_bound(&spec));
    groups[1].identity.no_new_privileges = true;
    assert_true(privileges_all_bound(&spec));
    spec.primary.stop.argc = 1;
    assert_false(privileges_all_bound(&spec));
    spec.primary.identity.no_new_privileges = true;
    assert_true(privileges_all_bound(&spec));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(kept),
        cmocka_unit_test(all_bound),
    };
    return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
