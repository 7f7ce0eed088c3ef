/* Linux system calls without a C library, for x86-64 and arm64.
 *
 * The shim has no C library, because that is what makes its exec cheap; the preload library may not call the one of the
 * process it lies in: it runs in a vfork()ed child, in a signal handler, under glibc or musl, and a call through the
 * library could be interposed by someone else. Every function returns what the kernel does: a result, or -errno, and
 * changes no errno. Sources: syscall(2), "Architecture calling conventions"; asm/unistd.h of both. */
#ifndef WRAP_SYSCALLS_H
#define WRAP_SYSCALLS_H

#include <asm/unistd.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

#if defined(__x86_64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory", "cc");
    return x0;
}

#else
#error "brood wraps on x86-64 and arm64"
#endif

static inline long raw_pointer(const void *pointer) {
    return (long)pointer;
}

static inline long raw_execve(const char *path, char *const *argv, char *const *envp) {
    return raw_call(__NR_execve, raw_pointer(path), raw_pointer(argv), raw_pointer(envp), 0, 0);
}

static inline long raw_execveat(int directory, const char *path, char *const *argv, char *const *envp, int flags) {
    return raw_call(__NR_execveat, directory, raw_pointer(path), raw_pointer(argv), raw_pointer(envp), flags);
}

static inline int raw_openat(int directory, const char *path, int flags) {
    return (int)raw_call(__NR_openat, directory, raw_pointer(path), flags, 0, 0);
}

static inline void raw_close(int fd) {
    raw_call(__NR_close, fd, 0, 0, 0, 0);
}

static inline long raw_pread(int fd, void *bytes, size_t size, long offset) {
    return raw_call(__NR_pread64, fd, raw_pointer(bytes), (long)size, offset, 0);
}

static inline long raw_write(int fd, const void *bytes, size_t size) {
    return raw_call(__NR_write, fd, raw_pointer(bytes), (long)size, 0, 0);
}

static inline int raw_fstatat(int directory, const char *path, struct stat *ret, int flags) {
    return (int)raw_call(__NR_newfstatat, directory, raw_pointer(path), raw_pointer(ret), flags, 0);
}

static inline int raw_faccessat(int directory, const char *path, int mode) {
    return (int)raw_call(__NR_faccessat, directory, raw_pointer(path), mode, 0, 0);
}

static inline int raw_getpid(void) {
    return (int)raw_call(__NR_getpid, 0, 0, 0, 0, 0);
}

static inline int raw_getppid(void) {
    return (int)raw_call(__NR_getppid, 0, 0, 0, 0, 0);
}

static inline _Noreturn void raw_exit(int status) {
    for (;;)
        raw_call(__NR_exit_group, status, 0, 0, 0, 0);
}

#endif
