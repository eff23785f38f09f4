/* spool_reader.c - takes the entries out of a spool; see spool_reader.h. */
#include "spool_reader.h"

#include "spool_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)

/* What is read at once, in bytes; and how many of them take as long as a step itself. Together a
 * millisecond or less. */
#define SLICE ((size_t)512 * 1024)
#define STEP ((size_t)2 * 1024)

/* A segment that is not unlinked yet. */
struct segment {
    TAILQ_ENTRY(segment) link;
    uint64_t number;
    uint64_t waiting; /* entries that were returned and are not done */
    bool has_ended;   /* it is sealed, and was read to its end */
};

struct spool_reader {
    struct spool *spool;
    TAILQ_HEAD(segment_list, segment) segments; /* the last one is read now, unless it has ended */
    int fd;                                     /* of the last one; -1 */
    uint64_t offset;                            /* where the next entry begins */
    uint64_t reported;                          /* the end of the damage that was returned last */
    char *bytes;                                /* of the file, from `bytes_at` on */
    size_t available, capacity;
    uint64_t bytes_at;
    uint64_t slice; /* what was read since the last EINPROGRESS */
};

struct spool_reader *spool_reader_new(struct spool *spool)
{
    struct spool_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->spool = spool;
    reader->fd = -1;
    TAILQ_INIT(&reader->segments);
    return reader;
}

static void close_segment(struct spool_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    reader->offset = reader->reported = reader->bytes_at = 0;
    reader->available = 0;
}

static void forget(struct spool_reader *reader, struct segment *segment)
{
    TAILQ_REMOVE(&reader->segments, segment, link);
    free(segment);
}

void spool_reader_free(struct spool_reader *reader)
{
    struct segment *segment;
    while ((segment = TAILQ_FIRST(&reader->segments)))
        forget(reader, segment);
    close_segment(reader);
    free(reader->bytes);
    free(reader);
}

/* ---- bytes ---- */

static int reserve(struct spool_reader *reader, size_t size)
{
    if (size <= reader->capacity)
        return 0;
    char *bytes = realloc(reader->bytes, size);
    if (!bytes)
        return ENOMEM;
    reader->bytes = bytes;
    reader->capacity = size;
    return 0;
}

/* Reads `size` bytes from that offset on, or up to the end of the file. */
static int fill(struct spool_reader *reader, int fd, uint64_t offset, size_t size)
{
    int code = reserve(reader, size);
    reader->available = 0;
    reader->bytes_at = offset;
    while (!code && reader->available < size) {
        ssize_t got = pread(fd, reader->bytes + reader->available, size - reader->available,
            (off_t)(offset + reader->available));
        if (got == 0)
            break;
        if (got > 0)
            reader->available += (size_t)got;
        else if (errno != EINTR)
            code = errno;
    }
    return code;
}

/* A large buffer is kept only while large entries come. */
static void shrink(struct spool_reader *reader)
{
    if (reader->capacity > PIECE) {
        free(reader->bytes);
        reader->bytes = NULL;
        reader->capacity = reader->available = 0;
    }
}

/* Reads the entry at that offset, from the buffer where it is whole there. */
static int read_entry(struct spool_reader *reader, int fd, uint64_t offset,
    struct spool_entry *entry, enum spool_reading *reading)
{
    size_t size = PIECE;
    if (offset >= reader->bytes_at && offset < reader->bytes_at + reader->available) {
        size_t before = (size_t)(offset - reader->bytes_at);
        *reading = spool_entry_read(reader->bytes + before, reader->available - before, entry);
        if (*reading == SPOOL_READING_WHOLE)
            return 0;
    }
    for (;;) {
        int code = fill(reader, fd, offset, size);
        if (code)
            return code;
        *reading = spool_entry_read(reader->bytes, reader->available, entry);
        if (*reading != SPOOL_READING_SHORT || SPOOL_HEADER + entry->length <= size)
            return 0;
        size = SPOOL_HEADER + entry->length;
    }
}

