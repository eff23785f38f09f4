/* regular_file.h - files that a program names by their path: regular ones only, since reading
 * others may block. */
#ifndef CEKURA_REGULAR_FILE_H
#define CEKURA_REGULAR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a regular file for reading, through symbolic links, and never blocks. On failure, returns
 * -1 and sets *fault to the reason; errno is 0 where no system call failed. */
int regular_file_open(const char *path, const char **fault);

/* The size in bytes. On failure, returns -1 and sets *fault to the reason. */
int64_t regular_file_size(int fd, const char **fault);

/* Reads the whole file, which must have just `size` bytes. On failure, returns false and sets
 * *fault to the reason. */
bool regular_file_read(int fd, char *bytes, size_t size, const char **fault);

#endif
