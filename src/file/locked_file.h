/* locked_file.h - a file that one holder at a time reads and replaces.
 *
 * The lock is flock() on a file beside it, `NAME.lock`; the file itself cannot carry it, since each
 * replacement is another inode. The kernel drops the lock when its process ends, however that ends.
 * flock() belongs to an open file, not to a process: two holders in one process exclude each other,
 * too.
 *
 * A path is followed through symbolic links when the lock is taken. Until it is released, it means
 * that file, wherever the links or the working directory point by then. In a forked child the lock
 * counts as lost, and the parent keeps it.
 *
 * Functions that return an int return 0, one of the codes below, or errno's; locked_file_fault()
 * has words for all of them. ENOENT from locked_file_open(): the directory does not exist. */
#ifndef CEKURA_LOCKED_FILE_H
#define CEKURA_LOCKED_FILE_H

#include "text/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct locked_file;

enum {
    LOCKED_FILE_BUSY = -1,   /* another holds it */
    LOCKED_FILE_LOST = -2,   /* it is not held any more, or this is a forked child */
    LOCKED_FILE_TYPE = -3,   /* a FIFO, a device, a directory: reading it may block or never end */
    LOCKED_FILE_LINKS = -4,  /* it has hard links, and a replacement would part them */
    LOCKED_FILE_LARGE = -5,  /* it has more than LOCKED_FILE_LIMIT bytes */
    LOCKED_FILE_THREAD = -6, /* see file_work.h */
    LOCKED_FILE_SLOW = -7,   /* see file_work.h */
    LOCKED_FILE_ABSENT = -8, /* there is nothing to read */
};

#define LOCKED_FILE_LIMIT ((size_t)256 * 1024 * 1024)

/* In words, for people. */
const char *locked_file_fault(int code);

/* Takes the lock, without waiting. The file need not exist, its directory must. */
int locked_file_open(struct locked_file **file, const char *path);

/* Whether it is held: it was not released, and nothing has removed or replaced the lock's file. */
bool locked_file_is_held(const struct locked_file *file);

/* Whether it was taken by the process that this one was forked from. */
bool locked_file_is_inherited(const struct locked_file *file);

/* Gives the lock up, also where a child that was forked has the descriptor. */
void locked_file_release(struct locked_file *file);

/* It stays in memory, and locked unless it is released, until the last reference is freed. */
void locked_file_retain(struct locked_file *file);
void locked_file_free(struct locked_file *file);

/* Appends what is in the file. Blocks as disks do. */
int locked_file_read(struct locked_file *file, struct buffer *text);

/* Replaces the file: a new one, `.NAME.new`, is written beside it, synced, and renamed, and the
 * directory is synced; so the file is whole at any time. It keeps its mode and, where that is
 * allowed, its owner. Blocks as disks do. */
int locked_file_replace(struct locked_file *file, const char *text, size_t length);

/* Renames the file to `NAME.bad`, or `NAME.bad.2` and so on: nothing is overwritten. `suffix` gets
 * what was added to the name. */
int locked_file_set_aside(struct locked_file *file, char *suffix, size_t size);

#endif
