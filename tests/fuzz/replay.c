/* Runs a fuzz target over every file of the directories named on its command line,
 * without libFuzzer: what `make test` does with the corpus, with any compiler. Fails
 * where a directory can't be read or has no file. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char current[4096]; /* the file that is run, and a newline */

/* An assert or a fault ends the program: which file it was is what one wants to know. */
static void say_which(int number) {
    ssize_t ignored = write(STDERR_FILENO, current, strlen(current));
    (void)ignored;
    (void)raise(number); /* SA_RESETHAND: the default action, once this handler returns */
}

/* The whole file; *ret_data is the caller's to free. */
static int read_file(const char *path, uint8_t **ret_data, size_t *ret_size) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return -1;
    uint8_t *data = NULL;
    size_t size = 0;
    size_t capacity = 0;
    for (;;) {
        if (size == capacity) {
            capacity = capacity == 0 ? 4096 : capacity * 2;
            uint8_t *larger = realloc(data, capacity);
            if (larger == NULL)
                abort();
            data = larger;
        }
        size_t got = fread(data + size, 1, capacity - size, file);
        if (got == 0)
            break;
        size += got;
    }
    int failed = ferror(file);
    (void)fclose(file);
    if (failed) {
        free(data);
        return -1;
    }
    *ret_data = data;
    *ret_size = size;
    return 0;
}

/* Returns how many files were run, or -1. */
static int replay(const char *directory) {
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        perror(directory);
        return -1;
    }
    int count = 0;
    for (const struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        char path[4000];
        uint8_t *data;
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        int length = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof(path) || read_file(path, &data, &size) < 0) {
            perror(path);
            count = -1;
            break;
        }
        (void)snprintf(current, sizeof(current), "%s\n", path);
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
        count++;
    }
    (void)closedir(stream);
    return count;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s DIRECTORY...\n", argv[0]);
        return 2;
    }
    struct sigaction action = {.sa_handler = say_which, .sa_flags = (int)SA_RESETHAND};
    if (sigaction(SIGABRT, &action, NULL) < 0 || sigaction(SIGSEGV, &action, NULL) < 0)
        return 2;
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: nothing was replayed\n", argv[i]);
            return 1;
        }
        (void)printf("%s: %d files\n", argv[i], count);
    }
    return 0;
}
