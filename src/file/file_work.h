/* file_work.h - reading and replacing a locked file in the background.
 *
 * A sync takes seconds on a busy disk, and must not block the host. Each piece of work runs in a
 * detached thread, with all signals blocked. */
#ifndef CEKURA_FILE_WORK_H
#define CEKURA_FILE_WORK_H

#include "locked_file.h"

#include <stdint.h>

struct file_work;

/* Starts to read, or to replace by the text, which is copied. NULL: no memory, or no thread. */
struct file_work *file_work_read(struct locked_file *file);
struct file_work *file_work_replace(struct locked_file *file, const char *text, size_t length);

/* Never blocks. In a child that was forked meanwhile the work is done: the file is lost to it. */
bool file_work_is_done(struct file_work *work);

/* Blocks until the work is done, at most wait_us. Returns the result of locked_file_read() or
 * locked_file_replace(); LOCKED_FILE_SLOW: the work is not done. Sets *text to what was read, which
 * belongs to the work. */
int file_work_finish(struct file_work *work, int64_t wait_us, const struct buffer **text);

/* Work in progress goes on, unless the file is released. */
void file_work_free(struct file_work *work);

#endif
