/* private_file.h - reads a small file that may hold secrets. */
#ifndef CEKURA_PRIVATE_FILE_H
#define CEKURA_PRIVATE_FILE_H

#include "text/secret.h"

#define PRIVATE_FILE_LIMIT ((size_t)64 * 1024)

struct private_file {
    struct secret text;
    unsigned mode; /* its permissions, as in stat() */
};

/* Reads a regular file (see regular_file.h) of at most PRIVATE_FILE_LIMIT bytes. The caller wipes
 * the text. On failure, returns false and sets *fault to the reason; errno is 0 if no system call
 * failed. */
bool private_file_read(struct private_file *file, const char *path, const char **fault);

#endif
