/* Plays stories: facts go in at their time, and all that comes out must be what the story says, to the letter.
 *
 *     golden FILE.story...
 *
 * Before a fact is fed in, everything that is due up to its time has happened; after each, all queued work is done.
 * There is no option that writes a story: it is a claim about brood, and changes only by a person who has read why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"
#include "supervisor/describe.h"
#include "tests/golden/story.h"

#define LINE_BYTES 240
#define STEPS_MAX 100000

struct play {
    const struct story *story;
    struct config config;
    struct sv *sv;
    msec_t now;
    uint32_t steps;
    char lines[STORY_LINES_MAX][LINE_BYTES];
    uint32_t lines_count;
};

static struct story the_story;
static struct play the_play;

static bool complain(const struct play *play, const char *line, const char *why) {
    fprintf(stderr, "%s: %s: %s\n", play->story->path, line, why);
    return false;
}

static void put(struct play *play, const char *text) {
    if (play->lines_count < STORY_LINES_MAX)
        snprintf(play->lines[play->lines_count++], LINE_BYTES, "%s", text);
}

static void step(struct play *play, struct event event) {
    struct actions actions;
    actions.capacity = ACTIONS_MAX;
    event.time = play->now;
    play->steps++;
    sv_step(play->sv, &event, &actions);
    for (uint32_t i = 0; i < actions.count; i++) {
        char text[160], line[LINE_BYTES];
        enum action_kind kind = actions.items[i].kind;
        if (kind == ACTION_SPAWN || (kind == ACTION_NOTIFY && !play->story->manager))
            continue;
        describe_action(&play->config.spec, &actions.items[i], text, sizeof(text));
        snprintf(line, sizeof(line), "%s [%6lld] %s", kind == ACTION_REPORT ? " " : ">", (long long)play->now, text);
        put(play, line);
    }
}

/* Lets time pass: everything that is due up to `until`. */
static void pass(struct play *play, msec_t until) {
    while (!sv_done(play->sv) && sv_deadline(play->sv) <= until && sv_deadline(play->sv) != MSEC_NEVER &&
           play->steps < STEPS_MAX) {
        play->now = msec_max(play->now, sv_deadline(play->sv));
        step(play, (struct event){.kind = EVENT_TICK});
    }
}

static bool feed(struct play *play, const char *line) {
    struct event event;
    /* The time is needed before the rest can be understood: which life a fact is about depends on what was due. */
    msec_t time = strtoll(line + strcspn(line, "0123456789"), NULL, 10);
    if (time < play->now)
        return complain(play, line, "is earlier than what came before");
    if (line[0] != '!')
        pass(play, time);
    play->now = time;
    const char *why = fact_parse(play->sv, line, &event);
    if (why)
        return complain(play, line, why);
    if (sv_done(play->sv))
        return complain(play, line, "comes after the end");
    put(play, line);
    step(play, event);
    pass(play, time);
    return true;
}

static void put_end(struct play *play) {
    char outcome[160], line[LINE_BYTES];
    if (!sv_done(play->sv)) {
        put(play, "= goes on");
        return;
    }
    sv_outcome(play->sv, outcome, sizeof(outcome));
    snprintf(line, sizeof(line), "= %d: %s", sv_exit_status(play->sv), outcome);
    put(play, line);
}

static bool open_play(struct play *play, const struct story *from) {
    struct config_input input = {
        .bytes = from->no_config ? NULL : from->config,
        .length = from->config_length,
        .command = from->command[0] ? from->command : NULL,
        .grace = MSEC_NEVER,
        .cpus = 4,
        .sigrtmin = 34,
        .sigrtmax = 64,
        .accept_unbuilt = true,
    };
    play->story = from;
    if (from->grace && config_duration(from->grace, &input.grace, NULL) != 0)
        return complain(play, from->grace, "is no duration");
    if (config_parse(&input, &play->config) != 0)
        return complain(play, "config", "no memory");
    for (uint32_t i = 0; i < play->config.faults_count; i++)
        if (play->config.faults[i].severity == FAULT_ERROR)
            fprintf(stderr, "%s:%u: %s\n", from->path, play->config.faults[i].line, play->config.faults[i].text);
    if (play->config.errors > 0)
        return false;
    void *memory = malloc(sv_bytes(&play->config.spec));
    if (!memory)
        return complain(play, "memory", "there is none");
    play->sv = sv_init(&play->config.spec, memory);
    return true;
}

static void close_play(struct play *play) {
    free(play->sv);
    config_free(&play->config);
}

/* Prints both sides, from the longest common subsequence; returns whether they are the same. */
static bool compare(const struct play *play) {
    static uint16_t common[STORY_LINES_MAX + 1][STORY_LINES_MAX + 1];
    const struct story *from = play->story;
    uint32_t wanted = from->lines_count, found = play->lines_count;
    bool same = wanted == found;
    for (uint32_t i = 0; i < wanted && same; i++)
        same = strcmp(from->lines[i], play->lines[i]) == 0;
    if (same)
        return true;

    memset(common, 0, sizeof(common));
    for (uint32_t i = wanted; i-- > 0;) {
        for (uint32_t j = found; j-- > 0;) {
            bool equal = strcmp(from->lines[i], play->lines[j]) == 0;
            uint16_t skipped = common[i + 1][j] > common[i][j + 1] ? common[i + 1][j] : common[i][j + 1];
            common[i][j] = equal ? (uint16_t)(common[i + 1][j + 1] + 1) : skipped;
        }
    }
    printf("--- %s (what the story says)\n+++ what brood does\n", from->path);
    for (uint32_t i = 0, j = 0; i < wanted || j < found;) {
        if (i < wanted && j < found && strcmp(from->lines[i], play->lines[j]) == 0) {
            printf("  %s\n", from->lines[i]);
            i++;
            j++;
        } else if (j >= found || (i < wanted && common[i + 1][j] >= common[i][j + 1])) {
            printf("- %s\n", from->lines[i++]);
        } else {
            printf("+ %s\n", play->lines[j++]);
        }
    }
    return false;
}

static bool run(const char *path) {
    struct story *story = &the_story;
    struct play *play = &the_play;
    memset(play, 0, sizeof(*play));
    bool good = story_read(story, path) && open_play(play, story);
    for (uint32_t i = 0; i < story->lines_count && good; i++)
        if (story->lines[i][0] == '<' || story->lines[i][0] == '!')
            good = feed(play, story->lines[i]);
    if (good) {
        pass(play, MSEC_NEVER);
        put_end(play);
        good = compare(play);
    }
    close_play(play);
    return good;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += !run(argv[i]);
    printf("golden: %d of %d stories as told\n", argc - 1 - failed, argc - 1);
    return failed || argc < 2 ? 1 : 0;
}
