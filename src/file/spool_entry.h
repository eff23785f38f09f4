/* spool_entry.h - the format of an entry of a spool (spool.h).
 *
 *     \n S FFFFFFFF TTTTTTTT LLLLLLLL CCCCCCCC TEXT
 *
 *     S  "+" waiting, "~" waiting and perhaps used already, "-" done
 *     F  since when it has failed, in seconds since the epoch; 0: it has not
 *     T  when it was appended
 *     L  the length of the text in bytes
 *     C  the CRC-32 (of zlib) of T, L and the text
 *
 * F, T, L and C are hexadecimal. S and F are overwritten in place, and the checksum does not cover
 * them. The text contains no newline, so a reader that has met a damaged entry finds the next one.
 */
#ifndef CEKURA_SPOOL_ENTRY_H
#define CEKURA_SPOOL_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_HEADER ((size_t)39)                /* the bytes before the text */
#define SPOOL_LONGEST ((size_t)64 * 1024 * 1024) /* the longest text */
#define SPOOL_MARK_PLACE 1                       /* where S and F begin in an entry, */
#define SPOOL_MARK_LENGTH ((size_t)10)           /* and their length */

#define SPOOL_WAITING '+'
#define SPOOL_DOUBTFUL '~'
#define SPOOL_DONE '-'

struct spool_entry {
    char state;
    uint32_t failed_at, put_at; /* seconds since the epoch; failed_at may be 0 */
    size_t length;              /* of the text */
};

enum spool_reading {
    SPOOL_READING_WHOLE,
    SPOOL_READING_SHORT,  /* more bytes are needed: they are missing, or not written yet */
    SPOOL_READING_DAMAGED /* no bytes that follow can make it an entry */
};

/* Whether a text can be an entry: it is not too long, and has no newline. */
bool spool_entry_takes(const char *text, size_t length);

/* Writes the SPOOL_HEADER bytes of an entry that waits. */
void spool_entry_write(char *header, uint32_t put_at, const char *text, size_t length);

/* Writes the SPOOL_MARK_LENGTH bytes that change. */
void spool_entry_write_mark(char *mark, char state, uint32_t failed_at);

/* Reads the entry at the beginning of the bytes. On SPOOL_READING_SHORT, entry->length is that of
 * the text if the header is there, else 0. */
enum spool_reading spool_entry_read(const char *bytes, size_t available, struct spool_entry *entry);

/* How many bytes of a damaged entry come before the next newline, or before the end of what is
 * available. At least one. */
size_t spool_entry_skip(const char *bytes, size_t available);

#endif
