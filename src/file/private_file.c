/* private_file.c - reads a small file that may hold secrets; see private_file.h. */
#include "private_file.h"

#include "regular_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end of the file, at most `size` bytes. */
static ssize_t read_all(int fd, char *room, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, room + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

bool private_file_read(struct private_file *file, const char *path, const char **fault)
{
    struct stat status;
    *file = (struct private_file){0};
    int fd = regular_file_open(path, fault);
    if (fd < 0)
        return false;
    errno = 0;
    *fault = "out of memory";
    if (!secret_reserve(&file->text, PRIVATE_FILE_LIMIT + 1))
        goto fail;
    ssize_t length = read_all(fd, file->text.bytes, file->text.length);
    if (length < 0 || fstat(fd, &status) != 0) {
        *fault = strerror(errno);
        goto fail;
    }
    *fault = "it is larger than 64 KB";
    if ((size_t)length > PRIVATE_FILE_LIMIT)
        goto fail;
    file->text.length = (size_t)length; /* zeros follow */
    file->mode = status.st_mode & 07777;
    close(fd);
    return true;

fail:
    close(fd);
    secret_wipe(&file->text);
    return false;
}
