/* spool_segment.c - the files of a spool; see spool_segment.h. */
#include "spool_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DIGITS 16
#define SUFFIX ".log"
#define NAME_SIZE (DIGITS + sizeof SUFFIX)

static void write_name(char *name, uint64_t number)
{
    snprintf(name, NAME_SIZE, "%0*" PRIu64 SUFFIX, DIGITS, number % UINT64_C(10000000000000000));
}

/* The number in a name; 0: it is not the name of a segment. */
static uint64_t number_of(const char *name)
{
    if (strspn(name, "0123456789") != DIGITS || strcmp(name + DIGITS, SUFFIX) != 0)
        return 0;
    return strtoull(name, NULL, 10);
}

/* Reads all names, and sets *first to the lowest number after `after`, and *last to the highest. */
static int scan(int directory, uint64_t after, uint64_t *first, uint64_t *last)
{
    *first = *last = 0;
    int fd =
        openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* with a place of its own */
    if (fd < 0)
        return errno;
    DIR *stream = fdopendir(fd);
    if (!stream) {
        close(fd);
        return ENOMEM;
    }
    struct dirent *entry;
    while (errno = 0, (entry = readdir(stream))) {
        uint64_t number = number_of(entry->d_name);
        if (number > after && (*first == 0 || number < *first))
            *first = number;
        if (number > *last)
            *last = number;
    }
    int code = errno;
    closedir(stream);
    return code;
}

int spool_segment_next(int directory, uint64_t after, uint64_t *number)
{
    uint64_t last;
    return scan(directory, after, number, &last);
}

int spool_segment_last(int directory, uint64_t *number)
{
    uint64_t first;
    return scan(directory, 0, &first, number);
}

int spool_segment_open(int directory, uint64_t number, int flags)
{
    char name[NAME_SIZE];
    write_name(name, number);
    return openat(directory, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
}

/* Without this, what root appends could not be removed, or appended to, by a host that gave up its
 * rights. */
static void give_away(int directory, int fd)
{
    struct stat status;
    if (geteuid() == 0 && fstat(directory, &status) == 0 && status.st_uid != 0)
        (void)!fchown(fd, status.st_uid, status.st_gid);
}

int spool_segment_make(int directory, uint64_t last, uint64_t *number)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *number = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    if (*number <= last)
        *number = last + 1;
    int fd = spool_segment_open(directory, *number, O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
    if (fd >= 0)
        give_away(directory, fd);
    return fd;
}

/* Writers may have the file open for hours yet. Another link, such as a backup's, keeps the bytes.
 */
static void give_room_back(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && status.st_nlink == 0)
        (void)!ftruncate(fd, 0);
}

int spool_segment_unlink(int directory, uint64_t number)
{
    char name[NAME_SIZE];
    write_name(name, number);
    int fd = spool_segment_open(directory, number, O_WRONLY);
    int code = unlinkat(directory, name, 0) == 0 || errno == ENOENT ? 0 : errno;
    if (fd >= 0) {
        if (!code)
            give_room_back(fd);
        close(fd);
    }
    return code;
}

int spool_segment_seal(int fd)
{
    return fchmod(fd, S_ISVTX | 0600) == 0 ? 0 : errno;
}

bool spool_segment_is_sealed(const struct stat *status)
{
    return status->st_mode & S_ISVTX;
}
