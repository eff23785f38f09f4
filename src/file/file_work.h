/* file_work.h - reading and replacing a locked file in a thread.
 *
 * A sync takes as long as the disk takes, seconds on a busy one: that is no time for a host to
 * stand still. Each piece of work has a thread of its own, detached, with all signals blocked. */
#ifndef CEKURA_FILE_WORK_H
#define CEKURA_FILE_WORK_H

#include "locked_file.h"

#include <stdint.h>

struct file_work;

/* Begins to read, or to replace by the text, which is copied. NULL: no memory, or no thread. */
struct file_work *file_work_read(struct locked_file *file);
struct file_work *file_work_replace(struct locked_file *file, const char *text, size_t length);

/* Never blocks. In a child that was forked meanwhile the work is done, as one of a lost file. */
bool file_work_is_done(struct file_work *work);

/* Blocks until it is done, or so long. Returns how it ended, as locked_file_read() and
 * locked_file_replace() do; LOCKED_FILE_SLOW: it has not. `text` gets what was read; it stays the
 * work's. */
int file_work_finish(struct file_work *work, int64_t wait_us, const struct buffer **text);

/* What is under way goes on, unless the file is released. */
void file_work_free(struct file_work *work);

#endif
