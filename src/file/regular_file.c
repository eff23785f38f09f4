/* regular_file.c - opens and reads regular files; see regular_file.h. */
#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int regular_file_open(const char *path, const char **fault)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *fault = strerror(errno);
        return -1;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    errno = 0;
    *fault = "it is not a regular file";
    return -1;
}

int64_t regular_file_size(int fd, const char **fault)
{
    struct stat status;
    if (fstat(fd, &status) == 0)
        return status.st_size;
    *fault = strerror(errno);
    return -1;
}

static ssize_t read_at(int fd, char *bytes, size_t size, size_t offset)
{
    ssize_t got;
    do
        got = pread(fd, bytes, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got;
}

bool regular_file_read(int fd, char *bytes, size_t size, const char **fault)
{
    char more;
    ssize_t got;
    for (size_t length = 0; length < size; length += (size_t)got) {
        got = read_at(fd, bytes + length, size - length, length);
        if (got <= 0)
            goto fail;
    }
    got = read_at(fd, &more, 1, size);
    if (got == 0)
        return true;
fail:
    *fault = got < 0 ? strerror(errno) : "its size has changed";
    return false;
}