static void set_item(
    struct spool_reader *reader, uint64_t segment, uint64_t offset, struct spool_item *item)
{
    item->segment = segment;
    item->offset = offset;
    item->text = reader->bytes + (offset - reader->bytes_at) + SPOOL_HEADER;
    item->damaged = 0;
}

/* ---- segments ---- */

static struct segment *current(struct spool_reader *reader)
{
    struct segment *last = TAILQ_LAST(&reader->segments, segment_list);
    return last && !last->has_ended ? last : NULL;
}

/* Opens the first segment after `number`, and sets that. One that is unlinked meanwhile, while
 * entries are counted, is passed. */
static int open_after(struct spool_reader *reader, uint64_t *number)
{
    int directory = spool_directory(reader->spool);
    do {
        int code = spool_segment_next(directory, *number, number);
        if (code || !*number)
            return code ? code : ENOENT;
        reader->fd = spool_segment_open(directory, *number, O_RDWR);
    } while (reader->fd < 0 && errno == ENOENT);
    return reader->fd < 0 ? errno : 0;
}

/* Opens the segment that follows. ENOENT: there is none. */
static int open_next(struct spool_reader *reader)
{
    struct segment *last = TAILQ_LAST(&reader->segments, segment_list);
    struct segment *segment = calloc(1, sizeof *segment);
    if (!segment)
        return ENOMEM;
    close_segment(reader);
    segment->number = last ? last->number : 0;
    int code = open_after(reader, &segment->number);
    if (code)
        free(segment);
    else
        TAILQ_INSERT_TAIL(&reader->segments, segment, link);
    return code;
}

/* Whether nothing is appended to the open segment any more, nor cut off. */
static bool is_final(const struct spool_reader *reader, struct stat *status)
{
    return fstat(reader->fd, status) == 0 &&
           (spool_segment_is_sealed(status) || status->st_nlink == 0);
}

/* Others hold the lock for microseconds. */
static int lock_soon(struct spool_reader *reader)
{
    for (int i = 0; i < 100; i++)
        if (spool_lock_alone(reader->spool))
            return 0;
    return EAGAIN;
}

/* Seals the segment if others follow, which happens if a writer was killed before it did so. Then
 * no process appends, and nothing at its end is still being written. EAGAIN: one does. */
static int settle(struct spool_reader *reader, const struct segment *segment, struct stat *status)
{
    uint64_t following;
    int directory = spool_directory(reader->spool);
    int code = lock_soon(reader);
    if (code)
        return code;
    code = fstat(reader->fd, status) == 0 ? 0 : errno;
    if (!code && !spool_segment_is_sealed(status)) {
        code = spool_segment_next(directory, segment->number, &following);
        if (!code && following)
            code = spool_segment_seal(reader->fd);
        if (!code)
            code = fstat(reader->fd, status) == 0 ? 0 : errno;
    }
    spool_unlock(reader->spool);
    return code;
}

/* What is to be done at the end of what was written. */
enum end { END_MORE, END_WAIT, END_FINAL };

/* Decides what the bytes at the end are. Sets *damaged to their number if they are the part of an
 * entry whose writer is gone, and was not returned before. `was_final`: before they were read. */
static int look_at_end(struct spool_reader *reader, const struct segment *segment, bool was_final,
    size_t *damaged, enum end *what)
{
    struct stat status;
    uint64_t end = reader->bytes_at + reader->available;
    *damaged = 0;
    *what = END_MORE;
    int code = !was_final                        ? settle(reader, segment, &status)
               : fstat(reader->fd, &status) == 0 ? 0
                                                 : errno;
    if (code || (uint64_t)status.st_size > end)
        return code;
    if ((uint64_t)status.st_size < end) {
        if (was_final) /* it was done, and unlinked meanwhile, while they are counted */
            *what = END_FINAL;
        return 0;
    }
    if (end > reader->offset && reader->reported < end) {
        *damaged = (size_t)(end - reader->offset);
        reader->reported = end;
    }
    if (was_final)
        *what = END_FINAL;
    else if (!is_final(reader, &status)) /* else another entry may have replaced what was cut off */
        *what = END_WAIT;
    return 0;
}

