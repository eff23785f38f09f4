/* connection.c - the socket that a transfer uses.
 *
 * libcurl says little of it: what is asked of the socket itself is whether it has bytes that nobody
 * asked for, and how many have come. */
#include "transfer_private.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* libcurl takes no longer line in a head. */
#define LONGEST_LINE ((uint64_t)100 * 1024)

/* libcurl does not tell yet which socket it will use, only its local port. The table may have
 * forgotten it, and the number may be another socket's by now. */
static int *socket_of(struct engine *engine, int port)
{
    return &engine->socket_of_port[port % ENGINE_PORTS];
}

static bool is_bound_to(int fd, int port)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        return false;
    const struct sockaddr_in *v4 = (const void *)&name;
    const struct sockaddr_in6 *v6 = (const void *)&name;
    return port == ntohs(name.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

/* Finds the socket that the request goes out by. */
static void find_socket(struct transfer *transfer, int port)
{
    int *known = socket_of(transfer->engine, port);
    if (transfer->opened >= 0)
        *known = transfer->opened;
    transfer->used = is_bound_to(*known, port) ? *known : -1;
}

/* Bytes that came on an idle connection would be taken for the answer to this request: libcurl 7.88
 * does not look for them. A new connection may have some, over TLS, from its handshake. */
static bool has_unasked_bytes(const struct transfer *transfer)
{
    char byte;
    return transfer->opened < 0 && transfer->used >= 0 &&
           recv(transfer->used, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Bytes that have come on a connection since it was made. */
static uint64_t arrived_on(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    bool known = fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    return known ? info.tcpi_bytes_received : 0;
}

/* Before 8.6, libcurl says of a line that is too long that it has no memory. Then more than such a
 * line has come that it has not handed out; afterwards there is no socket to ask. */
void transfer_leaves_socket(CURL *easy, int fd)
{
    struct transfer *transfer = transfer_of(easy);
    if (transfer && transfer->on_wire && transfer->began && !transfer->head.complete &&
        fd == transfer->used)
        transfer->long_line =
            arrived_on(fd) >= transfer->arrived + transfer->head.bytes + LONGEST_LINE - 1;
}

/* Until here nothing was sent to the service. CURLINFO_REQUEST_SIZE alone does not tell: it counts
 * what was said to a proxy, and before libcurl has begun it is still that of the handle's last
 * request. */
int connection_begin(void *user, char *address, char *own_address, int port, int own_port)
{
    struct transfer *transfer = user;
    (void)address, (void)own_address, (void)port;
    find_socket(transfer, own_port);
    if (has_unasked_bytes(transfer))
        return CURL_PREREQFUNC_ABORT;
    transfer->arrived = arrived_on(transfer->used);
    if (!transfer->began)
        transfer->engine->connecting--;
    transfer->began = true;
    return CURL_PREREQFUNC_OK;
}

/* Sockets that a program started by the host does not inherit. */
curl_socket_t connection_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = user;
    (void)purpose;
    transfer->opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return transfer->opened;
}
