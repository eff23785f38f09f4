/* head.h - the head of an answer, line by line, as libcurl hands it out.
 *
 * Heads of 1xx, and of a proxy, come before the one that counts; trailers come behind its body, and
 * change nothing of what it said. */
#ifndef CEKURA_HEAD_H
#define CEKURA_HEAD_H

#include "decoder.h"
#include "text/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* All heads and trailers of one answer are no larger than this, and have no more lines. libcurl 8
 * has limits, too: 300 KiB and 5,000 lines, which must not be met first. */
#define HEAD_MOST_BYTES ((size_t)256 * 1024)
#define HEAD_MOST_LINES 4096u

struct head {
    struct buffer lines; /* of the head that counts so far, status line first, and of trailers */
    size_t bytes;        /* of all heads */
    unsigned line_count;
    int status;
    bool complete;      /* the head that counts is here, to its empty line */
    bool chunked;       /* the last chunk says where the body ends */
    enum coding coding; /* what the body is in */
    enum { HEAD_STATUS_LINE, HEAD_FIRST_FIELD, HEAD_FIELD, HEAD_CODING, HEAD_CHUNKED } after;
};

enum head_result {
    HEAD_OK,
    HEAD_TOO_LARGE,
    HEAD_MALFORMED, /* no status, or a first field that continues none */
    HEAD_CODED,     /* a Transfer-Encoding other than `chunked` */
    HEAD_NO_MEMORY,
};

/* Gets ready for the next answer; keeps memory. */
void head_clear(struct head *head);

/* Adds a line, its end included. `counts`: it is the service's, not a proxy's answer to CONNECT. */
enum head_result head_add(struct head *head, const char *line, size_t length, bool counts);

bool head_is_too_large(const struct head *head);

void head_free(struct head *head);

#endif
