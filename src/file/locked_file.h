/* locked_file.h - a file that one holder at a time reads and replaces.
 *
 * The lock is flock() on a second file, `NAME.lock`. The file itself cannot carry the lock, since
 * each replacement has another inode. The kernel releases the lock when the process ends, however
 * it ends. flock() belongs to an open file description, not to a process, so two holders in one
 * process exclude each other, too.
 *
 * The path is resolved when the lock is taken, symbolic links included. Later changes of links or
 * of the working directory have no effect. In a forked child the lock counts as lost; the parent
 * keeps it.
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
    LOCKED_FILE_BUSY = -1,   /* the lock has another holder */
    LOCKED_FILE_LOST = -2,   /* the lock is no longer held, or this is a forked child */
    LOCKED_FILE_TYPE = -3,   /* a FIFO, a device, a directory: reading it may block or never end */
    LOCKED_FILE_LINKS = -4,  /* it has several hard links, which a replacement would separate */
    LOCKED_FILE_LARGE = -5,  /* it is larger than LOCKED_FILE_LIMIT */
    LOCKED_FILE_THREAD = -6, /* from file_work.h: no thread could be started */
    LOCKED_FILE_SLOW = -7,   /* from file_work.h: the work is not done yet */
    LOCKED_FILE_ABSENT = -8, /* the file does not exist */
};

#define LOCKED_FILE_LIMIT ((size_t)256 * 1024 * 1024)

/* Describes a code, for an error message. */
const char *locked_file_fault(int code);

/* Takes the lock, without waiting, and sets *file on success. The directory must exist; the file
 * need not. */
int locked_file_open(struct locked_file **file, const char *path);

/* Whether the lock is held: it was not released, and `NAME.lock` was neither removed nor replaced.
 */
bool locked_file_is_held(const struct locked_file *file);

/* Whether the lock was taken by the process that this one was forked from. */
bool locked_file_is_inherited(const struct locked_file *file);

/* Releases the lock, even if a forked child still has the descriptor. */
void locked_file_release(struct locked_file *file);

/* Adds or removes a reference. Removing the last one frees the object and releases the lock. */
void locked_file_retain(struct locked_file *file);
void locked_file_free(struct locked_file *file);

/* Appends the content of the file to `text`. Blocks for as long as the disk takes. */
int locked_file_read(struct locked_file *file, struct buffer *text);

/* Replaces the file atomically: writes and syncs a new one, `.NAME.new`, renames it, and syncs the
 * directory. The file keeps its mode and, where that is allowed, its owner. Blocks for as long as
 * the disk takes. */
int locked_file_replace(struct locked_file *file, const char *text, size_t length);

/* Renames the file to `NAME.bad`, or `NAME.bad.2` and so on, so that nothing is overwritten. Writes
 * what was appended to the name to `suffix`. */
int locked_file_set_aside(struct locked_file *file, char *suffix, size_t size);

#endif
