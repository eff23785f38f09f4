/* transfer.h - a pooled easy handle, and one try of a request on it. */
#ifndef CEKURA_TRANSFER_H
#define CEKURA_TRANSFER_H

#include "engine_private.h"
#include "operation.h"
#include "retry.h"

/* Room for libcurl's message and a peer's name. */
#define TRANSFER_MESSAGE (CURL_ERROR_SIZE + 320)

/* What a try says that ended with TRY_STARVED. */
#define TRANSFER_STARVED                                                                           \
    "no file descriptor is free: the process, or the system, has opened as many as it may"

/* How a try ended. The buffers are the transfer's, until they are moved away. */
struct transfer_result {
    enum outcome_kind kind;
    struct try_result attempt;
    const char *message; /* valid until the transfer is released */
    struct buffer *headers, *body;
};

/* Sends the request off on an idle handle, or a new one. `owner` comes back with its end. NULL: no
 * memory, or libcurl refuses the request. */
struct transfer *transfer_start(
    struct engine *engine, const struct request *request, bool repeatable, struct operation *owner);

struct transfer *transfer_of(CURL *easy);

/* What became of it: `code` is libcurl's, for one that libcurl has ended. */
struct transfer_result transfer_result(struct transfer *transfer, CURLcode code);

/* Whether all of the answer may have come: what it announced is read, or lies in the socket. */
bool transfer_may_be_whole(struct transfer *transfer);

/* Goes on with one whose body is paused: what libcurl kept of it is taken in, the rest is read when
 * libcurl's timer has been served. What is not CURLE_OK ends the try. */
CURLcode transfer_resume(struct transfer *transfer);

/* The first of those that are paused; NULL: none is. */
struct transfer *transfer_first_paused(const struct engine *engine);

struct operation *transfer_owner(const struct transfer *transfer);

/* Takes it off the wire, if it still is on it, and back into the pool. */
void transfer_release(struct engine *engine, struct transfer *transfer);

/* Whether a handle that has had an answer is of no more use with that libcurl (CURLVERSION_NOW's
 * version_num). From 7.84.0 to 8.0.1, it keeps a pointer to the last header of that answer, which
 * it has freed; and if the first header of the next one begins with white space, it takes it for
 * more of that header: the block is freed twice, and the process aborted. curl_easy_reset() does
 * not help. Introduced by curl's commit c9b60f0053, mended by pull request 11103 (issue 11101). */
bool transfer_spoils_handle(unsigned libcurl_version);

/* Frees the handles of the pool. */
void transfer_free_idle(struct engine *engine);

/* Frees a header list, its bytes wiped: one of them is the key. */
void transfer_free_headers(struct curl_slist *headers);

#endif
