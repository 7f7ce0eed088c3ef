/* wrap/image.c: #! lines against a table and against the kernel, which executes random ones; ELF files made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wrap/image.h"

#define SHOW "BROOD_TEST_SHOW" /* in the environment of the interpreter, which is this program */

static char directory[] = "/tmp/brood-image-XXXXXX";

static void write_file(const char *name, const void *bytes, size_t length) {
    assert_int_equal(chdir(directory), 0);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0755), 0); /* whatever the umask is */
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(close(fd), 0);
}

static int setup(void **state) {
    (void)state;
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0 || mkdtemp(directory) == NULL || chdir(directory) < 0)
        return -1;
    self[length] = '\0';
    return symlink(self, "a");
}

static int teardown(void **state) {
    (void)state;
    return unlink("a") == 0 && unlink("file") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

/* --- #! ----------------------------------------------------------------------------------------------------------- */

/* <interpreter><argument>, or "no". */
static void split(const char *bytes, size_t length, char *text, size_t size) {
    char head[IMAGE_HEAD_BYTES + 1];
    const char *interpreter = NULL, *argument = NULL;
    memset(head, 'x', sizeof head);
    memcpy(head, bytes, length < IMAGE_HEAD_BYTES ? length : IMAGE_HEAD_BYTES);
    if (!image_script(head, length < IMAGE_HEAD_BYTES ? length : IMAGE_HEAD_BYTES, &interpreter, &argument)) {
        assert_null(interpreter);
        snprintf(text, size, "no");
        return;
    }
    snprintf(text, size, "<%s>", interpreter);
    if (argument != NULL)
        snprintf(text + strlen(text), size - strlen(text), "<%s>", argument);
}

static void lines(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *result;
    } rows[] = {
        {"", "no"},
        {"#", "no"},
        {"#!", "<>"}, /* a name, of no length */
        {"#!\n", "no"},
        {"#! \t\n/bin/sh", "no"},
        {"# !/bin/sh\n", "no"},
        {" #!/bin/sh\n", "no"},
        {"#!/bin/sh\n", "</bin/sh>"},
        {"#!/bin/sh", "</bin/sh>"},
        {"#! \t/bin/sh \t \n", "</bin/sh>"},
        {"#!/usr/bin/env node\nrest", "</usr/bin/env><node>"},
        {"#!/usr/bin/env  -S node -x \t\n", "</usr/bin/env><-S node -x>"},
        {"#!/bin/sh\r\n", "</bin/sh\r>"},
        {"#!/bin/sh -x ", "</bin/sh><-x >"},
        {"#!/bin/sh ", "</bin/sh><>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[2 * IMAGE_HEAD_BYTES];
        split(rows[i].text, strlen(rows[i].text), text, sizeof text);
        if (strcmp(text, rows[i].result) != 0)
            fail_msg("%s: %s", rows[i].text, text);
    }
}

/* What the kernel makes of the file: as split() has it, "" where it finds no interpreter by that name. */
static void execute(char *text, size_t size) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static char script[] = "./file", show[] = SHOW "=1", leaks[] = "ASAN_OPTIONS=detect_leaks=0";
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execve(script, (char *[]){script, NULL}, (char *[]){show, leaks, NULL});
        if (errno == ENOEXEC)
            printf("no");
        else if (errno != ENOENT && errno != EACCES && errno != ENOTDIR)
            printf("error %d", errno);
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; (got = read(ends[0], text + used, size - 1 - used)) != 0; used += (size_t)got)
        assert_true(got > 0);
    text[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static uint64_t random_state = 7;

static unsigned random_below(unsigned bound) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % bound;
}

static size_t random_run(char *to, const char *alphabet, size_t count, size_t max) {
    size_t length = random_below((unsigned)max + 1);
    for (size_t i = 0; i < length; i++)
        to[i] = alphabet[random_below((unsigned)count)];
    return length;
}

