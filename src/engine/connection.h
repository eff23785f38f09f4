/* connection.h - the socket of a transfer.
 *
 * libcurl exposes little of it. The kernel is asked whether the socket has unsolicited bytes, and,
 * when it is closed, how many bytes were read from it. */
#ifndef CEKURA_CONNECTION_H
#define CEKURA_CONNECTION_H

#include "multi.h"

#define SOCKETS_KNOWN 1024

/* The sockets of an engine. */
struct sockets {
    struct loop *loop;
    struct {
        int fd, port;         /* 0: closed */
        uint64_t passed;      /* bytes of heads and bodies that came through it */
        bool is_drained;      /* the last answer left nothing to be read */
        uint64_t read;        /* bytes read from it when it was closed; 0 while it is open */
        bool alert;           /* an unread TLS alert was left when it was closed */
    } by_port[SOCKETS_KNOWN]; /* by local port, modulo their number */
    unsigned open;            /* open connections, idle ones included */
    bool starved;             /* no descriptor was free for the last connection */
};

/* The socket of one transfer. */
struct connection {
    struct sockets *sockets;
    int opened;           /* the last socket opened for this transfer; -1: none */
    int used;             /* the socket in use; -1: unknown */
    unsigned slot;        /* its index in by_port */
    uint64_t read_before; /* bytes passed on before the request was sent; through a new tunnel,
                           * bytes read before */
    bool starved;         /* no descriptor was free for its socket */
};

/* Resets it for the next transfer. */
void connection_clear(struct connection *connection);

/* libcurl's callbacks. `user` is the connection in the first and the sockets in the second. */
curl_socket_t connection_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int connection_close(void *user, curl_socket_t fd);

/* Records the socket on which the request is about to be sent, by its local port. */
void connection_use(struct connection *connection, int port);

/* A proxy has established the tunnel: bytes from now on come from the service. */
void connection_tunnels(struct connection *connection);

/* An answer has come through the connection: so many bytes, after which `is_drained` says whether
 * nothing was left to be read. */
void connection_passed(struct connection *connection, uint64_t bytes, bool is_drained);

/* Whether an idle connection that is about to be reused has unread bytes. libcurl 7.88 does not
 * check, and would take them for the answer to the next request. A new connection is not checked:
 * over TLS it may have bytes of the handshake. Nor is one whose last answer left nothing, and which
 * the loop has watched since. */
bool connection_has_unsolicited_bytes(const struct connection *connection);

/* Whether enough bytes came through the tunnel to contain a certificate. Valid once the connection
 * is closed. */
bool connection_had_certificate(const struct connection *connection);

/* Whether the next unread bytes of the connection are a TLS alert. */
bool connection_has_alert(const struct connection *connection);

/* Whether at least so many bytes were read since the request was sent. Those of TLS and of chunks
 * count, too, also those of earlier answers. Valid once the connection is closed. */
bool connection_has_read(const struct connection *connection, uint64_t bytes);

/* Whether that many more bytes may have arrived, or be in the send buffer of the peer. */
bool connection_may_have(const struct connection *connection, curl_off_t bytes);

/* Whether connecting, or resolving the name, failed because no descriptor was free. */
bool connection_is_starved(const struct connection *connection, CURLcode code);

/* Called before a connection may be opened, while `in_use` of the open ones are in use. If the last
 * connection found no free descriptor, libcurl is limited to as many connections as are open, so it
 * closes the least recently used idle one for a new one. If none is idle the limit is lifted: under
 * a limit the transfer would wait for another to end, even after a descriptor has become free. */
void sockets_make_room(const struct sockets *sockets, struct multi *multi, unsigned in_use);

#endif
