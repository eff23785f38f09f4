/* transfer.h - one try of a request, on an easy handle from a pool. */
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
    "no file descriptor is free: the process, or the system, has reached its limit"

struct transfer;

LIST_HEAD(transfer_list, transfer);
STAILQ_HEAD(transfer_queue, transfer);

/* What the transfers of an engine share. */
struct transfers {
    struct multi multi;
    CURLSH *share;     /* of TLS sessions, which libcurl before 8.12 caches in each handle */
    struct step *step; /* limits how much of a body is read */
    struct sockets sockets;
    struct addresses addresses;
    struct certificates certificates;
    struct transfer_list idle, on_wire;
    struct transfer_queue paused; /* the step was over before their bodies were read */
    unsigned connecting;          /* transfers that have no connection yet */
    uint64_t connections, bytes_in;

    /* options */
    size_t max_response;
    int64_t connect_timeout_us;
    char *user_agent;
    struct curl_slist *headers;
    char *proxy;      /* NULL: the proxy that the environment names */
    char *proxy_peer; /* "host:port" */
    bool direct;      /* ignore the environment's proxy */
};

/* Checks the version of the libcurl that is loaded. Called once, before the first engine is
 * created. */
void transfers_begin(const curl_version_info_data *libcurl);

/* Opens the multi handle and the share. Returns false if memory runs out. */
bool transfers_open(struct transfers *transfers);

/* Frees the pool, the multi handle and the share. */
void transfers_close(struct transfers *transfers);

/* Wipes and frees the options that may hold a secret: the headers and the URL of the proxy. */
void transfers_forget_secrets(struct transfers *transfers);

/* Frees the other options. */
void transfers_free_options(struct transfers *transfers);

/* Ends the transfers that libcurl reports as done. */
void transfers_end_done(struct transfers *transfers);

/* Ends all transfers on the wire, and closes the multi handle, after it has failed. */
void transfers_give_up(struct transfers *transfers);

/* Resumes the transfer that has been paused for longest. */
void transfers_resume(struct transfers *transfers);

bool transfers_are_paused(const struct transfers *transfers);

/* Whether the service or the proxy is connected to by TLS, whose library may raise SIGPIPE: signals
 * are blocked throughout a step. Otherwise they are from when a name is to be looked up. */
bool transfers_use_tls(const struct transfers *transfers);

/* How a try ended. The transfer owns the buffers, until the caller moves them away. */
struct transfer_result {
    enum outcome_kind kind;
    struct try_result attempt;
    const char *message; /* valid until the transfer is released */
    struct buffer *headers, *body;
};

/* Called with libcurl's code when the try has ended. Releases the transfer. */
typedef void transfer_ended(void *owner, CURLcode code);

/* Starts the request on an idle handle, or on a new one. Returns NULL if memory runs out or libcurl
 * refuses the request. */
struct transfer *transfer_start(
    struct transfers *transfers, const struct request *request, transfer_ended *ended, void *owner);

/* The result of a try that ended with that code, or that the caller ends now. */
struct transfer_result transfer_result(struct transfer *transfer, CURLcode code);

/* Whether all of the answer may have arrived: the announced length is read, or is in the socket. */
bool transfer_may_be_whole(const struct transfer *transfer);

/* Takes the transfer off the wire, if it is still there, and returns its handle to the pool. */
void transfer_release(struct transfer *transfer);

/* Whether an answer leaves a handle unusable in that version of libcurl (version_num of
 * CURLVERSION_NOW). From 7.84.0 to 8.0.1 the handle keeps a pointer to the last header of an
 * answer, which is freed. If the next answer's first header begins with white space, libcurl takes
 * it for a continuation of that header, frees the block twice, and the process aborts.
 * curl_easy_reset() does not help. Introduced by curl's commit c9b60f0053, fixed by pull request
 * 11103 (issue 11101). */
bool transfer_spoils_handle(unsigned libcurl_version);

#endif
