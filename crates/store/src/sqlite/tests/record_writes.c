/* Preloaded into a process: everything it does to files in one folder goes, in order, into a log,
 * from which a test builds what a device may hold after the power failed.
 * A record: kind (one byte), length of the name, offset, length of the data (eight bytes each), name, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;
static char folder[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("RECORD_FOLDER"), *into = getenv("RECORD_INTO");
    if (!where || !into || !realpath(where, folder)) return;
    journal = syscall(SYS_openat, AT_FDCWD, into, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
}

static void put(const void *bytes, size_t left) {
    const char *next = bytes;
    while (left > 0) {
        ssize_t done = syscall(SYS_write, journal, next, left);
        if (done <= 0) abort();
        next += done;
        left -= done;
    }
}

/* The name below the folder, or nothing for a file elsewhere. */
static const char *below(char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

static const char *name_of(int fd, char *path) {
    char link[64];
    if (journal < 0) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return below(path);
}

static void record(char kind, const char *name, uint64_t offset, const void *bytes, uint64_t length) {
    uint64_t sizes[3] = {strlen(name), offset, length};
    put(&kind, 1);
    put(sizes, sizeof sizes);
    put(name, sizes[0]);
    if (bytes) put(bytes, length);
}

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define WRITE_AT(name)                                                                    \
    ssize_t name(int fd, const void *bytes, size_t count, off_t offset) {                 \
        char path[PATH_MAX];                                                              \
        const char *file = name_of(fd, path);                                             \
        pthread_mutex_lock(&order);                                                       \
        ssize_t done = REAL(ssize_t, name, int, const void *, size_t, off_t)(fd, bytes, count, offset); \
        if (file && done > 0) record('w', file, offset, bytes, done);                     \
        pthread_mutex_unlock(&order);                                                     \
        return done;                                                                      \
    }
WRITE_AT(pwrite)
WRITE_AT(pwrite64)

ssize_t write(int fd, const void *bytes, size_t count) {
    char path[PATH_MAX];
    const char *file = name_of(fd, path);
    pthread_mutex_lock(&order);
    off_t offset = file ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, count);
    if (file && done > 0) record('w', file, offset < 0 ? 0 : offset, bytes, done);
    pthread_mutex_unlock(&order);
    return done;
}

#define TRUNCATE(name)                                              \
    int name(int fd, off_t length) {                                \
        char path[PATH_MAX];                                        \
        const char *file = name_of(fd, path);                       \
        pthread_mutex_lock(&order);                                 \
        int done = REAL(int, name, int, off_t)(fd, length);         \
        if (file && done == 0) record('t', file, length, NULL, 0);  \
        pthread_mutex_unlock(&order);                               \
        return done;                                                \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define FLUSH(name)                                             \
    int name(int fd) {                                          \
        char path[PATH_MAX];                                    \
        const char *file = name_of(fd, path);                   \
        pthread_mutex_lock(&order);                             \
        int done = REAL(int, name, int)(fd);                    \
        if (file && done == 0) record('s', file, 0, NULL, 0);   \
        pthread_mutex_unlock(&order);                           \
        return done;                                            \
    }
FLUSH(fsync)
FLUSH(fdatasync)

int unlink(const char *target) {
    char path[PATH_MAX];
    const char *file = journal >= 0 && realpath(target, path) ? below(path) : NULL;
    pthread_mutex_lock(&order);
    int done = REAL(int, unlink, const char *)(target);
    if (file && done == 0) record('u', file, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
