/* transfer_private.h - what transfer.c, receive.c and ending.c share. */
#ifndef CEKURA_TRANSFER_PRIVATE_H
#define CEKURA_TRANSFER_PRIVATE_H

#include "decoder.h"
#include "head.h"
#include "transfer.h"

/* What libcurl reads at once, and holds of a body that is refused: a slice ends so far beyond its
 * bound. */
#define READ_AT_ONCE 4096L

struct transfer {
    CURL *easy;
    struct transfers *transfers;
    transfer_ended *ended;
    void *owner;
    LIST_ENTRY(transfer) link; /* among the idle ones, or those on the wire */
    STAILQ_ENTRY(transfer) paused_link;
    struct connection connection;
    struct curl_slist *own_headers; /* of this request, if it has any */
    struct curl_slist *dropped;     /* addresses, see addresses.h */
    unsigned trusts;                /* the version of the certificates that it is set up with */
    struct head head;
    struct decoder decoder;
    struct buffer body;        /* decoded */
    size_t taken;              /* of what libcurl hands out, decoded already when it was refused */
    enum outcome_kind refused; /* why a callback stopped the transfer; OUTCOME_RESPONSE: none did */
    const char *refusal;       /* in words, or NULL */
    bool on_wire;              /* added to the multi handle */
    bool began;                /* the connection stands, the request is being sent */
    bool plain;                /* set up for a GET */
    bool bodiless;             /* a HEAD, whose answer has no body whatever it says of one */
    bool paused;               /* in the queue of those */
    bool resuming;             /* libcurl is handing out what it kept */
    curl_off_t received;       /* of the body, before it is decoded, as far as it was counted */
    char error[TRANSFER_MESSAGE];
};

/* libcurl's callbacks. They ask it for what it knows, and have it do nothing; `user` is the
 * transfer. */
size_t receive_header(char *line, size_t size, size_t count, void *user);
size_t receive_body(char *bytes, size_t size, size_t count, void *user);

/* Whether an answer with that head is followed by a body. */
bool receive_has_body(const struct transfer *transfer);

/* Adds what has come since the last call to the count. */
void receive_count(struct transfer *transfer);

/* Goes on with one whose body is paused: what libcurl kept of it is read, the rest when
 * libcurl's timer has been served. A result other than CURLE_OK ends the try. */
CURLcode receive_resume(struct transfer *transfer);

/* Takes it out of the queue, if it is paused. */
void receive_leave_queue(struct transfer *transfer);

/* The message of an answer in an encoding that was not offered. */
#define UNASKED "the answer is compressed in a way that was not asked for"

#endif
