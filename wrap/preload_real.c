/* What the preload library takes from the C library: its errno, the environment, and the functions that it stands in
 * front of.
 *
 * Those come from dlsym(). glibc before 2.34 has that in libdl, which many programs don't load, and it takes a lock
 * that a vfork()ed child shouldn't wait for; so there is preload_symbol() too: __errno_location lies in the C library,
 * and that one's ELF header at the begin of a page below. Sources: elf(5); the GNU hash section as linkers write it. */
#include "wrap/preload.h"

#include <elf.h>
#include <errno.h>

#include "wrap/syscalls.h"
#include "wrap/text.h"

#define RTLD_NEXT ((void *)-1L)
#define PAGE 4096
#define LIBRARY_PAGES_MAX 1024 /* from a function of the C library back to its header: 4 MiB, it has 2 */
#define VERSION_HIDDEN 0x8000  /* in a version: an old one, for programs that were linked with it */

extern int *preload_errno_location(void) __asm__("__errno_location") __attribute__((weak));
extern void *preload_dlsym(void *handle, const char *name) __asm__("dlsym") __attribute__((weak));

void preload_set_errno(int error) {
    if (preload_errno_location != NULL)
        *preload_errno_location() = error;
}

const char *preload_getenv(const char *name) {
    char **environment = &preload_environ != NULL ? preload_environ : NULL;
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *value = text_value(*environment, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

/* --- a symbol of the C library ------------------------------------------------------------------------------------ */

struct library {
    const char *base;
    const Elf64_Sym *symbols;
    const char *strings;
    const Elf64_Half *versions;
    const uint32_t *hash;
};

/* Segments needn't join: what lies between may not be read, and the kernel says so where we would die. */
static bool is_readable(const char *page) {
    return raw_faccessat(AT_FDCWD, page, 0) != -EFAULT;
}

static const Elf64_Ehdr *find_header(const char *inside) {
    const char *page = inside - (uintptr_t)inside % PAGE;
    for (int i = 0; i < LIBRARY_PAGES_MAX; i++, page -= PAGE) {
        const void *bytes = page;
        const Elf64_Ehdr *header = bytes;
        if (is_readable(page) && text_same_bytes(page, ELFMAG, SELFMAG) && header->e_type == ET_DYN &&
            header->e_phentsize == sizeof(Elf64_Phdr))
            return header;
    }
    return NULL;
}

static const Elf64_Dyn *find_dynamic(const Elf64_Ehdr *header) {
    const char *base = (const char *)header;
    const void *table = base + header->e_phoff;
    const Elf64_Phdr *segments = table;
    for (int i = 0; i < header->e_phnum; i++) {
        const void *dynamic = base + segments[i].p_vaddr;
        if (segments[i].p_type == PT_DYNAMIC)
            return dynamic;
    }
    return NULL;
}

/* glibc adds the base to the addresses of a dynamic section in memory, musl leaves them as they are. */
static const void *address(const char *base, Elf64_Addr value) {
    return value < (uintptr_t)base ? base + value : base + (value - (uintptr_t)base);
}

static bool open_library(struct library *ret) {
    union {
        int *(*function)(void);
        const char *address;
    } inside = {.function = preload_errno_location};
    const Elf64_Ehdr *header = inside.address == NULL ? NULL : find_header(inside.address);
    const Elf64_Dyn *dynamic = header == NULL ? NULL : find_dynamic(header);
    if (dynamic == NULL)
        return false;
    *ret = (struct library){.base = (const char *)header};
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const void *place = address(ret->base, dynamic->d_un.d_ptr);
        if (dynamic->d_tag == DT_SYMTAB)
            ret->symbols = place;
        else if (dynamic->d_tag == DT_STRTAB)
            ret->strings = place;
        else if (dynamic->d_tag == DT_VERSYM)
            ret->versions = place;
        else if (dynamic->d_tag == DT_GNU_HASH)
            ret->hash = place;
    }
    return ret->symbols != NULL && ret->strings != NULL && ret->hash != NULL;
}

static uint32_t hash_of(const char *name) {
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static bool is_wanted(const struct library *library, uint32_t index, const char *name) {
    const Elf64_Sym *symbol = &library->symbols[index];
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && type == STT_FUNC &&
           (library->versions == NULL || (library->versions[index] & VERSION_HIDDEN) == 0) &&
           text_same(library->strings + symbol->st_name, name);
}

/* The section: number of buckets, first symbol in it, number of words in the filter (64 bits each), its shift; the
 * filter; the buckets; one hash for each symbol, whose last bit ends a chain. */
void *preload_symbol(const char *name) {
    struct library library;
    if (!open_library(&library))
        return NULL;
    uint32_t buckets_count = library.hash[0], first = library.hash[1], filter_count = library.hash[2];
    const uint32_t *buckets = library.hash + 4 + 2 * filter_count;
    const uint32_t *chains = buckets + buckets_count;
    uint32_t hash = hash_of(name);
    uint32_t index = buckets_count == 0 ? 0 : buckets[hash % buckets_count];
    union {
        const char *from;
        void *to;
    } found;
    if (index < first)
        return NULL;
    for (;; index++) {
        uint32_t other = chains[index - first];
        if ((other | 1) == (hash | 1) && is_wanted(&library, index, name)) {
            found.from = library.base + library.symbols[index].st_value;
            return found.to;
        }
        if ((other & 1) != 0)
            return NULL;
    }
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

static const char *name_of(enum preload_function function) {
    switch (function) {
    case REAL_POSIX_SPAWN:
        return "posix_spawn";
    case REAL_POSIX_SPAWNP:
        return "posix_spawnp";
    case REAL_SYSTEM:
        return "system";
    case REAL_POPEN:
        return "popen";
    case REAL_COUNT:
        break;
    }
    return "";
}

void *preload_real(enum preload_function function) {
    static void *cache[REAL_COUNT]; /* whoever else looks at the same time finds the same */
    void *found = __atomic_load_n(&cache[function], __ATOMIC_RELAXED);
    if (found == NULL && preload_dlsym != NULL)
        found = preload_dlsym(RTLD_NEXT, name_of(function));
    if (found == NULL)
        found = preload_symbol(name_of(function));
    __atomic_store_n(&cache[function], found, __ATOMIC_RELAXED);
    return found;
}

bool preload_is_musl(void) {
    struct library library;
    return open_library(&library) && preload_symbol("gnu_get_libc_version") == NULL;
}
