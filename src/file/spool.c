/* spool.c - a directory of entries: opening and appending; see spool.h. */
#include "spool.h"

#include "forked.h"
#include "spool_entry.h"
#include "spool_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct spool {
    struct forked forked;
    char *path;
    uint64_t segment_size;
    int directory;       /* carries the lock */
    int segment;         /* for appending; -1: none is open */
    bool is_name_synced; /* the name of the segment is on the disk */
    bool is_inner;       /* see spool_open_inner() */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Opens a directory that is open, with a lock of its own. */
static int open_again(int *again, int directory)
{
    *again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *again < 0 ? errno : 0;
}

/* A lock by a description that parent and child share would be one lock of both. */
static void begin_child(struct forked *forked)
{
    struct spool *spool = (struct spool *)((char *)forked - offsetof(struct spool, forked));
    int own;
    (void)open_again(&own, spool->directory);
    close_fd(&spool->directory);
    close_fd(&spool->segment);
    spool->directory = own;
}

/* ---- the directory ---- */

/* Syncs the name of the directory. */
static void sync_parent(int directory)
{
    int parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        (void)fsync(parent);
        close(parent);
    }
}

/* Gives a directory that root has made to the owner of the one that it is in. */
static void give_away(int directory)
{
    struct stat own, outer;
    int parent = geteuid() == 0 ? openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (parent < 0)
        return;
    if (fstat(directory, &own) == 0 && own.st_uid == 0 && fstat(parent, &outer) == 0 &&
        outer.st_uid != 0)
        (void)!fchown(directory, outer.st_uid, outer.st_gid);
    close(parent);
}

/* The owner of the outer directory must not be able to have root give away another one, by a link.
 */
static int open_directory(struct spool *spool)
{
    close_fd(&spool->directory);
    close_fd(&spool->segment);
    int fault = mkdir(spool->path, 0700) == 0 ? 0 : errno;
    bool is_given = !fault && spool->is_inner;
    spool->directory =
        open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_given ? O_NOFOLLOW : 0));
    if (spool->directory < 0)
        return fault && fault != EEXIST ? fault : errno;
    if (is_given)
        give_away(spool->directory);
    return 0;
}

/* `directory`: a descriptor of the directory; -1: it is opened by its path. */
static int make(struct spool **spool, const struct spool *like, int directory)
{
    *spool = NULL;
    struct spool *made = calloc(1, sizeof *made);
    if (!made)
        return ENOMEM;
    made->directory = made->segment = -1;
    made->segment_size = like->segment_size;
    made->is_inner = like->is_inner;
    made->path = strdup(like->path);
    int code = !made->path     ? ENOMEM
               : directory < 0 ? open_directory(made)
                               : open_again(&made->directory, directory);
    if (!code && !forked_watch(&made->forked, begin_child))
        code = ENOMEM;
    if (!code) {
        *spool = made;
        return 0;
    }
    close_fd(&made->directory);
    free(made->path);
    free(made);
    return code;
}

int spool_open(struct spool **spool, const char *path, uint64_t segment_size)
{
    struct spool like = {.path = (char *)(intptr_t)path, .segment_size = segment_size};
    return make(spool, &like, -1);
}

int spool_open_inner(struct spool **spool, const char *path, uint64_t segment_size)
{
    struct spool like = {
        .path = (char *)(intptr_t)path, .segment_size = segment_size, .is_inner = true};
    return make(spool, &like, -1);
}

int spool_copy(struct spool **copy, const struct spool *spool)
{
    *copy = NULL;
    if (spool->directory < 0)
        return EBADF;
    return make(copy, spool, spool->directory);
}

void spool_free(struct spool *spool)
{
    forked_forget(&spool->forked);
    close_fd(&spool->directory);
    close_fd(&spool->segment);
    free(spool->path);
    free(spool);
}

int spool_directory(const struct spool *spool)
{
    return spool->directory;
}

/* ---- the lock ---- */