/* A line that is often right, often about as long as what the kernel looks at. */
static size_t random_line(char *line) {
    size_t length = 2;
    memcpy(line, "#!", 2);
    length += random_run(line + length, " \t", 2, random_below(8) == 0 ? 252 : 3);
    for (size_t dots = random_below(4) == 0 ? 100 + random_below(40) : 0; dots > 0 && length < 280; dots--) {
        line[length++] = '.';
        line[length++] = '/';
    }
    if (random_below(5) > 0)
        line[length++] = 'a';
    length += random_run(line + length, " \t", 2, random_below(4) == 0 ? 250 : 3);
    length += random_run(line + length, "ab -\0", 5, random_below(4) == 0 ? 250 : 6);
    length += random_run(line + length, " \t\n", 3, 3);
    length += random_run(line + length, "\n", 1, 1);
    return length + random_run(line + length, "ab \n\0", 5, random_below(2) * 250);
}

static void as_the_kernel_does(void **state) {
    (void)state;
    unsigned kinds[3] = {0};
    for (int round = 0; round < 500; round++) {
        char line[1500], ours[2 * IMAGE_HEAD_BYTES], kernels[2 * IMAGE_HEAD_BYTES];
        size_t length = random_line(line);
        write_file("file", line, length);
        split(line, length, ours, sizeof ours);
        execute(kernels, sizeof kernels);
        if (kernels[0] != '\0' ? strcmp(ours, kernels) != 0 : strcmp(ours, "no") == 0)
            fail_msg("round %d: %.*s: %s, the kernel %s", round, (int)length, line, ours, kernels);
        kinds[kernels[0] == '\0' ? 0 : kernels[0] == '<' ? 1 : 2]++;
    }
    assert_true(kinds[0] > 20 && kinds[1] > 100 && kinds[2] > 20);
}

/* --- ELF ---------------------------------------------------------------------------------------------------------- */

struct elf {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    Elf64_Dyn dynamic[12];
    char strings[512];
};

#define ADDRESS 0x10000

/* A file that needs these libraries, in that order. */
static void make_elf(struct elf *elf, const char *const *needed, size_t count) {
    size_t used = 1;
    memset(elf, 0, sizeof *elf);
    memcpy(elf->header.e_ident, ELFMAG, SELFMAG);
    elf->header.e_ident[EI_CLASS] = ELFCLASS64;
    elf->header.e_phoff = offsetof(struct elf, segments);
    elf->header.e_phentsize = sizeof(Elf64_Phdr);
    elf->header.e_phnum = 2;
    elf->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = ADDRESS, .p_filesz = sizeof *elf};
    elf->segments[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                    .p_offset = offsetof(struct elf, dynamic),
                                    .p_vaddr = ADDRESS + offsetof(struct elf, dynamic),
                                    .p_filesz = sizeof elf->dynamic};
    for (size_t i = 0; i < count; i++) {
        elf->dynamic[i] = (Elf64_Dyn){.d_tag = DT_NEEDED, .d_un.d_val = used};
        used += (size_t)snprintf(elf->strings + used, sizeof elf->strings - used, "%s", needed[i]) + 1;
    }
    elf->dynamic[count] = (Elf64_Dyn){.d_tag = DT_STRTAB, .d_un.d_ptr = ADDRESS + offsetof(struct elf, strings)};
}

static void look(struct image *image) {
    memset(image, 0xa5, sizeof *image);
    image_look(AT_FDCWD, "file", 0, image);
}

