/* spool_segment.h - the files of a spool, in its directory.
 *
 * A segment is named after its number, which grows: the time of its making in microseconds. Entries
 * are appended until it is sealed, which its sticky bit shows (on a file, Linux gives that bit no
 * meaning); then it keeps its length for ever. */
#ifndef CEKURA_SPOOL_SEGMENT_H
#define CEKURA_SPOOL_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Functions that return an int return 0 or a value of errno. */

/* Sets *number to that of the first segment after `after`, or of the last one; 0: there is none. */
int spool_segment_next(int directory, uint64_t after, uint64_t *number);
int spool_segment_last(int directory, uint64_t *number);

/* Opens a segment with flags of open(). Returns -1 and sets errno if that fails. */
int spool_segment_open(int directory, uint64_t number, int flags);

/* Makes the segment that follows `last`, and opens it for appending. It belongs to the owner of the
 * directory where the process may give it away. Returns -1 and sets errno if that fails. */
int spool_segment_make(int directory, uint64_t last, uint64_t *number);

/* Removes a segment whose entries are all done, and empties it for those who have it open. */
int spool_segment_unlink(int directory, uint64_t number);

int spool_segment_seal(int fd);
bool spool_segment_is_sealed(const struct stat *status);

#endif
