/* spool_entry.c - the format of an entry of a spool; see spool_entry.h. */
#include "spool_entry.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* Places in a header. */
enum { STATE = 1, FAILED = 3, PUT = 12, LENGTH = 21, CHECKSUM = 30, DIGITS = 8 };

bool spool_entry_takes(const char *text, size_t length)
{
    return length <= SPOOL_LONGEST && !memchr(text, '\n', length);
}

static void write_hex(char *to, uint32_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = DIGITS - 1; i >= 0; i--, number >>= 4)
        to[i] = digits[number & 15];
}

static bool read_hex(const char *from, uint32_t *number)
{
    *number = 0;
    for (int i = 0; i < DIGITS; i++) {
        char c = from[i];
        if (c >= '0' && c <= '9')
            *number = *number << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *number = *number << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Of the fields before the checksum that do not change, and of the text. */
static uint32_t checksum_of(const char *header, const char *text, size_t length)
{
    uLong sum = crc32(0, (const Bytef *)header + PUT, CHECKSUM - PUT);
    return (uint32_t)crc32(sum, (const Bytef *)text, (uInt)length);
}

void spool_entry_write_mark(char *mark, char state, uint32_t failed_at)
{
    mark[0] = state;
    mark[1] = ' ';
    write_hex(mark + FAILED - STATE, failed_at);
}

void spool_entry_write(char *header, uint32_t put_at, const char *text, size_t length)
{
    memset(header, ' ', SPOOL_HEADER);
    header[0] = '\n';
    spool_entry_write_mark(header + STATE, SPOOL_WAITING, 0);
    write_hex(header + PUT, put_at);
    write_hex(header + LENGTH, (uint32_t)length);
    write_hex(header + CHECKSUM, checksum_of(header, text, length));
}

static bool read_header(const char *header, struct spool_entry *entry, uint32_t *checksum)
{
    uint32_t length;
    if (header[0] != '\n' || header[STATE + 1] != ' ' || header[PUT - 1] != ' ' ||
        header[LENGTH - 1] != ' ' || header[CHECKSUM - 1] != ' ' || header[SPOOL_HEADER - 1] != ' ')
        return false;
    entry->state = header[STATE];
    if (entry->state != SPOOL_WAITING && entry->state != SPOOL_DOUBTFUL &&
        entry->state != SPOOL_DONE)
        return false;
    if (!read_hex(header + FAILED, &entry->failed_at) || !read_hex(header + PUT, &entry->put_at) ||
        !read_hex(header + LENGTH, &length) || !read_hex(header + CHECKSUM, checksum))
        return false;
    entry->length = length;
    return length <= SPOOL_LONGEST;
}

enum spool_reading spool_entry_read(const char *bytes, size_t available, struct spool_entry *entry)
{
    uint32_t checksum;
    *entry = (struct spool_entry){0};
    if (available > 0 && bytes[0] != '\n')
        return SPOOL_READING_DAMAGED;
    if (available < SPOOL_HEADER)
        return available > 1 && memchr(bytes + 1, '\n', available - 1) ? SPOOL_READING_DAMAGED
                                                                       : SPOOL_READING_SHORT;
    if (!read_header(bytes, entry, &checksum))
        return SPOOL_READING_DAMAGED;
    const char *text = bytes + SPOOL_HEADER;
    size_t there = available - SPOOL_HEADER;
    if (memchr(text, '\n', there < entry->length ? there : entry->length))
        return SPOOL_READING_DAMAGED;
    if (there < entry->length)
        return SPOOL_READING_SHORT;
    return checksum_of(bytes, text, entry->length) == checksum ? SPOOL_READING_WHOLE
                                                               : SPOOL_READING_DAMAGED;
}

size_t spool_entry_skip(const char *bytes, size_t available)
{
    const char *next = available > 1 ? memchr(bytes + 1, '\n', available - 1) : NULL;
    return next ? (size_t)(next - bytes) : available;
}