static void sanitizers(void **state) {
    (void)state;
    static const struct {
        const char *needed[8];
        bool sanitized;
    } rows[] = {
        {{"libc.so.6"}, false},
        {{"libasan.so.8", "libc.so.6"}, true},
        {{"libm.so.6", "libc.so.6", "libtsan.so.2"}, true},
        {{"a", "b", "c", "d", "e", "f", "g", "liblsan.so.0"}, true},
        {{"libclang_rt.asan-x86_64.so"}, true},
        {{"libubsan.so.1", "libc.so.6"}, false},
        {{"xlibasan.so", "libasan"}, false},
        {{NULL}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct elf elf;
        struct image image;
        size_t count = 0;
        while (count < 8 && rows[i].needed[count] != NULL)
            count++;
        make_elf(&elf, rows[i].needed, count);
        write_file("file", &elf, sizeof elf);
        look(&image);
        assert_int_equal(image.kind, IMAGE_ELF);
        if (image.sanitized != rows[i].sanitized)
            fail_msg("row %zu", i);
        int fd = open("file", O_RDONLY | O_CLOEXEC);
        image_look(fd, "", AT_EMPTY_PATH, &image);
        assert_int_equal(image.sanitized, rows[i].sanitized);
        assert_int_equal(close(fd), 0); /* it was left open */
    }
}

/* Cut off anywhere, and with every byte of the tables changed: an answer, and no fault (of the address sanitizer's). */
static void broken_files(void **state) {
    (void)state;
    static const char *const needed[] = {"libasan.so.8"};
    struct elf elf, broken;
    struct image image;
    make_elf(&elf, needed, 1);
    for (size_t length = 0; length < sizeof elf; length += 1 + length / 64) {
        write_file("file", &elf, length);
        look(&image);
        assert_int_equal(image.kind, length < sizeof elf.header ? IMAGE_OTHER : IMAGE_ELF);
        assert_true(!image.sanitized || length > offsetof(struct elf, strings));
    }
    for (size_t at = EI_CLASS; at < offsetof(struct elf, strings); at++) {
        broken = elf;
        ((unsigned char *)&broken)[at] ^= 0xff;
        write_file("file", &broken, sizeof broken);
        look(&image);
        assert_int_equal(image.kind, IMAGE_ELF);
    }
}

static void shims_and_others(void **state) {
    (void)state;
    struct elf elf;
    struct image image;
    make_elf(&elf, NULL, 0);
    assert_int_equal(offsetof(struct elf, segments[0].p_paddr), SHIM_KEY_OFFSET);
    ((char *)&elf)[SHIM_MARK_OFFSET] = SHIM_MARK;
    memcpy((char *)&elf + SHIM_KEY_OFFSET, "Ab3dE6", CONTEXT_KEY_BYTES);
    write_file("file", &elf, sizeof elf);
    look(&image);
    assert_int_equal(image.kind, IMAGE_SHIM);
    assert_string_equal(image.key, "Ab3dE6");
    write_file("file", &elf, SHIM_HEAD_BYTES - 1);
    look(&image);
    assert_int_equal(image.kind, IMAGE_ELF);
    write_file("file", "echo text\n", 10);
    look(&image);
    assert_int_equal(image.kind, IMAGE_OTHER);
    write_file("file", "#!/bin/sh -e\n", 13);
    look(&image);
    assert_int_equal(image.kind, IMAGE_SCRIPT);
    assert_string_equal(image.interpreter, "/bin/sh");
    assert_string_equal(image.argument, "-e");
    image_look(AT_FDCWD, "nowhere", 0, &image);
    assert_int_equal(image.kind, IMAGE_UNREADABLE);
    image_look(AT_FDCWD, ".", 0, &image);
    assert_int_equal(image.kind, IMAGE_UNREADABLE);
    image_look(-1, "", AT_EMPTY_PATH, &image);
    assert_int_equal(image.kind, IMAGE_UNREADABLE);
}

int main(int argc, char **argv) {
    if (getenv(SHOW) != NULL) {
        for (int i = 0; i < argc - 1; i++) /* the last one is the script */
            printf("<%s>", argv[i]);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),        cmocka_unit_test(as_the_kernel_does), cmocka_unit_test(sanitizers),
        cmocka_unit_test(broken_files), cmocka_unit_test(shims_and_others),
    };
    return cmocka_run_group_tests_name("image", tests, setup, teardown);
}
