/* spool_reader.h - takes the entries out of a spool, in the order in which they were appended.
 *
 * There must be one reader at a time over all processes; the caller has a lock for that. A reader
 * returns each entry once that is not done, and remembers no text. What is done is marked in its
 * place, which needs no room on a full disk; the last mark of a segment allows to unlink it. A
 * later reader returns again what was not marked.
 *
 * Functions that return an int return 0 or a value of errno, unless something else is said. */
#ifndef CEKURA_SPOOL_READER_H
#define CEKURA_SPOOL_READER_H

#include "spool.h"
#include "spool_entry.h"

struct spool_reader;

struct spool_item {
    uint64_t segment, offset; /* its place */
    struct spool_entry entry;
    const char *text; /* valid until the next call */
    size_t damaged;   /* the bytes of a damaged entry, which is no entry; else 0 */
};

/* Begins with the oldest entry. The spool must outlive the reader. Returns NULL if memory runs
 * out. */
struct spool_reader *spool_reader_new(struct spool *spool);
void spool_reader_free(struct spool_reader *reader);

/* Finds the next entry that is not done, or the next damage. ENOENT: there is none now. EAGAIN: it
 * is not known while others append. EINPROGRESS: a slice was read, for which a host may be blocked,
 * since the last time; the next call goes on. */
int spool_reader_next(struct spool_reader *reader, struct spool_item *item);

/* Reads the entry at that place again. ENOENT: it is not there any more. */
int spool_reader_read(
    struct spool_reader *reader, uint64_t segment, uint64_t offset, struct spool_item *item);

/* Changes the state of an entry that this reader has returned. One that is done is done for this
 * reader even if that cannot be written. */
int spool_reader_mark(
    struct spool_reader *reader, const struct spool_item *item, char state, uint32_t failed_at);

/* Unlinks the segments whose entries are all done and that take no further ones. With `all`, also
 * seals and unlinks the last one, if its entries are done. */
int spool_reader_tidy(struct spool_reader *reader, bool all);

struct spool_count {
    uint64_t waiting, bytes; /* entries that are not done, and the length of their texts */
    uint64_t damaged;        /* damaged entries */
    uint32_t oldest;         /* when the first that waits was appended; 0: none waits */
};

/* Adds what the reader has not returned yet to *count, which begins with zeros; also while another
 * process has the lock and takes entries out. ENOENT: that was all. EAGAIN and EINPROGRESS: as
 * above. */
int spool_reader_count(struct spool_reader *reader, struct spool_count *count);

#endif
