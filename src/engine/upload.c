/* upload.c - the body of a request in parts; see upload.h. */
#include "upload.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

uint64_t upload_length(const struct request *request)
{
    uint64_t length = 0;
    for (size_t i = 0; i < request->part_count; i++)
        length += request->parts[i].length;
    return length;
}

/* Copies from one part. Returns how much, or a negative number if the file has no such bytes. */
static ssize_t read_part(const struct body_part *part, uint64_t offset, char *bytes, size_t room)
{
    uint64_t left = part->length - offset;
    size_t length = left < room ? (size_t)left : room;
    if (!part->bytes) {
        ssize_t read = pread(part->fd, bytes, length, (off_t)offset);
        return read == 0 ? -1 : read;
    }
    memcpy(bytes, part->bytes + offset, length);
    return (ssize_t)length;
}

size_t upload_read(char *bytes, size_t size, size_t count, void *user)
{
    struct upload *upload = user;
    uint64_t offset = upload->offset;
    for (size_t i = 0; i < upload->request->part_count; i++) {
        const struct body_part *part = &upload->request->parts[i];
        if (offset < part->length) {
            ssize_t length = read_part(part, offset, bytes, size * count);
            if (length < 0) {
                upload->broken = true;
                return CURL_READFUNC_ABORT;
            }
            upload->offset += (uint64_t)length;
            return (size_t)length;
        }
        offset -= part->length;
    }
    return 0;
}

int upload_seek(void *user, int64_t offset, int origin)
{
    struct upload *upload = user;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    upload->offset = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

bool upload_open(struct body_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].bytes)
            continue;
        parts[i].fd = fcntl(parts[i].fd, F_DUPFD_CLOEXEC, 0);
        if (parts[i].fd < 0) {
            upload_close(parts, i);
            return false;
        }
    }
    return true;
}

void upload_close(const struct body_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!parts[i].bytes)
            close(parts[i].fd);
}
