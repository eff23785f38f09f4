/* locked_file.h - a file that one holder at a time reads and replaces.
 *
 * The lock is flock() on a file beside it, `NAME.lock`; the file itself cannot carry the lock,
 * since each replacement is another inode. The kernel drops the lock when the process ends, however
 * it ends. flock() belongs to an open file, not to a process: two holders in one process exclude
 * each other, too.
 *
 * Symbolic links in the path are followed when the lock is taken. Until the lock is released, the
 * same file is meant, wherever the links or the working directory point by then. In a forked child
 * the lock counts as lost, and the parent keeps it.
 *
 * Functions that return an int return 0, one of the codes below, or a value of errno;
 * locked_file_fault() describes all of them. ENOENT from locked_file_open(): the directory does not
 * exist. */
#ifndef CEKURA_LOCKED_FILE_H
#define CEKURA_LOCKED_FILE_H

#include "text/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct locked_file;

enum {
    LOCKED_FILE_BUSY = -1,   /* another holds it */
    LOCKED_FILE_LOST = -2,   /* it is no longer held, or this is a forked child */
    LOCKED_FILE_TYPE = -3,   /* a FIFO, a device, a directory: reading it may block or never end */
    LOCKED_FILE_LINKS = -4,  /* it has several hard links, which a replacement would separate */
    LOCKED_FILE_LARGE = -5,  /* it has more than LOCKED_FILE_LIMIT bytes */
    LOCKED_FILE_THREAD = -6, /* of file_work.h: no thread could be started */
    LOCKED_FILE_SLOW = -7,   /* of file_work.h: the work is not done yet */
    LOCKED_FILE_ABSENT = -8, /* the file does not exist */
};

#define LOCKED_FILE_LIMIT ((size_t)256 * 1024 * 1024)

/* What a code means, for people. */
const char *locked_file_fault(int code);

/* Takes the lock, without waiting. The directory must exist, the file need not. */
int locked_file_open(struct locked_file **file, const char *path);

/* Whether the lock is held: not released, and its file neither removed nor replaced. */
bool locked_file_is_held(const struct locked_file *file);

/* Whether the lock was taken by the process that this one was forked from. */
bool locked_file_is_inherited(const struct locked_file *file);

/* Releases the lock, even if a forked child has the descriptor. */
void locked_file_release(struct locked_file *file);

/* The object is kept, and locked unless it is released, until the last reference is freed. */
void locked_file_retain(struct locked_file *file);
void locked_file_free(struct locked_file *file);

/* Appends the content of the file to `text`. Blocks for as long as the disk takes. */
int locked_file_read(struct locked_file *file, struct buffer *text);

/* Replaces the file: a new one, `.NAME.new`, is written beside it, synced, and renamed, and the
 * directory is synced, so the file is whole at any time. It keeps its mode and, where that is
 * allowed, its owner. Blocks for as long as the disk takes. */
int locked_file_replace(struct locked_file *file, const char *text, size_t length);

/* Renames the file to `NAME.bad`, or `NAME.bad.2` and so on: nothing is overwritten. What was
 * appended to the name is written to `suffix`. */
int locked_file_set_aside(struct locked_file *file, char *suffix, size_t size);

#endif
