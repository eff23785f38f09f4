/* connection.h - the socket that a transfer uses.
 *
 * libcurl says little of it: the socket itself is asked whether it has bytes that no request asked
 * for, and how many were read from it. */
#ifndef CEKURA_CONNECTION_H
#define CEKURA_CONNECTION_H

#include "multi.h"

#define SOCKETS_KNOWN 1024

/* The sockets of an engine. */
struct sockets {
    struct {
        int fd;
        uint64_t read; /* bytes, until it was closed; 0: it was not, since a request used it */
        bool alert;    /* then an alert of TLS was still unread */
    } by_port[SOCKETS_KNOWN]; /* the local one */
    unsigned open;            /* of connections, in use or not */
    bool starved;             /* no descriptor was free for the last connection */
};

/* A transfer's part. */
struct connection {
    struct sockets *sockets;
    int opened;           /* the socket that was opened for it last; -1: none */
    int used;             /* the one that it uses; -1: unknown */
    unsigned slot;        /* of the socket, in the table */
    uint64_t read_before; /* bytes, from that one, when the tunnel stood, or the request was sent */
    bool starved;         /* no descriptor was free for its socket */
};

/* Gets ready for the next transfer. */
void connection_clear(struct connection *connection);

/* libcurl's callbacks. The user of the first is the connection, of the other the sockets. */
curl_socket_t connection_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int connection_close(void *user, curl_socket_t fd);

/* The request is about to be sent from that local port. */
void connection_use(struct connection *connection, int port);

/* A proxy has made a tunnel: what comes now is the service's. */
void connection_tunnels(struct connection *connection);

/* Whether bytes have come on a connection that was idle. They would be taken for the answer to the
 * next request: libcurl 7.88 does not check. A new connection may have some, over TLS, from its
 * handshake. */
bool connection_has_unasked_bytes(const struct connection *connection);

/* Whether enough has come through a tunnel for a certificate; asked when the connection has been
 * closed. */
bool connection_had_certificate(const struct connection *connection);

/* Whether what libcurl has left unread of the connection is an alert of TLS. */
bool connection_has_alert(const struct connection *connection);

/* Whether so many bytes have come since the request was sent; asked when the connection has been
 * closed. */
bool connection_has_read(const struct connection *connection, uint64_t bytes);

/* Whether so many bytes more may have come, or be on their way from the other end's kernel. */
bool connection_may_have(const struct connection *connection, curl_off_t bytes);

/* Whether a connection, or the look-up of its name, failed because no descriptor was free. */
bool connection_is_starved(const struct connection *connection, CURLcode code);

/* Before a connection may be made, while `in_use` of the open ones are in use. While no descriptor
 * is free, a new connection takes the place of the one that has been idle for longest. With none
 * idle there is no limit: libcurl would have the transfer wait until another one ends, also when
 * descriptors are free again. */
void sockets_make_room(const struct sockets *sockets, struct multi *multi, unsigned in_use);

#endif
