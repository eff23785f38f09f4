/* locked_file.c - a file that one holder at a time reads and replaces; see locked_file.h. */
#include "locked_file.h"

#include "forked.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS 40 /* the limit of Linux */
#define MAX_SET_ASIDE 1000

#define LOCK_SUFFIX ".lock"
#define BAD_SUFFIX ".bad"

struct locked_file {
    struct forked forked;
    atomic_uint references;
    atomic_bool lost;      /* released, or inherited */
    atomic_bool inherited; /* this is a forked child, and the descriptors are closed */
    int directory_fd, lock_fd;
    char name[NAME_MAX + 1];
    char lock_name[NAME_MAX + sizeof LOCK_SUFFIX];
};

const char *locked_file_fault(int code)
{
    switch (code) {
    case LOCKED_FILE_BUSY:
        return "it is locked by another holder";
    case LOCKED_FILE_LOST:
        return "its lock is no longer held";
    case LOCKED_FILE_TYPE:
        return "it is not a regular file";
    case LOCKED_FILE_LINKS:
        return "it has several names (hard links), which a replacement would separate";
    case LOCKED_FILE_LARGE:
        return "it is too large";
    case LOCKED_FILE_THREAD:
        return "no thread can be started";
    case LOCKED_FILE_SLOW:
        return "the disk does not respond";
    case LOCKED_FILE_ABSENT:
        return "it does not exist";
    default:
        return strerror(code);
    }
}

/* ---- life ---- */

static void close_descriptors(const struct locked_file *file)
{
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    if (file->directory_fd >= 0)
        close(file->directory_fd);
}

/* A child closes the descriptors, so that the lock ends with the parent. */
static void begin_child(struct forked *forked)
{
    struct locked_file *file =
        (struct locked_file *)((char *)forked - offsetof(struct locked_file, forked));
    if (!file->inherited)
        close_descriptors(file);
    file->lost = file->inherited = true;
}

static struct locked_file *file_new(void)
{
    struct locked_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->references = 1;
    file->directory_fd = file->lock_fd = -1;
    if (forked_watch(&file->forked, begin_child))
        return file;
    free(file);
    return NULL;
}

void locked_file_retain(struct locked_file *file)
{
    atomic_fetch_add(&file->references, 1);
}

void locked_file_free(struct locked_file *file)
{
    if (atomic_fetch_sub(&file->references, 1) > 1)
        return;
    forked_forget(&file->forked);
    if (!file->inherited)
        close_descriptors(file);
    free(file);
}

/* ---- from a path to a directory and a name in it ---- */

