/* slow_disk.c - a preloaded fsync() for specs. It blocks while the file named by SLOW_DISK_GATE
 * does not exist, and fails while the file named by SLOW_DISK_FULL exists. */
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
