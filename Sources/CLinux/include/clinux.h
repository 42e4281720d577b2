// System calls that Swift's `Glibc` module leaves out, and an instruction that Swift has no name for. Header only: no code of ours is compiled as C.
// GNU-only prototypes are redeclared because the importer does not define _GNU_SOURCE.
#pragma once

#include <stdint.h>
#include <signal.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/file.h>
#include <unistd.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <malloc.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int descriptors[2], int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);

// O_DIRECT is a GNU name, and differs between processors.
static const int carillon_open_direct = __O_DIRECT;

// pidfd_open has no glibc wrapper before 2.36.
static inline int carillon_pidfd_open(pid_t process, unsigned int flags) {
    return (int)syscall(434, process, flags);
}

// glibc 2.34 and later.
extern int posix_spawn_file_actions_addclosefrom_np(
    posix_spawn_file_actions_t *actions, int lowest);

// The macros of <malloc.h> are negative numbers, which Swift does not import.
static inline int carillon_map_buffers(int least_bytes, int kept_bytes) {
    return mallopt(M_MMAP_THRESHOLD, least_bytes) && mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

// CRC-32C by the processor's own instruction, eight bytes a step. To be called only if
// `carillon_has_crc32c` says that there is one.
#if defined(__x86_64__)
static inline int carillon_has_crc32c(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 20));
}

__attribute__((target("sse4.2")))
static inline uint32_t carillon_crc32c(uint32_t value, const uint8_t *bytes, size_t count) {
    uint64_t wide = value;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    value = (uint32_t)wide;
    for (; count > 0; bytes++, count--) value = __builtin_ia32_crc32qi(value, *bytes);
    return value;
}
#elif defined(__aarch64__)
static inline int carillon_has_crc32c(void) {
    return (getauxval(AT_HWCAP) & (1ul << 7)) != 0; // HWCAP_CRC32
}

__attribute__((target("crc")))
static inline uint32_t carillon_crc32c(uint32_t value, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        value = __builtin_arm_crc32cd(value, word);
    }
    for (; count > 0; bytes++, count--) value = __builtin_arm_crc32cb(value, *bytes);
    return value;
}
#else
static inline int carillon_has_crc32c(void) { return 0; }

static inline uint32_t carillon_crc32c(uint32_t value, const uint8_t *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return value;
}
#endif
