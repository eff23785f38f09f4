/* file_work.h - reads or replaces a locked file in a background thread.
 *
 * A sync takes seconds on a busy disk, and must not block the host. Each piece of work runs in a
 * detached thread that blocks all signals. */
#ifndef CEKURA_FILE_WORK_H
#define CEKURA_FILE_WORK_H

#include "locked_file.h"

#include <stdint.h>

struct file_work;

/* Starts reading the file, or replacing it by a copy of the text. The work holds a reference to the
 * file. Returns NULL if memory runs out or no thread can be started. */
struct file_work *file_work_read(struct locked_file *file);
struct file_work *file_work_replace(struct locked_file *file, const char *text, size_t length);

/* Whether the work is done. Never blocks. In a forked child it is, since the child has lost the
 * file. */
bool file_work_is_done(struct file_work *work);

/* Blocks for up to wait_us until the work is done. Returns the result of locked_file_read() or
 * locked_file_replace(), or LOCKED_FILE_SLOW if the work is not done. Sets *text to the text, which
 * belongs to the work. */
int file_work_finish(struct file_work *work, int64_t wait_us, const struct buffer **text);

/* Frees the work. A thread that is still running goes on, unless the file is released. */
void file_work_free(struct file_work *work);

#endif
