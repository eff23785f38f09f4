/* transfer.h - a pooled easy handle, and one try of a request on it. */
#ifndef CEKURA_TRANSFER_H
#define CEKURA_TRANSFER_H

#include "addresses.h"
#include "certificates.h"
#include "connection.h"
#include "request.h"
#include "retry.h"
#include "step.h"
#include "text/buffer.h"

#include <sys/queue.h>

/* Room for libcurl's message and a peer's name. */
#define TRANSFER_MESSAGE (CURL_ERROR_SIZE + 320)

/* The message of a try that ended with TRY_STARVED. */
#define TRANSFER_STARVED                                                                           \
    "no file descriptor is free: the process, or the system, has opened as many as it may"

struct transfer;

LIST_HEAD(transfer_list, transfer);
STAILQ_HEAD(transfer_queue, transfer);

/* What the transfers of an engine share. */
struct transfers {
    struct multi multi;
    CURLSH *share;     /* of TLS sessions, which libcurl before 8.12 would keep in each handle */
    struct step *step; /* how much of a body may be read */
    struct sockets sockets;
    struct addresses addresses;
    struct certificates certificates;
    struct transfer_list idle, on_wire;
    struct transfer_queue paused; /* there was no more room in a step for their bodies */
    unsigned connecting;          /* those that have no connection yet */
    uint64_t connections, bytes_in;

    /* options */
    size_t max_response;
    int64_t connect_timeout_us;
    char *user_agent;
    struct curl_slist *headers;
    char *proxy;      /* NULL: what the environment says */
    char *proxy_peer; /* "host:port" */
    bool direct;      /* no proxy of the environment */
};

/* Keeps what has to be known of the libcurl that is loaded. To be called before the first engine is
 * made. */
void transfers_begin(const curl_version_info_data *libcurl);

/* Opens the multi handle and the share. False: out of memory. */
bool transfers_open(struct transfers *transfers);

/* Frees the handles of the pool, the multi handle and the share. */
void transfers_close(struct transfers *transfers);

/* Wipes and frees what may hold a secret: the headers and the URL of the proxy. */
void transfers_forget_secrets(struct transfers *transfers);

/* Frees the other options. */
void transfers_free_options(struct transfers *transfers);

/* Ends those that libcurl has ended. */
void transfers_end_done(struct transfers *transfers);

/* Ends all that are on the wire, and closes the multi handle, which has failed. */
void transfers_give_up(struct transfers *transfers);

/* Goes on with the one that has been paused for longest. */
void transfers_resume(struct transfers *transfers);

bool transfers_are_paused(const struct transfers *transfers);

/* How a try ended. The buffers are the transfer's, until they are moved away. */
struct transfer_result {
    enum outcome_kind kind;
    struct try_result attempt;
    const char *message; /* valid until the transfer is released */
    struct buffer *headers, *body;
};

/* Called with libcurl's code when libcurl has ended the try; the transfer is released from it. */
typedef void transfer_ended(void *owner, CURLcode code);

/* Sends the request off on an idle handle, or a new one. NULL: no memory, or libcurl refuses the
 * request. */
struct transfer *transfer_start(
    struct transfers *transfers, const struct request *request, transfer_ended *ended, void *owner);

/* What became of it: `code` is libcurl's, for one that libcurl has ended. */
struct transfer_result transfer_result(struct transfer *transfer, CURLcode code);

/* Whether all of the answer may have come: what it announced is read, or lies in the socket. */
bool transfer_may_be_whole(const struct transfer *transfer);

/* Takes it off the wire, if it still is on it, and puts it back into the pool. */
void transfer_release(struct transfer *transfer);

/* Whether a handle that has had an answer is of no more use with that libcurl (CURLVERSION_NOW's
 * version_num). From 7.84.0 to 8.0.1, it keeps a pointer to the last header of that answer, which
 * it has freed; and if the first header of the next one begins with white space, it takes it for
 * more of that header: the block is freed twice, and the process aborted. curl_easy_reset() does
 * not help. Introduced by curl's commit c9b60f0053, mended by pull request 11103 (issue 11101). */
bool transfer_spoils_handle(unsigned libcurl_version);

#endif
