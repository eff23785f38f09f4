/* http.h - where a request of HTTP/1 begins and ends, in bytes of any kind.
 *
 * Pure: nothing is allocated. What the head says beyond that is read in Lua, by
 * cekura.simulator.server. */
#ifndef CEKURA_SIMULATOR_HTTP_H
#define CEKURA_SIMULATOR_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_MAX_HEAD ((size_t)65536)
#define HTTP_MAX_BODY ((size_t)64 * 1024 * 1024)

struct http_head {
    size_t length;    /* of the head, with the empty line at its end; 0: it is not complete */
    int fault;        /* the status of the refusal; 0: it is a request */
    bool is_chunked;  /* the body is in chunks; else it has body_length bytes */
    bool is_awaiting; /* the client waits for "100 Continue" before it sends the body */
    size_t body_length;
};

/* Reads a head at the beginning of the bytes. */
struct http_head http_read_head(const char *bytes, size_t length);

/* How far a body in chunks has been read. Zeroed, it is at its beginning. */
struct http_chunks {
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER, CHUNKS_DONE, CHUNKS_BAD } state;
    size_t left;   /* CHUNK_DATA: bytes of the chunk that are still to come */
    size_t digits; /* CHUNK_SIZE: of the size, so far */
    size_t line;   /* bytes of the line so far, of a size with its extensions or of the trailer */
};

/* Reads bytes of such a body, up to and with its next piece of data, which is in *data and *size.
 * Returns the number of bytes that were read; the caller goes on behind them until there are none,
 * or the state is CHUNKS_DONE or CHUNKS_BAD. */
size_t http_read_chunks(
    struct http_chunks *chunks, const char *bytes, size_t length, const char **data, size_t *size);

#endif
