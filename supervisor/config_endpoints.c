/* Where something listens or answers: ready and check, and the
 * addresses of listen (config_listen.c). Only the form is checked;
 * whether HOST is a name of /etc/hosts is looked up when brood starts. Sources: RFC 4291
 * 2.2 for IPv6 addresses, unix(7) for paths. */
#include "supervisor/config_internal.h"

#include <string.h>

#define HOST_BYTES 256 /* a host name has at most 253 */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Four numbers up to 255 without leading zeros, as inet_pton() takes them. */
static bool ipv4_valid(const char *text) {
    for (int part = 0; part < 4; part++) {
        unsigned number = 0;
        size_t digits = 0;
        for (; digits < 4 && is_digit(text[digits]); digits++)
            number = number * 10 + (unsigned)(text[digits] - '0');
        if (digits < 1 || digits > 3 || number > 255 || (digits > 1 && text[0] == '0'))
            return false;
        text += digits;
        if (*text != (part < 3 ? '.' : '\0'))
            return false;
        text += part < 3;
    }
    return true;
}

/* Up to eight groups of hexadecimal digits, one :: for any number of zeros, the last two perhaps as IPv4. */
static bool ipv6_valid(const char *text) {
    int groups = 0;
    bool gap = strncmp(text, "::", 2) == 0;
    if (gap)
        text += 2;
    while (*text != '\0') {
        size_t digits = 0;
        while (digits < 5 && is_hex(text[digits]))
            digits++;
        if (text[digits] == '.') {
            groups += 2;
            return ipv4_valid(text) && (gap ? groups < 8 : groups == 8);
        }
        if (digits < 1 || digits > 4)
            return false;
        groups++;
        text += digits;
        if (*text == '\0')
            break;
        if (*text++ != ':')
            return false;
        if (*text == ':') {
            if (gap)
                return false;
            gap = true;
            text++;
        } else if (*text == '\0') {
            return false;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* Labels of letters, digits, - and _ between dots. A name of digits and dots alone would be a broken address. */
static bool host_name_valid(const char *text) {
    size_t label = 0;
    bool letter = false;
    if (strlen(text) > 253)
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        bool sign = *text == '-' || *text == '_';
        bool alphabetic = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if ((!sign && !alphabetic && !is_digit(*text)) || (*text == '-' && label == 0) || ++label > 63)
            return false;
        letter = letter || alphabetic || *text == '_';
    }
    return letter && label > 0;
}

static bool host_valid(const char *host, bool brackets) {
    if (brackets)
        return ipv6_valid(host);
    return strcmp(host, "*") == 0 || ipv4_valid(host) || host_name_valid(host);
}

bool address_check(struct parser *parser, const char *text, const char *whole, uint64_t least_port) {
    static const char legal[] = "a numeric address ([…] around IPv6), * or a name of /etc/hosts";
    char host[HOST_BYTES];
    bool brackets = text[0] == '[';
    const char *start = text + (brackets ? 1 : 0);
    size_t length = strcspn(start, brackets ? "]" : ":");
    const char *behind = start + length + (brackets && start[length] != '\0' ? 1 : 0);
    uint64_t port;
    if (*behind != ':') {
        key_error(parser, "%s has no port; write HOST:PORT", whole);
        return false;
    }
    if (strchr(behind + 1, ':') != NULL) {
        key_error(parser, "%s has too many colons; write an IPv6 address in brackets, [::1]:80", whole);
        return false;
    }
    if (!number_parse(behind + 1, 65535, &port) || port < least_port) {
        key_error(parser, "%s has no port of %u to 65535; write one behind the host's colon", whole,
                  (unsigned)least_port);
        return false;
    }
    if (length < sizeof(host)) {
        memcpy(host, start, length);
        host[length] = '\0';
        if (host_valid(host, brackets))
            return true;
    }
    key_error(parser, "%s has no valid host; write %s", whole, legal);
    return false;
}

bool path_check(struct parser *parser, const char *path, bool socket, const char *whole) {
    if (path[0] != '/') {
        key_error(parser, "%s has no absolute path; write one that begins with /", whole);
        return false;
    }
    if (socket && strlen(path) > SOCKET_PATH_MAX) {
        key_error(parser, "%s: a socket's path has at most %d bytes; choose a shorter one", whole, SOCKET_PATH_MAX);
        return false;
    }
    return true;
}

static char *keep(struct parser *parser, const char *text) {
    return arena_copy(&parser->keep, text, strlen(text));
}

/* What is behind `prefix` in the value, NULL where it begins otherwise. */
static const char *behind(const struct parser *parser, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(parser->text.bytes, prefix, length) == 0 ? parser->text.bytes + length : NULL;
}

void take_ready(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_group *group = field;
    const char *whole = value_excerpt(parser);
    const char *rest;
    uint64_t number;
    if (strcmp(parser->text.bytes, "none") == 0) {
        group->ready = READY_NONE;
    } else if (strcmp(parser->text.bytes, "notify") == 0) {
        group->ready = READY_NOTIFY;
    } else if ((rest = behind(parser, "fd:")) != NULL) {
        if (number_parse(rest, NOTIFY_FD_MAX, &number) && number >= 3) {
            group->ready = READY_FD;
            group->ready_fd = (int)number;
        } else {
            key_error(parser, "%s has no free descriptor; write fd:3 to fd:%d", whole, NOTIFY_FD_MAX);
        }
    } else if ((rest = behind(parser, "tcp:")) != NULL) {
        if (address_check(parser, rest, whole, 1)) {
            group->ready = READY_TCP;
            group->ready_text = keep(parser, rest);
        }
    } else if ((rest = behind(parser, "unix:")) != NULL) {
        if (path_check(parser, rest, true, whole)) {
            group->ready = READY_UNIX;
            group->ready_text = keep(parser, rest);
        }
    } else if ((rest = behind(parser, "file:")) != NULL) {
        if (path_check(parser, rest, false, whole)) {
            group->ready = READY_FILE;
            group->ready_text = keep(parser, rest);
        }
    } else if ((rest = behind(parser, "exec:")) != NULL) {
        if (command_split(parser, rest, &group->ready_command))
            group->ready = READY_EXEC;
    } else {
        key_error(
            parser,
            "%s is not a value of it; write none, notify, fd:N, tcp:HOST:PORT, unix:PATH, file:PATH or exec:COMMAND",
            whole);
    }
}

void take_check(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_group *group = field;
    const char *whole = value_excerpt(parser);
    const char *rest;
    if ((rest = behind(parser, "exec:")) != NULL) {
        if (command_split(parser, rest, &group->check_command))
            group->check = CHECK_EXEC;
    } else if ((rest = behind(parser, "tcp:")) != NULL) {
        if (address_check(parser, rest, whole, 1)) {
            group->check = CHECK_TCP;
            group->check_text = keep(parser, rest);
        }
    } else {
        key_error(parser, "%s is not a value of it; write exec:COMMAND or tcp:HOST:PORT", whole);
    }
}