/* Splits the path into a directory, which is opened relative to the current one, and a name. */
static int enter_directory(struct locked_file *file, char *path)
{
    char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *directory = !slash ? "." : slash == path ? "/" : path;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return LOCKED_FILE_TYPE;
    if (strlen(name) > NAME_MAX)
        return ENAMETOOLONG;
    strcpy(file->name, name);
    if (slash)
        *slash = '\0';
    int from = file->directory_fd >= 0 ? file->directory_fd : AT_FDCWD;
    int fd = openat(from, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd < 0 ? errno : 0;
    if (file->directory_fd >= 0)
        close(file->directory_fd);
    file->directory_fd = fd;
    return code;
}

static int resolve(struct locked_file *file, const char *path)
{
    char rest[PATH_MAX];
    if (strlen(path) >= sizeof rest)
        return ENAMETOOLONG;
    strcpy(rest, path);
    for (int links = 0; links < MAX_LINKS; links++) {
        int code = enter_directory(file, rest);
        if (code)
            return code;
        ssize_t length = readlinkat(file->directory_fd, file->name, rest, sizeof rest - 1);
        if (length < 0) /* EINVAL: not a link; ENOENT: no such file yet */
            return errno == EINVAL || errno == ENOENT ? 0 : errno;
        rest[length] = '\0';
    }
    return ELOOP;
}

/* Returns ENOENT if the file does not exist. */
static int check_type(const struct locked_file *file, struct stat *status)
{
    if (fstatat(file->directory_fd, file->name, status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    return S_ISREG(status->st_mode) ? 0 : LOCKED_FILE_TYPE;
}

static int check_target(const struct locked_file *file)
{
    struct stat status;
    int code = check_type(file, &status);
    if (code)
        return code == ENOENT ? 0 : code;
    return status.st_nlink > 1 ? LOCKED_FILE_LINKS : 0;
}

/* ---- the lock ---- */

static bool is_in_place(const struct locked_file *file)
{
    struct stat own, there;
    return fstat(file->lock_fd, &own) == 0 &&
           fstatat(file->directory_fd, file->lock_name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

/* Opens `NAME.lock`. What root makes belongs to the owner of the directory: otherwise the programs
 * that it is for could never take the lock. Only a new file: it cannot be somebody else's. */
static int open_lock(const struct locked_file *file)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    struct stat status;
    int fd = openat(file->directory_fd, file->lock_name, flags | O_CREAT | O_EXCL, 0600);
    if (fd < 0 && errno == EEXIST) /* without O_EXCL it may be made again, after a removal */
        return openat(file->directory_fd, file->lock_name, flags | O_CREAT, 0600);
    if (fd >= 0 && geteuid() == 0 && fstat(file->directory_fd, &status) == 0 && status.st_uid != 0)
        (void)!fchown(fd, status.st_uid, status.st_gid);
    return fd;
}

/* If `NAME.lock` is removed between its opening and the flock(), the lock is on an unlinked inode,
 * and excludes no other holder. So its name is checked afterwards. */
static int take_lock(struct locked_file *file)
{
    struct stat status;
    snprintf(file->lock_name, sizeof file->lock_name, "%s" LOCK_SUFFIX, file->name);
    file->lock_fd = open_lock(file);
    if (file->lock_fd < 0 || fstat(file->lock_fd, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return LOCKED_FILE_TYPE;
    if (flock(file->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? LOCKED_FILE_BUSY : errno;
    return is_in_place(file) ? 0 : LOCKED_FILE_BUSY;
}

int locked_file_open(struct locked_file **file, const char *path)
{
    *file = NULL;
    struct locked_file *made = file_new();
    if (!made)
        return ENOMEM;
    int code = resolve(made, path);
    if (!code)
        code = check_target(made);
    if (!code)
        code = take_lock(made);
    if (code)
        locked_file_free(made);
    else
        *file = made;
    return code;
}

bool locked_file_is_held(const struct locked_file *file)
{
    return !file->lost && is_in_place(file);
}

bool locked_file_is_inherited(const struct locked_file *file)
{
    return file->inherited;
}

void locked_file_release(struct locked_file *file)
{
    if (!atomic_exchange(&file->lost, true))
        flock(file->lock_fd, LOCK_UN);
}

/* ---- reading ---- */

static int append_all(int fd, struct buffer *text)
{
    char piece[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        switch (buffer_append(text, piece, (size_t)got, LOCKED_FILE_LIMIT)) {
        case BUFFER_OK:
            break;
        case BUFFER_FULL:
            return LOCKED_FILE_LARGE;
        case BUFFER_NO_MEMORY:
            return ENOMEM;
        }
    }
}

int locked_file_read(struct locked_file *file, struct buffer *text)
{
    struct stat status;
    if (!locked_file_is_held(file))
        return LOCKED_FILE_LOST;
    int fd = openat(
        file->directory_fd, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return LOCKED_FILE_ABSENT;
    if (fd < 0)
        return errno == ELOOP ? LOCKED_FILE_TYPE : errno; /* ELOOP: it is a link now */
    int code = fstat(fd, &status) != 0    ? errno
               : !S_ISREG(status.st_mode) ? LOCKED_FILE_TYPE
                                          : append_all(fd, text);
    close(fd);
    return code;
}

/* ---- writing ---- */

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, text, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        text += put;
        length -= (size_t)put;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* EPERM is ignored, since few users may change the owner. */
static int copy_mode_and_owner(int fd, const struct stat *status)
{
    if (fchown(fd, status->st_uid, status->st_gid) != 0 && errno != EPERM)
        return errno;
    return fchmod(fd, status->st_mode & 07777) == 0 ? 0 : errno;
}

/* Writes the new file to `name`, and removes one that a killed process has left there. */
static int write_new(struct locked_file *file, const char *name, const char *text, size_t length)
{
    struct stat status;
    int code = check_type(file, &status);
    bool is_new = code == ENOENT;
    if (code && !is_new)
        return code;
    (void)unlinkat(file->directory_fd, name, 0);
    int fd = openat(
        file->directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno;
    code = is_new ? 0 : copy_mode_and_owner(fd, &status);
    if (!code)
        code = write_all(fd, text, length);
    if (close(fd) != 0 && !code)
        code = errno;
    return code;
}

/* Some file systems cannot sync a directory, and return EINVAL. */
static int sync_directory(const struct locked_file *file)
{
    return fsync(file->directory_fd) == 0 || errno == EINVAL ? 0 : errno;
}

int locked_file_replace(struct locked_file *file, const char *text, size_t length)
{
    char name[NAME_MAX + 8];
    if (!locked_file_is_held(file))
        return LOCKED_FILE_LOST;
    snprintf(name, sizeof name, ".%s.new", file->name);
    int code = write_new(file, name, text, length);
    if (!code && !locked_file_is_held(file)) /* lost during a slow write */
        code = LOCKED_FILE_LOST;
    if (!code && renameat(file->directory_fd, name, file->directory_fd, file->name) != 0)
        code = errno;
    if (code) {
        (void)unlinkat(file->directory_fd, name, 0);
        return code;
    }
    return sync_directory(file);
}

int locked_file_set_aside(struct locked_file *file, char *suffix, size_t size)
{
    struct stat status;
    char name[NAME_MAX + 16];
    if (!locked_file_is_held(file))
        return LOCKED_FILE_LOST;
    for (unsigned number = 1; number < MAX_SET_ASIDE; number++) {
        snprintf(suffix, size, number == 1 ? BAD_SUFFIX : BAD_SUFFIX ".%u", number);
        snprintf(name, sizeof name, "%s%s", file->name, suffix);
        if (fstatat(file->directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        if (renameat(file->directory_fd, file->name, file->directory_fd, name) != 0)
            return errno;
        return sync_directory(file);
    }
    return EEXIST;
}
