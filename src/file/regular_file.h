/* regular_file.h - opens and reads regular files. Other types are refused, since reading them may
 * block. */
#ifndef CEKURA_REGULAR_FILE_H
#define CEKURA_REGULAR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a regular file for reading. Follows symbolic links, and never blocks. On failure, returns
 * -1 and sets *fault to the reason; errno is 0 if no system call failed. */
int regular_file_open(const char *path, const char **fault);

/* The size in bytes. On failure, returns -1 and sets *fault to the reason. */
int64_t regular_file_size(int fd, const char **fault);

/* Reads the whole file, which must have exactly `size` bytes. On failure, returns false and sets
 * *fault to the reason. */
bool regular_file_read(int fd, char *bytes, size_t size, const char **fault);

#endif