/* ---- entries ---- */

static void set_damage(
    const struct segment *segment, uint64_t offset, size_t length, struct spool_item *item)
{
    *item = (struct spool_item){.segment = segment->number, .offset = offset, .damaged = length};
}

/* Passes a damaged entry. Returns whether it is to be reported. */
static bool pass_damage(
    struct spool_reader *reader, const struct segment *segment, struct spool_item *item)
{
    size_t before = (size_t)(reader->offset - reader->bytes_at);
    const char *bytes = reader->bytes + before;
    size_t length = spool_entry_skip(bytes, reader->available - before);
    bool goes_on = *bytes != '\n' && reader->reported == reader->offset && reader->offset > 0;
    set_damage(segment, reader->offset, length, item);
    reader->offset += length;
    bool is_new = !goes_on && reader->reported < reader->offset;
    reader->reported = reader->offset;
    return is_new;
}

/* Reads a damaged entry again while no process appends: what was read may be in part what has been
 * cut off since, and in part what has replaced it. EAGAIN: others append. */
static int read_again(
    struct spool_reader *reader, struct spool_entry *entry, enum spool_reading *reading)
{
    int code = lock_soon(reader);
    if (code)
        return code;
    reader->available = 0;
    code = read_entry(reader, reader->fd, reader->offset, entry, reading);
    spool_unlock(reader->spool);
    return code;
}

static int step_at_end(struct spool_reader *reader, struct segment *segment, bool was_final,
    struct spool_item *item, bool *is_found)
{
    size_t damaged;
    enum end end;
    int code = look_at_end(reader, segment, was_final, &damaged, &end);
    if (code)
        return code;
    segment->has_ended = end == END_FINAL;
    if (damaged) {
        set_damage(segment, reader->offset, damaged, item);
        *is_found = true;
        return 0;
    }
    return end == END_WAIT ? ENOENT : 0;
}

/* Takes the next step: sets *is_found if the item is one to return. */
static int step(
    struct spool_reader *reader, struct segment *segment, struct spool_item *item, bool *is_found)
{
    struct stat status;
    enum spool_reading reading;
    bool was_final = is_final(reader, &status);
    int code = read_entry(reader, reader->fd, reader->offset, &item->entry, &reading);
    if (!code && reading == SPOOL_READING_DAMAGED && !was_final)
        code = read_again(reader, &item->entry, &reading);
    if (code)
        return code;
    switch (reading) {
    case SPOOL_READING_WHOLE:
        set_item(reader, segment->number, reader->offset, item);
        reader->offset += SPOOL_HEADER + item->entry.length;
        *is_found = item->entry.state != SPOOL_DONE;
        segment->waiting += *is_found;
        return 0;
    case SPOOL_READING_DAMAGED:
        *is_found = pass_damage(reader, segment, item);
        return 0;
    default:
        return step_at_end(reader, segment, was_final, item, is_found);
    }
}

int spool_reader_next(struct spool_reader *reader, struct spool_item *item)
{
    bool is_found = false;
    int code = 0;
    while (!code && !is_found) {
        if (reader->slice >= SLICE) {
            reader->slice = 0;
            return EINPROGRESS;
        }
        uint64_t before = reader->offset;
        struct segment *segment = current(reader);
        code = segment ? step(reader, segment, item, &is_found) : open_next(reader);
        if (code != EAGAIN) /* then the caller pauses */
            reader->slice += STEP + (reader->offset > before ? reader->offset - before : 0);
    }
    if (code == ENOENT)
        shrink(reader);
    return code;
}

static struct segment *find(struct spool_reader *reader, uint64_t number)
{
    struct segment *segment;
    TAILQ_FOREACH(segment, &reader->segments, link)
    if (segment->number == number)
        break;
    return segment;
}

