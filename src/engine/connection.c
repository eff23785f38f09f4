/* connection.c - the socket that a transfer uses.
 *
 * libcurl says little of it: what is asked of the socket itself is whether it has bytes that nobody
 * asked for, and how many were read. */
#include "transfer_private.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* libcurl takes no longer line in a head. */
#define LONGEST_LINE ((uint64_t)100 * 1024)

/* The local port of a socket; 0: it has none. */
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

/* Bytes that have been read from a connection since it was made. */
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

/* Finds the socket that the request goes out by. libcurl does not tell yet which it will use, only
 * its local port. The table may have forgotten it, and the number may be another socket's by now.
 */
static void find_socket(struct transfer *transfer, int port)
{
    struct engine *engine = transfer->engine;
    transfer->slot = (unsigned)port % ENGINE_PORTS;
    if (transfer->opened >= 0)
        engine->sockets[transfer->slot].fd = transfer->opened;
    int fd = engine->sockets[transfer->slot].fd;
    transfer->used = port_of(fd) == port ? fd : -1;
    transfer->read_before = read_from(transfer->used);
    engine->sockets[transfer->slot].read = 0;
}

/* Bytes that came on an idle connection would be taken for the answer to this request: libcurl 7.88
 * does not look for them. A new connection may have some, over TLS, from its handshake. */
static bool has_unasked_bytes(const struct transfer *transfer)
{
    char byte;
    return transfer->opened < 0 && transfer->used >= 0 &&
           recv(transfer->used, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Whether the next that is to be read is an alert of TLS 1.3: a record of two bytes, encrypted,
 * with their type and a tag of 16. */
static bool has_alert(int fd)
{
    static const unsigned char start[] = {23, 3, 3, 0, 2 + 1 + 16};
    unsigned char head[sizeof start];
    return recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT) == sizeof head &&
           memcmp(head, start, sizeof head) == 0;
}

/* The smallest answer to a handshake that has a certificate in it is larger, and one that has none
 * is smaller. */
#define SMALLEST_CERTIFICATE 400

void connection_tunnels(struct transfer *transfer)
{
    transfer->slot = (unsigned)port_of(transfer->opened) % ENGINE_PORTS;
    transfer->read_before = read_from(transfer->opened);
    transfer->engine->sockets[transfer->slot].read = 0;
}

bool connection_had_certificate(const struct transfer *transfer)
{
    const struct engine *engine = transfer->engine;
    return transfer->opened >= 0 &&
           engine->sockets[transfer->slot].read > transfer->read_before + SMALLEST_CERTIFICATE;
}

int connection_close(void *user, curl_socket_t fd)
{
    struct engine *engine = user;
    unsigned slot = (unsigned)port_of(fd) % ENGINE_PORTS;
    engine->sockets[slot].read = read_from(fd);
    engine->sockets[slot].alert = has_alert(fd);
    engine->open_sockets--;
    return close(fd);
}

bool connection_has_alert(const struct transfer *transfer)
{
    const struct engine *engine = transfer->engine;
    if (transfer->used < 0)
        return false;
    bool is_closed = engine->sockets[transfer->slot].read > 0;
    return is_closed ? engine->sockets[transfer->slot].alert : has_alert(transfer->used);
}

/* Then libcurl has read more than such a line, and not handed it out. What else has come, a body,
 * it has not read. */
bool connection_had_long_line(const struct transfer *transfer)
{
    uint64_t read = transfer->engine->sockets[transfer->slot].read;
    return transfer->used >= 0 && !transfer->head.complete &&
           read >= transfer->read_before + transfer->head.bytes + LONGEST_LINE - 1;
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
    if (!transfer->began) {
        transfer->engine->connecting--;
        head_clear(&transfer->head); /* of what a proxy has answered */
    }
    transfer->began = true;
    return CURL_PREREQFUNC_OK;
}

/* Sockets that a program started by the host does not inherit. */
curl_socket_t connection_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = user;
    struct engine *engine = transfer->engine;
    (void)purpose;
    transfer->opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    transfer->starved = transfer->opened < 0 && (errno == EMFILE || errno == ENFILE);
    engine->starved = transfer->starved;
    engine->open_sockets += transfer->opened >= 0;
    return transfer->opened;
}

/* ---- when no descriptor is free ---- */

/* What libcurl's resolver takes at once: a pair of sockets, and files and sockets of the C library,
 * which does not say what it lacked. */
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

bool connection_is_starved(const struct transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return transfer->starved;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_SSL_CACERT_BADFILE:
        return !transfer->began && descriptors_are_scarce();
    default:
        return false;
    }
}

void connection_make_room(const struct engine *engine)
{
    bool has_idle = engine->open_sockets > engine->stats.in_flight;
    long most = engine->starved && has_idle ? (long)engine->open_sockets : 0;
    curl_multi_setopt(engine->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
}

/* What may have come and is in no socket of this process: a record that the TLS library holds, what
 * the other end's kernel sends as soon as there is room. */
#define ON_ITS_WAY ((curl_off_t)4 * 1024 * 1024)

bool transfer_may_be_whole(struct transfer *transfer)
{
    curl_off_t length = -1, received = 0;
    int readable = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    if (length < 0 || transfer->used < 0 || ioctl(transfer->used, FIONREAD, &readable) != 0)
        return true;
    return length - received <= readable + ON_ITS_WAY;
}
