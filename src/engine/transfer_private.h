/* transfer_private.h - struct transfer, and the functions that its three files share. */
#ifndef CEKURA_TRANSFER_PRIVATE_H
#define CEKURA_TRANSFER_PRIVATE_H

#include "decoder.h"
#include "head.h"
#include "transfer.h"

/* The size of libcurl's receive buffer. A step may exceed its limit of bytes by this much, and a
 * paused transfer holds this much. */
#define READ_AT_ONCE 4096L

struct transfer {
    CURL *easy;
    struct transfers *transfers;
    transfer_ended *ended;
    void *owner;
    LIST_ENTRY(transfer) link; /* in `idle` or `on_wire` */
    STAILQ_ENTRY(transfer) paused_link;
    struct connection connection;
    struct curl_slist *own_headers; /* of this request, or NULL */
    struct curl_slist *dropped;     /* addresses, see addresses.h */
    unsigned trusts;                /* the version of the certificates in the handle's options */
    struct head head;
    struct decoder decoder;
    struct buffer body;        /* decoded */
    size_t taken;              /* input that was decoded before the transfer was paused */
    enum outcome_kind refused; /* why a callback aborted the transfer; OUTCOME_RESPONSE: none did */
    const char *refusal;       /* the message for that, or NULL */
    bool on_wire;              /* added to the multi handle */
    bool began;                /* connected: the request is being sent */
    bool plain;                /* the handle's options are those of a GET */
    bool bodiless;             /* a HEAD, whose answer has no body, whatever its length says */
    bool paused;               /* in the queue of paused transfers */
    bool resuming;             /* libcurl is passing on what it held while paused */
    curl_off_t received;       /* bytes of the body, still encoded, that were counted */
    char error[TRANSFER_MESSAGE];
};

/* libcurl's callbacks; `user` is the transfer. They only query libcurl. */
size_t receive_header(char *line, size_t size, size_t count, void *user);
size_t receive_body(char *bytes, size_t size, size_t count, void *user);

/* Whether the answer has a body, by its status and the request's method. */
bool receive_has_body(const struct transfer *transfer);

/* Adds the bytes that have arrived since the last call to the engine's count. */
void receive_count(struct transfer *transfer);

/* Resumes a paused transfer: reads what libcurl held of the body; libcurl reads the socket on its
 * next timeout. The caller ends the try if the result is not CURLE_OK. */
CURLcode receive_resume(struct transfer *transfer);

/* Removes the transfer from the queue if it is paused. */
void receive_leave_queue(struct transfer *transfer);

/* The message for a content coding that was not offered. */
#define UNASKED "the answer is compressed in a way that was not asked for"

#endif
