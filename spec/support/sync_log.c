/* sync_log.c - a preloaded fsync() and fdatasync() for specs, which append their names to the file
 * that SYNC_LOG names. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int note(const char *name)
{
    int log = open(getenv("SYNC_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)!write(log, name, strlen(name));
    return close(log);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    (void)fd;
    return note("fsync ");
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return note("fdatasync ");
}