static int lock(const struct spool *spool, int how)
{
    int result;
    do
        result = flock(spool->directory, how);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

bool spool_lock_alone(struct spool *spool)
{
    return lock(spool, LOCK_EX | LOCK_NB) == 0;
}

void spool_unlock(struct spool *spool)
{
    (void)lock(spool, LOCK_UN);
}

/* ---- the segment that entries are appended to ---- */

/* Whether the open segment takes entries, which the lock keeps true. */
static bool is_current(const struct spool *spool)
{
    struct stat status;
    return spool->segment >= 0 && fstat(spool->segment, &status) == 0 && status.st_nlink > 0 &&
           !spool_segment_is_sealed(&status) && (uint64_t)status.st_size < spool->segment_size;
}

/* Opens the last segment. With the exclusive lock: seals it if it is full, and makes another one.
 */
static int find_segment(struct spool *spool)
{
    struct stat status;
    uint64_t number;
    close_fd(&spool->segment);
    spool->is_name_synced = false;
    int code = spool_segment_last(spool->directory, &number);
    if (code)
        return code;
    if (number) {
        int fd = spool_segment_open(spool->directory, number, O_WRONLY | O_APPEND);
        if (fd >= 0 && fstat(fd, &status) == 0 && !spool_segment_is_sealed(&status)) {
            if ((uint64_t)status.st_size < spool->segment_size) {
                spool->segment = fd;
                return 0;
            }
            (void)spool_segment_seal(fd);
        } else if (fd < 0 && errno != EACCES) { /* another user's */
            return errno;
        }
        close_fd(&fd);
    }
    spool->segment = spool_segment_make(spool->directory, number, &number);
    return spool->segment < 0 ? errno : 0;
}

/* Takes the lock, shared where that suffices, and has a segment that takes entries. */
static int enter(struct spool *spool)
{
    int code = lock(spool, LOCK_SH);
    if (code || is_current(spool))
        return code;
    code =
        lock(spool, LOCK_EX); /* gives up the shared lock first, so others may have come before */
    if (!code && !is_current(spool))
        code = find_segment(spool);
    return code;
}

/* The directory may have been removed. */
static int enter_again(struct spool *spool)
{
    int code = spool->directory < 0 ? ENOENT : enter(spool);
    if (code != ENOENT)
        return code;
    spool_unlock(spool);
    code = open_directory(spool);
    return code ? code : enter(spool);
}

/* ---- appending ---- */

/* Removes the part of an entry, so that the disk does not fill up with them. Others may have
 * appended since; then it stays. */
static void cut(struct spool *spool, size_t length)
{
    struct stat status;
    off_t end = lseek(spool->segment, 0, SEEK_CUR);
    if (spool_lock_alone(spool) && fstat(spool->segment, &status) == 0 && status.st_size == end)
        (void)!ftruncate(spool->segment, end - (off_t)length);
}

static int write_entry(struct spool *spool, const char *text, size_t length)
{
    char header[SPOOL_HEADER];
    ssize_t wrote;
    spool_entry_write(header, (uint32_t)time(NULL), text, length);
    const struct iovec parts[] = {{header, sizeof header}, {(char *)(uintptr_t)text, length}};
    do
        wrote = writev(spool->segment, parts, 2);
    while (wrote < 0 && errno == EINTR);
    if (wrote == (ssize_t)(sizeof header + length))
        return 0;
    int code = wrote < 0 ? errno : ENOSPC; /* why a write was cut short is not said */
    if (wrote > 0)
        cut(spool, (size_t)wrote);
    return code;
}

/* Syncs the last entry. Without the lock: others go on. */
static int sync_entry(struct spool *spool)
{
    if (fdatasync(spool->segment) != 0)
        return errno;
    if (spool->is_name_synced)
        return 0;
    if (fsync(spool->directory) != 0 && errno != EINVAL) /* some file systems cannot */
        return errno;
    sync_parent(spool->directory); /* the maker of the directory may have been killed */
    spool->is_name_synced = true;
    return 0;
}

int spool_append(struct spool *spool, const char *text, size_t length, bool sync)
{
    if (length > SPOOL_LONGEST)
        return EMSGSIZE;
    if (!spool_entry_takes(text, length))
        return EINVAL;
    int code = enter_again(spool);
    if (!code)
        code = write_entry(spool, text, length);
    spool_unlock(spool);
    return !code && sync ? sync_entry(spool) : code;
}
