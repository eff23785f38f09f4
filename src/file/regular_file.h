/* regular_file.h - files that a program names by their path: regular ones, and nothing that could
 * block it. */
#ifndef CEKURA_REGULAR_FILE_H
#define CEKURA_REGULAR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a regular file for reading, through symbolic links. Never blocks: a FIFO or a device has no
 * end. -1, with `fault` telling why; errno is 0 where no system call failed. */
int regular_file_open(const char *path, const char **fault);

/* How many bytes it has now; -1, with `fault`: that is not known. */
int64_t regular_file_size(int fd, const char **fault);

/* Reads the file from its start into `size` bytes. False, with `fault` telling why, if they are not
 * all of it. */
bool regular_file_read(int fd, char *bytes, size_t size, const char **fault);

#endif
