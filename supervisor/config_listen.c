/* `listen`: what the workers of a cluster share. Each item is a place, as tcp://HOST:PORT, udp://HOST:PORT or
 * unix:PATH, and behind a ? options joined by &, as URLs have them: a list of such items has no commas of its own.
 * Only the form is checked here; whether the place can be had is known when brood starts (init/sockets.c). */
#include "supervisor/config_internal.h"

#include <string.h>

#define OPTION_BYTES 256 /* of one option, a user's name in it */
#define MODE_USUAL 0666 /* whoever can reach the file may connect, as systemd has it; the directory may say otherwise */
#define BACKLOG_MOST 65535

#define FOR_TCP (1u << LISTEN_TCP)
#define FOR_UDP (1u << LISTEN_UDP)
#define FOR_UNIX (1u << LISTEN_UNIX)

/* One option while it is read; whole is the item, as faults show it. */
struct option {
    struct parser *parser;
    const char *whole;
    const char *value;
    struct spec_listen *listen;
};

static char *keep(struct parser *parser, const char *text, size_t length) {
    return arena_copy(&parser->keep, text, length);
}

static bool take_yes(const struct option *option, bool *ret) {
    bool yes = strcmp(option->value, "yes") == 0;
    if (!yes && strcmp(option->value, "no") != 0) {
        key_error(option->parser, "%s: %s is neither yes nor no; write one of them", option->whole,
                  excerpt(option->parser, option->value, strlen(option->value), true));
        return false;
    }
    *ret = yes;
    return true;
}

static bool take_backlog(const struct option *option) {
    uint64_t number;
    if (!number_parse(option->value, BACKLOG_MOST, &number) || number == 0) {
        key_error(option->parser, "%s: backlog is a number of 1 to %d", option->whole, BACKLOG_MOST);
        return false;
    }
    option->listen->backlog = (uint32_t)number;
    return true;
}

static bool take_reuseport(const struct option *option) {
    return take_yes(option, &option->listen->reuseport);
}

/* A name may have an IPv6 address in /etc/hosts, but what it stands for isn't in the config's hands. */
static bool take_ipv6only(const struct option *option) {
    if (option->listen->address[0] == '[')
        return take_yes(option, &option->listen->ipv6only);
    key_error(option->parser, "%s: ipv6only is for an address in brackets, such as [::]", option->whole);
    return false;
}

static bool take_mode(const struct option *option) {
    uint32_t mode = 0;
    size_t digits = 0;
    for (; option->value[digits] >= '0' && option->value[digits] <= '7' && digits < 5; digits++)
        mode = mode * 8 + (uint32_t)(option->value[digits] - '0');
    if (digits < 3 || option->value[digits] != '\0' || mode > 0777) {
        key_error(option->parser, "%s: mode is an octal number of 000 to 0777, such as 0660", option->whole);
        return false;
    }
    option->listen->mode = mode;
    return true;
}

static bool take_owner(const struct option *option, char **ret) {
    if (option->value[0] == '\0') {
        key_error(option->parser, "%s: an owner is a name or a number", option->whole);
        return false;
    }
    if (!user_check(option->parser, option->value))
        return false;
    *ret = keep(option->parser, option->value, strlen(option->value));
    return true;
}

static bool take_owning_user(const struct option *option) {
    return take_owner(option, &option->listen->user);
}

static bool take_owning_group(const struct option *option) {
    return take_owner(option, &option->listen->group);
}

static bool take_name(const struct option *option) {
    if (!name_valid(option->value, strlen(option->value))) {
        key_error(option->parser,
                  "%s: %s can't be a socket's name; write a letter or digit, then up to 31 of a-z A-Z 0-9 . _ -",
                  option->whole, excerpt(option->parser, option->value, strlen(option->value), true));
        return false;
    }
    option->listen->name = keep(option->parser, option->value, strlen(option->value));
    return true;
}

static const struct {
    const char *name;
    bool (*take)(const struct option *option);
    unsigned kinds;
} options[] = {
    {"backlog", take_backlog, FOR_TCP | FOR_UNIX},
    {"reuseport", take_reuseport, FOR_TCP | FOR_UDP},
    {"ipv6only", take_ipv6only, FOR_TCP | FOR_UDP},
    {"mode", take_mode, FOR_UNIX},
    {"user", take_owning_user, FOR_UNIX},
    {"group", take_owning_group, FOR_UNIX},
    {"name", take_name, FOR_TCP | FOR_UDP | FOR_UNIX},
};

/* text is "NAME=VALUE"; *seen has a bit for each option that was. */
static bool take_option(struct option *option, const char *text, unsigned *seen) {
    static const char *const legal[] = {[LISTEN_TCP] = "backlog, reuseport, ipv6only and name",
                                        [LISTEN_UDP] = "reuseport, ipv6only and name",
                                        [LISTEN_UNIX] = "mode, user, group, backlog and name"};
    size_t length = strcspn(text, "=");
    option->value = text[length] == '=' ? text + length + 1 : "";
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strncmp(options[i].name, text, length) != 0 || options[i].name[length] != '\0' ||
            (options[i].kinds & 1u << option->listen->kind) == 0)
            continue;
        if ((*seen & 1u << i) != 0) {
            key_error(option->parser, "%s: %s is given twice; remove one", option->whole, options[i].name);
            return false;
        }
        *seen |= 1u << i;
        return options[i].take(option);
    }
    key_error(option->parser, "%s: %s is no option of it; there are %s", option->whole,
              excerpt(option->parser, text, length, true), legal[option->listen->kind]);
    return false;
}

