/* connection.c - the socket of a transfer; see connection.h. */
#include "connection.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

void connection_clear(struct connection *connection)
{
    *connection = (struct connection){.sockets = connection->sockets, .opened = -1, .used = -1};
}

/* The local port of a socket, or 0. */
static int port_of(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        return 0;
    const struct sockaddr_in *v4 = (const void *)&name;
    const struct sockaddr_in6 *v6 = (const void *)&name;
    return ntohs(name.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

static unsigned slot_of(int port)
{
    return (unsigned)port % SOCKETS_KNOWN;
}

/* The bytes read from a connection since it was established: received less unread. */
static uint64_t read_from(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    int unread = 0;
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        ioctl(fd, FIONREAD, &unread) != 0)
        return 0;
    return (uint64_t)info.tcpi_bytes_received - (uint64_t)unread;
}

/* The connection of a long-running request is silent for minutes, and a NAT forgets it. Set here
 * and not by libcurl's options, since this is once for a connection, not for each request. */
static void keep_alive(int fd)
{
    const int on = 1, idle_s = 60, interval_s = 30;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
}

/* SOCK_CLOEXEC, so that a program which the host starts does not inherit the socket. */
curl_socket_t connection_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct connection *connection = user;
    struct sockets *sockets = connection->sockets;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    connection->opened = fd;
    connection->starved = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd >= 0) {
        keep_alive(fd);
        loop_adopt(sockets->loop, fd);
    }
    sockets->starved = connection->starved;
    sockets->open += fd >= 0;
    return fd;
}

/* At this point libcurl gives only the local port of the socket that it will use. The entry of the
 * table may have been overwritten, so its port is checked. */
void connection_use(struct connection *connection, int port)
{
    struct sockets *sockets = connection->sockets;
    unsigned slot = slot_of(port);
    if (connection->opened >= 0) {
        sockets->by_port[slot].fd = connection->opened;
        sockets->by_port[slot].port = port;
        sockets->by_port[slot].passed = 0;
    }
    bool is_known = sockets->by_port[slot].port == port;
    connection->slot = slot;
    connection->used = is_known ? sockets->by_port[slot].fd : -1;
    connection->read_before = is_known ? sockets->by_port[slot].passed : 0;
    sockets->by_port[slot].read = 0;
}

void connection_passed(struct connection *connection, uint64_t bytes, bool is_drained)
{
    if (connection->used < 0)
        return;
    connection->sockets->by_port[connection->slot].passed += bytes;
    connection->sockets->by_port[connection->slot].is_drained = is_drained;
}

void connection_tunnels(struct connection *connection)
{
    connection->slot = slot_of(port_of(connection->opened));
    connection->read_before = read_from(connection->opened);
    connection->sockets->by_port[connection->slot].read = 0;
}

bool connection_has_unsolicited_bytes(const struct connection *connection)
{
    const struct sockets *sockets = connection->sockets;
    int fd = connection->used;
    char byte;
    if (connection->opened >= 0 || fd < 0)
        return false;
    if (sockets->by_port[connection->slot].is_drained && !loop_is_stirred(sockets->loop, fd))
        return false;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Whether the next unread record is a TLS 1.3 alert: two encrypted bytes, a byte for their type,
 * and a tag of 16 bytes. */
static bool has_alert(int fd)
{
    static const unsigned char start[] = {23, 3, 3, 0, 2 + 1 + 16};
    unsigned char head[sizeof start];
    return recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT) == sizeof head &&
           memcmp(head, start, sizeof head) == 0;
}

int connection_close(void *user, curl_socket_t fd)
{
    struct sockets *sockets = user;
    unsigned slot = slot_of(port_of(fd));
    sockets->by_port[slot].read = read_from(fd);
    sockets->by_port[slot].alert = has_alert(fd);
    if (sockets->by_port[slot].fd == fd)
        sockets->by_port[slot].port = 0;
    loop_forget(sockets->loop, fd);
    sockets->open--;
    return close(fd);
}

/* A server's part of a handshake is larger than this if it contains a certificate, and smaller if
 * it does not. */
#define MIN_CERTIFICATE 400

bool connection_had_certificate(const struct connection *connection)
{
    uint64_t read = connection->sockets->by_port[connection->slot].read;
    return connection->opened >= 0 && read > connection->read_before + MIN_CERTIFICATE;
}

bool connection_has_alert(const struct connection *connection)
{
    const struct sockets *sockets = connection->sockets;
    if (connection->used < 0)
        return false;
    bool is_closed = sockets->by_port[connection->slot].read > 0;
    return is_closed ? sockets->by_port[connection->slot].alert : has_alert(connection->used);
}

bool connection_has_read(const struct connection *connection, uint64_t bytes)
{
    uint64_t read = connection->sockets->by_port[connection->slot].read;
    return connection->used >= 0 && read >= connection->read_before + bytes;
}

/* Bytes that are not in the socket's receive buffer yet, or no longer: the TLS library holds a
 * record, and the peer's kernel sends more as soon as there is room. */
#define ON_ITS_WAY ((curl_off_t)4 * 1024 * 1024)

bool connection_may_have(const struct connection *connection, curl_off_t bytes)
{
    int readable = 0;
    return connection->used < 0 || ioctl(connection->used, FIONREAD, &readable) != 0 ||
           bytes <= readable + ON_ITS_WAY;
}

/* ---- when no descriptor is free ---- */

/* The descriptors that libcurl's resolver needs at once: a socket pair, and the files and sockets
 * of the C library, whose error does not say that it lacked one. */
#define RESOLVER_DESCRIPTORS 5

static bool descriptors_are_scarce(void)
{
    int fds[RESOLVER_DESCRIPTORS], count = 0;
    while (count < RESOLVER_DESCRIPTORS && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0)
        count++;
    bool are_scarce = count < RESOLVER_DESCRIPTORS && (errno == EMFILE || errno == ENFILE);
    while (count > 0)
        close(fds[--count]);
    return are_scarce;
}

bool connection_is_starved(const struct connection *connection, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return connection->starved;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_SSL_CACERT_BADFILE:
        return descriptors_are_scarce();
    default:
        return false;
    }
}

void sockets_make_room(const struct sockets *sockets, struct multi *multi, unsigned in_use)
{
    long limit = sockets->starved && sockets->open > in_use ? (long)sockets->open : 0;
    curl_multi_setopt(multi->handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, limit);
}