/* The descriptor of a segment, which borrow() opens unless it is the one that is read. */
static int borrow(struct spool_reader *reader, uint64_t number)
{
    struct segment *segment = current(reader);
    if (segment && segment->number == number)
        return reader->fd;
    return spool_segment_open(spool_directory(reader->spool), number, O_RDWR);
}

static void give_back(struct spool_reader *reader, int fd)
{
    if (fd != reader->fd)
        close(fd);
}

int spool_reader_read(
    struct spool_reader *reader, uint64_t segment, uint64_t offset, struct spool_item *item)
{
    enum spool_reading reading;
    int fd = borrow(reader, segment);
    if (fd < 0)
        return errno;
    reader->available = 0; /* the buffer may be of another segment, now and afterwards */
    int code = read_entry(reader, fd, offset, &item->entry, &reading);
    give_back(reader, fd);
    if (!code && reading != SPOOL_READING_WHOLE)
        code = ENOENT;
    if (!code)
        set_item(reader, segment, offset, item);
    reader->available = 0;
    return code;
}

int spool_reader_mark(
    struct spool_reader *reader, const struct spool_item *item, char state, uint32_t failed_at)
{
    struct segment *segment = find(reader, item->segment);
    if (state == SPOOL_DONE && segment && segment->waiting > 0)
        segment->waiting--;
    int fd = borrow(reader, item->segment);
    if (fd < 0)
        return errno;
    char mark[SPOOL_MARK_LENGTH];
    spool_entry_write_mark(mark, state, failed_at);
    ssize_t wrote = pwrite(fd, mark, sizeof mark, (off_t)(item->offset + SPOOL_MARK_PLACE));
    int code = wrote == (ssize_t)sizeof mark ? 0 : wrote < 0 ? errno : EIO;
    give_back(reader, fd);
    return code;
}

/* ---- removal ---- */

/* Whether all of the segment that is read was read; with the lock. Its end may be a part of an
 * entry that was returned as damage, but not an entry that has replaced that part. */
static bool is_read(struct spool_reader *reader, const struct stat *status)
{
    struct spool_entry entry;
    enum spool_reading reading;
    uint64_t size = (uint64_t)status->st_size;
    if (size == reader->offset)
        return true;
    reader->available = 0;
    return reader->reported == size &&
           read_entry(reader, reader->fd, reader->offset, &entry, &reading) == 0 &&
           reading == SPOOL_READING_SHORT && reader->bytes_at + reader->available == size;
}

/* Seals the segment that is read if all of it was read and is done. */
static void retire(struct spool_reader *reader, struct segment *segment)
{
    struct stat status;
    if (segment->waiting > 0 || !spool_lock_alone(reader->spool))
        return;
    if (fstat(reader->fd, &status) == 0 && status.st_size > 0 && is_read(reader, &status) &&
        spool_segment_seal(reader->fd) == 0)
        segment->has_ended = true;
    spool_unlock(reader->spool);
}

int spool_reader_tidy(struct spool_reader *reader, bool all)
{
    int code = 0;
    struct segment *segment = current(reader), *next;
    if (all && segment)
        retire(reader, segment);
    for (segment = TAILQ_FIRST(&reader->segments); segment; segment = next) {
        next = TAILQ_NEXT(segment, link);
        if (!segment->has_ended || segment->waiting > 0)
            continue;
        int fault = spool_segment_unlink(spool_directory(reader->spool), segment->number);
        if (fault)
            code = fault;
        else
            forget(reader, segment);
    }
    if (TAILQ_EMPTY(&reader->segments))
        close_segment(reader);
    return code;
}

int spool_reader_count(struct spool_reader *reader, struct spool_count *count)
{
    struct spool_item item;
    int code;
    while (!(code = spool_reader_next(reader, &item))) {
        if (item.damaged) {
            count->damaged++;
            continue;
        }
        count->oldest = count->waiting++ ? count->oldest : item.entry.put_at;
        count->bytes += item.entry.length;
    }
    return code;
}
