/* A reader of /etc/hosts: lines "ADDRESS NAME…", # begins a comment, names are compared without regard to case. The
 * addresses of a name come in the order of the file. */
#include "init/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "init/fd.h"
#include "init/whole.h"

#define HOST_BYTES 256             /* a name has at most 253 */
#define HOSTS_BYTES_MAX (4u << 20) /* lists of blocked names have some hundred kilobytes */

static void add(struct hosts_addresses *addresses, const union hosts_address *address) {
    if (addresses->count < HOSTS_ADDRESSES_MAX)
        addresses->items[addresses->count++] = *address;
}

/* False where text is no numeric address. */
static bool add_numeric(struct hosts_addresses *addresses, const char *text, uint16_t port) {
    union hosts_address address = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        add(addresses, &address);
        return true;
    }
    address = (union hosts_address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) != 1)
        return false;
    add(addresses, &address);
    return true;
}

/* The next word of a line, cut off at its end; "" where there is none. */
static const char *next_word(char **at) {
    char *word = *at + strspn(*at, " \t\r\f\v");
    size_t length = strcspn(word, " \t\r\f\v");
    *at = word + length;
    if (word[length] != '\0')
        *(*at)++ = '\0';
    return word;
}

static void read_line(char *line, const char *host, uint16_t port, struct hosts_addresses *addresses) {
    line[strcspn(line, "#")] = '\0';
    const char *address = next_word(&line);
    for (const char *name = next_word(&line); name[0] != '\0'; name = next_word(&line)) {
        if (strcasecmp(name, host) == 0) {
            add_numeric(addresses, address, port); /* one with a scope, fe80::1%eth0, is none */
            return;
        }
    }
}

static void read_lines(const char *bytes, size_t length, const char *host, uint16_t port,
                       struct hosts_addresses *addresses) {
    char line[1024];
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t size = newline ? (size_t)(newline - bytes) : length;
        if (size < sizeof line) { /* longer ones are nobody's */
            memcpy(line, bytes, size);
            line[size] = '\0';
            read_line(line, host, port, addresses);
        }
        size += newline != NULL;
        bytes += size;
        length -= size;
    }
}

int hosts_find(const char *text, const char *bytes, size_t length, struct hosts_addresses *ret) {
    struct hosts_addresses addresses = {0};
    char host[HOST_BYTES];
    const char *colon = strrchr(text, ':');
    uint16_t port = (uint16_t)strtoul(colon + 1, NULL, 10);
    size_t size = (size_t)(colon - text);

    if (text[0] == '[') { /* its ] is the last byte before the colon */
        text++;
        size -= 2;
    }
    if (size >= sizeof host)
        return -ENOENT;
    memcpy(host, text, size);
    host[size] = '\0';
    if (strcmp(host, "*") != 0 && !add_numeric(&addresses, host, port))
        read_lines(bytes, length, host, port, &addresses);
    if (addresses.count == 0 && (strcmp(host, "*") == 0 || strcasecmp(host, "localhost") == 0)) {
        add_numeric(&addresses, "127.0.0.1", port);
        add_numeric(&addresses, "::1", port);
    }
    if (addresses.count == 0)
        return -ENOENT;
    *ret = addresses;
    return 0;
}

int hosts_read(char **ret_bytes, size_t *ret_length) {
    CLEANUP_FD int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        return whole_read(fd, HOSTS_BYTES_MAX, ret_bytes, ret_length);
    if (errno != ENOENT && errno != ENOTDIR)
        return -errno;
    char *bytes = malloc(1);
    if (!bytes)
        return -ENOMEM;
    *ret_bytes = bytes;
    *ret_length = 0;
    return 0;
}

/* A command alone, and most configs, have no use for the file, wherever it lies and whatever it is. */
static bool is_needed(const struct spec *spec) {
    for (uint32_t i = 0; i < spec->groups_count; i++)
        if (spec->groups[i].ready == READY_TCP)
            return true;
    return false;
}

int hosts_check(const struct spec *spec, void (*report)(void *context, uint32_t line, const char *text),
                void *context) {
    char *bytes = NULL, text[512];
    size_t length = 0;
    if (!is_needed(spec))
        return 0;
    int r = hosts_read(&bytes, &length);
    if (r == -ENOMEM)
        return r;
    for (uint32_t i = 0; i < spec->groups_count; i++) {
        const struct spec_group *group = &spec->groups[i];
        struct hosts_addresses addresses;
        if (group->ready != READY_TCP || hosts_find(group->ready_text, bytes, length, &addresses) == 0)
            continue;
        snprintf(text, sizeof text,
                 "[worker:%s] ready: the host of tcp:%s is not in /etc/hosts; write a numeric address, * or a name "
                 "that stands there",
                 group->name, group->ready_text);
        report(context, group->ready_line, text);
    }
    free(bytes);
    return 0;
}
