/* See image.h. Reads with pread() into small buffers: a library that lies in every process may not need much stack, and
 * an exec must not wait for more than a few pages that the kernel reads anyway. */
#include "wrap/image.h"

#include <elf.h>

#include "wrap/syscalls.h"
#include "wrap/text.h"

#define HEADERS_MAX 18      /* program headers looked at; a usual program has a dozen */
#define DYNAMICS_MAX 128    /* dynamic entries looked at; NEEDED come first */
#define DYNAMICS_AT_ONCE 16 /* read in one call: most programs have their libraries and strings among them */
#define NEEDED_MAX 8        /* libraries looked at: a sanitizer's runtime is linked before all others */
#define LIBRARY_BYTES 32    /* of the name of a needed library */

static bool is_blank(char character) {
    return character == ' ' || character == '\t';
}

/* The first byte from `at` to `end` (that one too) that is no blank; behind end where there is none. */
static size_t skip_blanks(const char *head, size_t at, size_t end) {
    while (at <= end && is_blank(head[at]))
        at++;
    return at;
}

/* The same for a blank or a NUL. */
static size_t find_terminator(const char *head, size_t at, size_t end) {
    while (at <= end && !is_blank(head[at]) && head[at] != '\0')
        at++;
    return at;
}

/* Surprises of the kernel: a line is over only at a newline before any NUL; without one the last byte that it looks at
 * is lost, blanks at the end count, and an argument may be empty. */
bool image_script(char head[static IMAGE_HEAD_BYTES + 1], size_t length, const char **ret_interpreter,
                  const char **ret_argument) {
    for (size_t i = length; i <= IMAGE_HEAD_BYTES; i++)
        head[i] = '\0';
    if (head[0] != '#' || head[1] != '!')
        return false;
    size_t end = 2;
    while (end < IMAGE_HEAD_BYTES && head[end] != '\n' && head[end] != '\0')
        end++;
    if (end == IMAGE_HEAD_BYTES || head[end] != '\n') {
        end = IMAGE_HEAD_BYTES - 1;
        if (find_terminator(head, skip_blanks(head, 2, end), end) > end)
            return false; /* the interpreter's name may be cut off */
    }
    while (end > 2 && is_blank(head[end - 1]))
        end--;
    size_t begin = skip_blanks(head, 2, end);
    if (begin >= end)
        return false;
    size_t stop = find_terminator(head, begin, end);
    size_t argument = stop < end && head[stop] != '\0' ? skip_blanks(head, stop, end) : end;
    head[end] = '\0';
    head[stop > end ? end : stop] = '\0';
    *ret_interpreter = head + begin;
    *ret_argument = argument < end ? head + argument : NULL;
    return true;
}

/* --- sanitizers: a needed library that wants to be first of all -- */

static bool is_runtime(const char *library) {
    static const char *const runtimes[] = {"libasan.so",       "libtsan.so",       "liblsan.so",        "libhwasan.so",
                                           "libclang_rt.asan", "libclang_rt.tsan", "libclang_rt.hwasan"};
    for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++)
        if (text_after(library, runtimes[i]) != NULL)
            return true;
    return false;
}

/* The program headers, or as many of them as are looked at. */
struct headers {
    Elf64_Phdr items[HEADERS_MAX];
    size_t count;
};

/* Where in the file an address lies; -1 where no segment has it. */
static long offset_of(const struct headers *headers, Elf64_Addr address) {
    for (size_t i = 0; i < headers->count; i++) {
        const Elf64_Phdr *segment = &headers->items[i];
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr && address - segment->p_vaddr < segment->p_filesz)
            return (long)(address - segment->p_vaddr + segment->p_offset);
    }
    return -1;
}

static const Elf64_Phdr *find_dynamic(const struct headers *headers) {
    for (size_t i = 0; i < headers->count; i++)
        if (headers->items[i].p_type == PT_DYNAMIC)
            return &headers->items[i];
    return NULL;
}

static void read_headers(int fd, const Elf64_Ehdr *header, struct headers *ret) {
    size_t count = header->e_phnum < HEADERS_MAX ? header->e_phnum : HEADERS_MAX;
    long length = raw_pread(fd, ret->items, count * sizeof(Elf64_Phdr), (long)header->e_phoff);
    ret->count = length < 0 ? 0 : (size_t)length / sizeof(Elf64_Phdr);
}

