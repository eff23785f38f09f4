/* transfer_private.h - what transfer.c, connection.c, receive.c and ending.c share. */
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
    struct engine *engine;
    struct operation *owner;
    SLIST_ENTRY(transfer) idle;
    STAILQ_ENTRY(transfer) paused_link;
    struct curl_slist *own_headers; /* of this request, if it has any of its own */
    struct curl_slist *dropped;     /* addresses, see addresses.h */
    unsigned trusts;                /* the version of the bundle that it is set up with */
    struct head head;
    struct decoder decoder;
    struct buffer body;        /* decoded */
    size_t taken;              /* of what libcurl hands out, decoded already when it was refused */
    enum outcome_kind refused; /* why a callback stopped the transfer; OUTCOME_RESPONSE: none did */
    const char *refusal;       /* in words, or NULL */
    int opened;                /* the socket that was opened for it last; -1: none */
    int used;                  /* the one that it uses; -1: unknown */
    unsigned slot;             /* of the socket, in the engine's table */
    uint64_t read_before; /* bytes, from that one, when the tunnel stood, or the request was sent */
    bool on_wire;         /* added to the multi handle */
    bool began;           /* the connection stands, the request is being sent */
    bool plain;           /* set up for a GET */
    bool bodiless;        /* a HEAD, whose answer has no body whatever it says of one */
    bool starved;         /* no descriptor was free for its socket */
    bool paused;          /* in the engine's queue */
    bool resuming;        /* libcurl is handing out what it kept */
    curl_off_t received;  /* of the body, before it is decoded, as far as it was counted */
    char error[TRANSFER_MESSAGE];
};

/* libcurl's callbacks. They ask it for what it knows, and have it do nothing; `user` is the
 * transfer. */
size_t receive_header(char *line, size_t size, size_t count, void *user);
size_t receive_body(char *bytes, size_t size, size_t count, void *user);
curl_socket_t connection_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int connection_close(void *user, curl_socket_t fd); /* the user is the engine */
int connection_begin(void *user, char *address, char *own_address, int port, int own_port);

/* A proxy has made a tunnel: what comes now is the service's. */
void connection_tunnels(struct transfer *transfer);

/* Whether enough has come through a tunnel for a certificate. To be asked when the connection has
 * been closed. */
bool connection_had_certificate(const struct transfer *transfer);

/* Whether an alert of TLS is what libcurl has not read of the connection any more. */
bool connection_has_alert(const struct transfer *transfer);

/* Whether a line of the head was longer than libcurl takes, which before 8.6 it calls a lack of
 * memory. To be asked when the connection has been closed. */
bool connection_had_long_line(const struct transfer *transfer);

/* Before a connection may be made. While no descriptor is free, a new connection takes the place of
 * the one that has been idle for longest. With none idle there is no limit: libcurl would have the
 * transfer wait until another one ends, also when descriptors are free again. */
void connection_make_room(const struct engine *engine);

/* Whether a connection, or the look-up of its name, failed because no descriptor was free. */
bool connection_is_starved(const struct transfer *transfer, CURLcode code);

/* Whether an answer with that head is followed by a body. */
bool receive_has_body(const struct transfer *transfer);

/* Adds what has come since the last call to the engine's count. */
void receive_count(struct transfer *transfer);

/* Takes it out of the engine's queue, if it is paused. */
void receive_leave_queue(struct transfer *transfer);

/* Of an encoding, in words. */
#define UNASKED "the answer is compressed in a way that was not asked for"

#endif
