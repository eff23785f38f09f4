/* slow_disk.c - a disk for specs, preloaded into a program: fsync() blocks as long as the file that
 * SLOW_DISK_GATE names does not exist, and fails while the one that SLOW_DISK_FULL names does. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int exists(const char *variable)
{
    const char *path = getenv(variable);
    return path && access(path, F_OK) == 0;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    while (getenv("SLOW_DISK_GATE") && !exists("SLOW_DISK_GATE"))
        usleep(5000);
    if (exists("SLOW_DISK_FULL")) {
        errno = ENOSPC;
        return -1;
    }
    return fdatasync(fd);
}
