/* Fails, tears or ends a process at its n-th file operation below a directory.

   Loaded by LD_PRELOAD; see crash.py, which builds it. What is counted changes files:
   opening to write, writing, cutting, forcing to the drive, renaming, removing, making
   directories. Reading is not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OFF, COUNT, KILL, TEAR, ENDS_FULL, ONE_EIO, INTERRUPT, POWER };

static int mode = OFF, journal = -1;
static long target = 0, done = 0;
static char below[4096];

/* Called by the test before it does what is to be cut short. */
void crash_arm(const char *directory, int how, long at, int undo) {
    strncpy(below, directory, sizeof below - 1);
    done = 0;
    target = at;
    journal = undo;
    mode = how;
}

long crash_count(void) { return done; }
void crash_off(void) { mode = OFF; }

static int concerns(const char *path) {
    return mode != OFF && path != NULL && strncmp(path, below, strlen(below)) == 0;
}

static int concerns_fd(int fd) {
    char link[64], path[4096];
    if (mode == OFF) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return concerns(path);
}

/* Returns 0 if the operation is to be done, else what to set errno to. A full disk still lets
   files be cut, removed and renamed. */
static int now_(int needs_room) {
    long n = __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
    if (mode == ENDS_FULL && needs_room && n >= target) return ENOSPC;
    if (n != target) return 0;
    if (mode == KILL || mode == POWER) raise(SIGKILL);
    if (mode == ONE_EIO) return EIO;
    if (mode == INTERRUPT) raise(SIGINT);
    return 0;
}

static int tears(void) { return mode == TEAR && __atomic_load_n(&done, __ATOMIC_SEQ_CST) == target; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct entry { uint64_t inode, offset, before, size, bytes; };

/* Notes what a write replaces, for a drive that loses what was not forced to it. */
static void note(int fd, uint64_t offset, size_t count, int synced) {
    struct stat about;
    static ssize_t (*write_)(int, const void *, size_t) = NULL;
    if (journal < 0 || fstat(fd, &about) != 0) return;
    if (write_ == NULL) write_ = REAL(write);
    struct entry e = { about.st_ino, offset, 0, about.st_size, 0 };
    if (synced) {
        e.before = UINT64_MAX;
        write_(journal, &e, sizeof e);
        return;
    }
    char *old = malloc(count);
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int again = REAL(open64)(link, O_RDONLY);
    ssize_t got = again < 0 ? 0 : REAL(pread64)(again, old, count, offset);
    if (again >= 0) close(again);
    e.bytes = got > 0 ? got : 0;
    write_(journal, &e, sizeof e);
    if (e.bytes) write_(journal, old, e.bytes);
    free(old);
}

#define OR_FAIL_IF(needs_room, failed) do { int error = now_(needs_room); if (error) { errno = error; return failed; } } while (0)
#define OR_FAIL(failed) OR_FAIL_IF(1, failed)
#define THEN(type, call) do { type result = call; if (tears()) raise(SIGKILL); return result; } while (0)

#define WRITES(flags) (((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0)
#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t how = va_arg(rest, mode_t); va_end(rest); \
        if (!WRITES(flags) || !concerns(path)) return REAL(name)(path, flags, how); \
        OR_FAIL(-1); \
        THEN(int, REAL(name)(path, flags, how)); \
    }
OPENS(open)
OPENS(open64)
#define OPENS_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t how = va_arg(rest, mode_t); va_end(rest); \
        if (!WRITES(flags) || !concerns(path)) return REAL(name)(at, path, flags, how); \
        OR_FAIL(-1); \
        THEN(int, REAL(name)(at, path, flags, how)); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

ssize_t write(int fd, const void *content, size_t count) {
    if (!concerns_fd(fd)) return REAL(write)(fd, content, count);
    OR_FAIL(-1);
    if (tears() && count) { REAL(write)(fd, content, count / 2); raise(SIGKILL); }
    note(fd, lseek64(fd, 0, SEEK_CUR), count, 0);
    return REAL(write)(fd, content, count);
}

#define WRITES_AT(name, offset_t) \
    ssize_t name(int fd, const void *content, size_t count, offset_t offset) { \
        if (!concerns_fd(fd)) return REAL(name)(fd, content, count, offset); \
        OR_FAIL(-1); \
        if (tears() && count) { REAL(name)(fd, content, count / 2, offset); raise(SIGKILL); } \
        note(fd, offset, count, 0); \
        return REAL(name)(fd, content, count, offset); \
    }
WRITES_AT(pwrite, off_t)
WRITES_AT(pwrite64, off64_t)

#define BY_FD(name, needs_room, arguments, call) \
    int name arguments { \
        if (!concerns_fd(fd)) return REAL(name) call; \
        OR_FAIL_IF(needs_room, -1); \
        THEN(int, REAL(name) call); \
    }
BY_FD(ftruncate, 0, (int fd, off_t size), (fd, size))
BY_FD(ftruncate64, 0, (int fd, off64_t size), (fd, size))
BY_FD(fallocate, 1, (int fd, int how, off_t offset, off_t size), (fd, how, offset, size))

#define SYNCS(name) \
    int name(int fd) { \
        if (!concerns_fd(fd)) return REAL(name)(fd); \
        OR_FAIL(-1); \
        int result = REAL(name)(fd); \
        note(fd, 0, 0, 1); \
        if (tears()) raise(SIGKILL); \
        return result; \
    }
SYNCS(fsync)
SYNCS(fdatasync)

#define BY_PATH(name, needs_room, arguments, call) \
    int name arguments { \
        if (!concerns(path)) return REAL(name) call; \
        OR_FAIL_IF(needs_room, -1); \
        THEN(int, REAL(name) call); \
    }
BY_PATH(rename, 0, (const char *path, const char *to), (path, to))
BY_PATH(link, 1, (const char *path, const char *to), (path, to))
BY_PATH(unlink, 0, (const char *path), (path))
BY_PATH(remove, 0, (const char *path), (path))
BY_PATH(rmdir, 0, (const char *path), (path))
BY_PATH(mkdir, 1, (const char *path, mode_t how), (path, how))
BY_PATH(chmod, 0, (const char *path, mode_t how), (path, how))

int unlinkat(int at, const char *path, int flags) {
    if (mode == OFF || (path[0] == '/' ? !concerns(path) : !concerns_fd(at)))
        return REAL(unlinkat)(at, path, flags);
    OR_FAIL_IF(0, -1);
    THEN(int, REAL(unlinkat)(at, path, flags));
}

int renameat(int at, const char *path, int to_at, const char *to) {
    if (mode == OFF || !concerns(path)) return REAL(renameat)(at, path, to_at, to);
    OR_FAIL_IF(0, -1);
    THEN(int, REAL(renameat)(at, path, to_at, to));
}