/* Some entries of the dynamic table; DT_NULL behind its end. */
static void read_dynamic(int fd, const Elf64_Phdr *dynamic, size_t index, Elf64_Dyn buffer[static DYNAMICS_AT_ONCE]) {
    long at = (long)(dynamic->p_offset + index * sizeof(Elf64_Dyn));
    long length = raw_pread(fd, buffer, DYNAMICS_AT_ONCE * sizeof(Elf64_Dyn), at);
    size_t count = length < 0 ? 0 : (size_t)length / sizeof(Elf64_Dyn);
    for (; count < DYNAMICS_AT_ONCE; count++)
        buffer[count].d_tag = DT_NULL;
}

static bool needs_runtime(int fd, const Elf64_Ehdr *header) {
    struct headers headers;
    Elf64_Dyn entries[DYNAMICS_AT_ONCE];
    uint64_t needed[NEEDED_MAX];
    size_t needed_count = 0;
    long strings = -1;
    read_headers(fd, header, &headers);
    const Elf64_Phdr *dynamic = find_dynamic(&headers);
    if (dynamic == NULL)
        return false;
    for (size_t i = 0; i < DYNAMICS_MAX && strings < 0; i++) {
        if (i % DYNAMICS_AT_ONCE == 0)
            read_dynamic(fd, dynamic, i, entries);
        const Elf64_Dyn *entry = &entries[i % DYNAMICS_AT_ONCE];
        if (entry->d_tag == DT_NULL)
            return false;
        if (entry->d_tag == DT_NEEDED && needed_count < NEEDED_MAX)
            needed[needed_count++] = entry->d_un.d_val;
        if (entry->d_tag == DT_STRTAB)
            strings = offset_of(&headers, entry->d_un.d_ptr);
    }
    for (size_t i = 0; i < needed_count && strings >= 0; i++) {
        char name[LIBRARY_BYTES];
        long length = raw_pread(fd, name, sizeof name - 1, strings + (long)needed[i]);
        name[length < 0 ? 0 : length] = '\0';
        if (is_runtime(name))
            return true;
    }
    return false;
}

/* --- one file -- */

static bool is_elf(const struct image *image, size_t length) {
    return length >= sizeof(Elf64_Ehdr) && text_same_bytes(image->head, ELFMAG, SELFMAG);
}

static void look_into_elf(int fd, size_t length, struct image *image) {
    Elf64_Ehdr header;
    char *bytes = (char *)&header;
    for (size_t i = 0; i < sizeof header; i++)
        bytes[i] = image->head[i];
    image->kind = IMAGE_ELF;
    if (length >= SHIM_HEAD_BYTES && image->head[SHIM_MARK_OFFSET] == SHIM_MARK) {
        image->kind = IMAGE_SHIM;
        for (size_t i = 0; i < CONTEXT_KEY_BYTES; i++)
            image->key[i] = image->head[SHIM_KEY_OFFSET + i];
        image->key[CONTEXT_KEY_BYTES] = '\0';
    } else if (header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phentsize == sizeof(Elf64_Phdr)) {
        image->sanitized = needs_runtime(fd, &header);
    }
}

void image_look(int directory, const char *path, int flags, struct image *ret) {
    ret->kind = IMAGE_UNREADABLE;
    ret->sanitized = false;
    bool opened = path[0] != '\0'; /* "": the descriptor itself, which stays the caller's */
    int fd = opened ? raw_openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags) : directory;
    if (fd < 0)
        return;
    long length = raw_pread(fd, ret->head, IMAGE_HEAD_BYTES, 0);
    if (length >= 0) {
        ret->head[length] = '\0';
        ret->kind = IMAGE_OTHER;
        if (is_elf(ret, (size_t)length))
            look_into_elf(fd, (size_t)length, ret);
        else if (image_script(ret->head, (size_t)length, &ret->interpreter, &ret->argument))
            ret->kind = IMAGE_SCRIPT;
    }
    if (opened)
        raw_close(fd);
}
