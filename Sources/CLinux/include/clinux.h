// System calls that Swift's `Glibc` module leaves out. Header only: no code of ours is compiled as C.
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

extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int descriptors[2], int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);

// pidfd_open has no glibc wrapper before 2.36.
static inline int carillon_pidfd_open(pid_t process, unsigned int flags) {
    return (int)syscall(434, process, flags);
}

// glibc 2.34 and later.
extern int posix_spawn_file_actions_addclosefrom_np(
    posix_spawn_file_actions_t *actions, int lowest);
