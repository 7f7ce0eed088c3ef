/* init/hosts.c: numeric addresses, *, and an /etc/hosts of every shape, without a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "init/hosts.h"

static const char file[] = "# 10.0.0.1 commented\n"
                           "127.0.0.1\tlocalhost\n"
                           "\n"
                           "   10.0.0.2   db DB2 # here\r\n"
                           "fe80::1%eth0 scoped\n"
                           "::1 localhost ip6-localhost\n"
                           "10.0.0.3 db\n"
                           "not-an-address broken\n"
                           "10.0.0.4\n"
                           "1.1.1.1 many\n2.2.2.2 many\n3.3.3.3 many\n4.4.4.4 many\n5.5.5.5 many\n"
                           "10.0.0.9 last";

/* "10.0.0.2:80 10.0.0.3:80", or "-" where the host isn't known. */
static const char *find_in(const char *text, const char *bytes, size_t length) {
    static char found[512];
    struct hosts_addresses addresses;
    size_t at = 0;
    if (hosts_find(text, bytes, length, &addresses) < 0)
        return "-";
    assert_in_range(addresses.count, 1, HOSTS_ADDRESSES_MAX);
    for (uint32_t i = 0; i < addresses.count; i++) {
        const union hosts_address *address = &addresses.items[i];
        char name[INET6_ADDRSTRLEN];
        bool four = address->any.sa_family == AF_INET;
        const void *binary = four ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr;
        assert_non_null(inet_ntop(address->any.sa_family, binary, name, sizeof name));
        assert_int_equal(hosts_address_length(address), four ? sizeof address->v4 : sizeof address->v6);
        at += (size_t)snprintf(found + at, sizeof found - at, "%s%s:%d", i ? " " : "", name,
                               ntohs(four ? address->v4.sin_port : address->v6.sin6_port));
    }
    return found;
}

static const char *find(const char *text) {
    return find_in(text, file, sizeof file - 1);
}

static void test_numeric(void **state) {
    (void)state;
    assert_string_equal(find("10.1.2.3:80"), "10.1.2.3:80");
    assert_string_equal(find("[::1]:65535"), "::1:65535");
    assert_string_equal(find("[2001:db8::2]:1"), "2001:db8::2:1");
    assert_string_equal(find("*:8080"), "127.0.0.1:8080 ::1:8080");
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(find("db:80"), "10.0.0.2:80 10.0.0.3:80");
    assert_string_equal(find("Db2:80"), "10.0.0.2:80");
    assert_string_equal(find("last:80"), "10.0.0.9:80");
    assert_string_equal(find("localhost:80"), "127.0.0.1:80 ::1:80");
    assert_string_equal(find("many:1"), "1.1.1.1:1 2.2.2.2:1 3.3.3.3:1 4.4.4.4:1");
}

static void test_unknown(void **state) {
    (void)state;
    assert_string_equal(find("commented:80"), "-");
    assert_string_equal(find("here:80"), "-");
    assert_string_equal(find("broken:80"), "-");
    assert_string_equal(find("scoped:80"), "-");
    assert_string_equal(find("d:80"), "-");
    assert_string_equal(find("dbx:80"), "-");
}

static void test_no_file(void **state) {
    (void)state;
    assert_string_equal(find_in("localhost:80", "", 0), "127.0.0.1:80 ::1:80");
    assert_string_equal(find_in("LOCALHOST:80", "", 0), "127.0.0.1:80 ::1:80");
    assert_string_equal(find_in("db:80", "", 0), "-");
    assert_string_equal(find_in("db:80", "\n\n#\n \t\n", 7), "-");
    assert_string_equal(find_in("db:80", "10.0.0.1 db", 10), "-"); /* the last byte isn't handed in */
}

static void test_long_lines(void **state) {
    (void)state;
    static char bytes[5000];
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "10.0.0.1 ", 9);
    memcpy(bytes + 4990, "\n1.2.3.4 x", 10);
    assert_string_equal(find_in("x:5", bytes, sizeof bytes), "1.2.3.4:5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric), cmocka_unit_test(test_names),      cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_no_file), cmocka_unit_test(test_long_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
