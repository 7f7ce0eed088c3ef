/* Story files to their parts: see story.h. */
#include "tests/golden/story.h"

#include <stdio.h>
#include <string.h>

/* The next word of *text, cut off in place; NULL: there is none. */
static char *next_word(char **text) {
    char *word = *text + strspn(*text, " ");
    char *end = word + strcspn(word, " ");
    *text = *end ? end + 1 : end;
    *end = '\0';
    return *word ? word : NULL;
}

/* `$ --grace 5s`, `$ -- sleep 60`, `$ no config`, `$ manager`: cut into words in place. */
static void read_option(struct story *story, char *text) {
    uint32_t count = 0;
    char *word = next_word(&text);
    if (word && strcmp(word, "--grace") == 0) {
        story->grace = next_word(&text);
    } else if (word && strcmp(word, "no") == 0) {
        story->no_config = true;
    } else if (word && strcmp(word, "manager") == 0) {
        story->manager = true;
    } else if (word) {
        while (count < STORY_WORDS_MAX && (word = next_word(&text)))
            story->command[count++] = word;
        story->command[count] = NULL;
    }
}

static bool read_bytes(struct story *story) {
    FILE *file = fopen(story->path, "re");
    if (!file) {
        perror(story->path);
        return false;
    }
    size_t length = fread(story->bytes, 1, sizeof(story->bytes) - 1, file);
    fclose(file);
    story->bytes[length] = '\0';
    if (length == sizeof(story->bytes) - 1)
        fprintf(stderr, "%s: too long\n", story->path);
    return length < sizeof(story->bytes) - 1;
}

bool story_read(struct story *story, const char *path) {
    bool trace = false;
    memset(story, 0, sizeof(*story));
    story->path = path;
    if (!read_bytes(story))
        return false;
    for (char *line = story->bytes, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (!trace && strcmp(line, "----") == 0) {
            trace = true;
        } else if (!trace && line[0] == '$') {
            read_option(story, line + 1);
        } else if (!trace) {
            int length = snprintf(story->config + story->config_length, sizeof(story->config) - story->config_length,
                                  "%s\n", line);
            story->config_length += (size_t)length;
        } else if (line[0] != ';' && line[strspn(line, " ")] != '\0' && story->lines_count < STORY_LINES_MAX) {
            story->lines[story->lines_count++] = line;
        }
    }
    if (story->bytes[0] != ';' || story->lines_count == 0) {
        fprintf(stderr, "%s: no head (;) or no trace (after ----)\n", path);
        return false;
    }
    return true;
}