/* What is behind the ?: NAME=VALUE&NAME=VALUE. */
static bool take_options(const struct option *place, const char *text) {
    char one[OPTION_BYTES];
    struct option option = *place;
    unsigned seen = 0;
    for (;;) {
        size_t length = strcspn(text, "&");
        if (length >= sizeof one) {
            key_error(option.parser, "%s: an option is longer than %d bytes", option.whole, OPTION_BYTES - 1);
            return false;
        }
        memcpy(one, text, length);
        one[length] = '\0';
        if (!take_option(&option, one, &seen))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static bool place_parse(struct parser *parser, const char *item, const char *whole, struct spec_listen *ret) {
    size_t length = strcspn(item, "?");
    size_t skip = strncmp(item, "unix:", 5) == 0 ? 5 : 6;
    if (skip == 5)
        ret->kind = LISTEN_UNIX;
    else if (strncmp(item, "tcp://", 6) == 0)
        ret->kind = LISTEN_TCP;
    else if (strncmp(item, "udp://", 6) == 0)
        ret->kind = LISTEN_UDP;
    else {
        key_error(parser,
                  "%s is no place to listen at; write tcp://HOST:PORT, udp://HOST:PORT or unix:PATH, separated by "
                  "commas",
                  whole);
        return false;
    }
    ret->address = keep(parser, item + skip, length - skip);
    if (ret->address == NULL)
        return false; /* no memory, which is said once */
    return ret->kind == LISTEN_UNIX ? path_check(parser, ret->address, true, whole)
                                    : address_check(parser, ret->address, whole, 0);
}

static bool listen_parse(struct parser *parser, const char *item, struct spec_listen *ret) {
    const char *whole = excerpt(parser, item, strlen(item), true);
    const char *question = strchr(item, '?');
    *ret = (struct spec_listen){.mode = MODE_USUAL, .ipv6only = true};
    const struct option option = {.parser = parser, .whole = whole, .listen = ret};
    return place_parse(parser, item, whole, ret) && (question == NULL || take_options(&option, question + 1));
}

static bool item_check(struct parser *parser, const char *item) {
    struct spec_listen ignored;
    return listen_parse(parser, item, &ignored);
}

void take_listen(struct parser *parser, const struct key *key, void *field) {
    (void)key;
    struct spec_group *group = field;
    struct spec_text_list items = {.count = 0};
    if (!list_take(parser, &parser->keep, item_check, &items))
        return;
    if (items.count > LISTEN_MAX) {
        key_error(parser, "%u sockets; a group has at most %d", (unsigned)items.count, LISTEN_MAX);
        return;
    }
    group->sockets = arena_take(&parser->keep, items.count * sizeof(*group->sockets));
    for (uint32_t i = 0; group->sockets != NULL && i < items.count; i++)
        (void)listen_parse(parser, items.items[i], &group->sockets[i]);
    if (!parser_failed(parser))
        group->listen = items;
}

static const struct name *same_place(const struct parser *parser, const struct spec_listen *place, bool shared) {
    uint32_t scope = SCOPE_PLACES + 2 * place->kind + shared;
    return names_find(&parser->names, scope, place->address, strlen(place->address));
}

/* Nobody else may have the place, but where all of those have reuseport; the system would say so without a line. With
 * port 0 each is another one. */
static void check_place(struct parser *parser, const struct spec_group *group, uint32_t index) {
    const struct spec_listen *place = &group->sockets[index];
    size_t length = strlen(place->address);
    if (place->kind != LISTEN_UNIX && strcmp(strrchr(place->address, ':'), ":0") == 0)
        return;
    const struct name *known = same_place(parser, place, false), *shared = same_place(parser, place, true);
    if (known == NULL && !place->reuseport)
        known = shared;
    if (known != NULL)
        fault_add(parser, group->listen_line, FAULT_ERROR, "[worker:%s] listen: %s: it is listened at on line %u; %s",
                  group->name, excerpt(parser, group->listen.items[index], strlen(group->listen.items[index]), true),
                  known->line,
                  place->kind == LISTEN_UNIX ? "remove one of them" : "remove one of them, or give both reuseport=yes");
    else if (shared == NULL)
        names_add(&parser->names, &parser->scratch,
                  (struct name){.text = place->address,
                                .length = length,
                                .scope = SCOPE_PLACES + 2 * place->kind + place->reuseport,
                                .line = group->listen_line});
}

void listen_check(struct parser *parser, const struct draft *draft) {
    const struct spec_group *group = &draft->group;
    if (group->listen.count == 0)
        return;
    if (group->type != TYPE_CLUSTER)
        fault_add(parser, group->listen_line, FAULT_ERROR,
                  "[worker:%s] listen: only a cluster listens; add type = cluster", group->name);
    if (group->ready == READY_FD && (uint32_t)group->ready_fd < 3 + group->listen.count)
        fault_add(parser, group->ready_line, FAULT_ERROR,
                  "[worker:%s] ready: descriptor %d is one of listen's, which begin at 3; write fd:%u or more",
                  group->name, group->ready_fd, (unsigned)(3 + group->listen.count));
    for (uint32_t i = 0; i < group->listen.count; i++)
        check_place(parser, group, i);
}
