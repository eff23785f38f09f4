/* spool.h - a directory of entries that any number of processes append, and one takes out in their
 * order.
 *
 * The entries lie in segments (spool_segment.h), in the format of spool_entry.h. Each is appended
 * by one system call, which the kernel does not mix with another, so writers do not wait for each
 * other. The directory itself carries a lock by flock(), which ends with its holder: shared while
 * an entry is appended; exclusive, for some microseconds, while a segment is sealed or made, and
 * while it is decided whether an entry that is not whole will be.
 *
 * A write that is not completed, since the disk is full or the process is killed, leaves a part of
 * an entry. It makes nothing else unreadable, as the next entry begins with a newline.
 *
 * An object is used by one thread at a time; further objects may have the same directory. In a
 * forked child it goes on with descriptors of its own. docs/outbox.md has the promises.
 *
 * Functions that return an int return 0 or a value of errno. */
#ifndef CEKURA_SPOOL_H
#define CEKURA_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

/* Opens a directory, and makes it, with mode 0700, where only its last name is missing. A segment
 * that has reached `segment_size` bytes is followed by another. */
int spool_open(struct spool **spool, const char *path, uint64_t segment_size);

/* The same for a directory in that of another spool; what root makes belongs to that directory's
 * owner. */
int spool_open_inner(struct spool **spool, const char *path, uint64_t segment_size);

/* Opens the directory that another object has open, by descriptors of its own. */
int spool_copy(struct spool **copy, const struct spool *spool);

void spool_free(struct spool *spool);

/* Appends an entry. With `sync` it is on the disk when this returns, and this takes as long as the
 * disk. EINVAL: the text has a newline; EMSGSIZE: it is too long. On failure nothing was appended,
 * except that what `sync` could not sync may be there or not. */
int spool_append(struct spool *spool, const char *text, size_t length, bool sync);

/* ---- for the reader ---- */

int spool_directory(const struct spool *spool);

/* Takes the exclusive lock without waiting; false: others append right now. */
bool spool_lock_alone(struct spool *spool);
void spool_unlock(struct spool *spool);

#endif
