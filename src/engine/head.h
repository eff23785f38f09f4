/* head.h - parses the head of an answer, line by line, as libcurl passes it on.
 *
 * The final head may follow heads of 1xx and of a proxy. Trailers follow its body; they are kept,
 * and change nothing that the final head said. */
#ifndef CEKURA_HEAD_H
#define CEKURA_HEAD_H

#include "decoder.h"
#include "text/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* The limits for all heads and trailers of one answer together. They are below those of libcurl 8,
 * 300 KiB and 5,000 lines, so that these apply first. */
#define HEAD_MAX_BYTES ((size_t)256 * 1024)
#define HEAD_MAX_LINES 4096u

struct head {
    struct buffer lines; /* the latest head, status line first, and the trailers */
    size_t bytes;        /* of all heads and trailers */
    unsigned line_count; /* likewise */
    int status;
    bool complete;      /* the final head has ended */
    bool chunked;       /* Transfer-Encoding: chunked */
    bool asks_pause;    /* it has a Retry-After */
    enum coding coding; /* of the body */
    enum { HEAD_STATUS_LINE, HEAD_FIRST_FIELD, HEAD_FIELD, HEAD_CODING, HEAD_CHUNKED } after;
};

enum head_result {
    HEAD_OK,
    HEAD_TOO_LARGE,
    HEAD_MALFORMED, /* no status line, or a continuation line directly after it */
    HEAD_CODED,     /* a Transfer-Encoding other than `chunked` */
    HEAD_NO_MEMORY,
};

/* Resets it for the next answer, and keeps its memory. */
void head_clear(struct head *head);

/* Adds a line, line end included. `counts`: it is from the service, and not from a proxy's answer
 * to CONNECT. */
enum head_result head_add(struct head *head, const char *line, size_t length, bool counts);

bool head_is_too_large(const struct head *head);

void head_free(struct head *head);

#endif
