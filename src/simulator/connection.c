/* connection.c - one connection to the server; see connection.h. */
#include "connection.h"

#include "engine/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The place of a connection in the lower bits of its id. */
#define PLACES ((uint64_t)1 << 20)

/* How long a connection is read that has been closed for writing: a client that still sends would
 * lose the reply to a reset. */
#define DRAIN_US INT64_C(1000000)

/* Bytes that are read at once from one connection, before the others have their turn. */
#define READS 16

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* ---- places ---- */

static bool grow(struct connections *all)
{
    size_t capacity = all->capacity ? all->capacity * 2 : 64;
    if (capacity > PLACES)
        return false;
    struct connection **slots = realloc(all->slots, capacity * sizeof(struct connection *));
    if (!slots)
        return false;
    all->slots = slots;
    size_t *free_places = realloc(all->free, capacity * sizeof *free_places);
    if (!free_places)
        return false;
    all->free = free_places;
    for (size_t place = capacity; place-- > all->capacity;) {
        all->slots[place] = NULL;
        all->free[all->free_count++] = place;
    }
    all->capacity = capacity;
    return true;
}

struct connection *connection_find(struct connections *all, uint64_t id)
{
    size_t place = (size_t)(id % PLACES);
    struct connection *connection = place < all->capacity ? all->slots[place] : NULL;
    return connection && connection->id == id ? connection : NULL;
}

/* ---- events and times ---- */

/* Returns false if the descriptor cannot be watched. */
static bool watch(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = connection->id};
    if (events == connection->events)
        return true;
    connection->events = events;
    return epoll_ctl(connection->all->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

static void set_timer(struct connection *connection, int64_t span_us)
{
    heap_insert(&connection->all->timers, &connection->node, clock_monotonic_us() + span_us);
}

/* ---- life ---- */

bool connection_open(struct connections *all, int fd)
{
    if (all->free_count == 0 && !grow(all))
        return false;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection || !heap_reserve(&all->timers)) {
        free(connection);
        return false;
    }
    size_t place = all->free[all->free_count - 1];
    *connection = (struct connection){.all = all,
        .id = ++all->made * PLACES + place,
        .fd = fd,
        .events = EPOLLIN,
        .state = CONNECTION_READS};
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = connection->id};
    if (epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        heap_unreserve(&all->timers);
        free(connection);
        return false;
    }
    all->free_count--;
    all->slots[place] = connection;
    all->count++;
    return true;
}

/* A forked child may have a copy of the descriptor, so closing it would neither end the connection
 * nor remove it from epoll. */
void connection_close(struct connection *connection)
{
    struct connections *all = connection->all;
    if (connection->state == CONNECTION_WAITS)
        behaviour_gone(all->behaviour, connection->id);
    epoll_ctl(all->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    shutdown(connection->fd, SHUT_RDWR);
    close(connection->fd);
    heap_remove(&all->timers, &connection->node);
    heap_unreserve(&all->timers);
    size_t place = (size_t)(connection->id % PLACES);
    all->slots[place] = NULL;
    all->free[all->free_count++] = place;
    all->count--;
    buffer_free(&connection->in);
    buffer_free(&connection->body);
    buffer_free(&connection->out);
    free(connection);
}

void connections_close_idle(struct connections *all)
{
    for (size_t place = 0; place < all->capacity; place++) {
        struct connection *connection = all->slots[place];
        if (connection && connection->state == CONNECTION_READS && connection->is_used &&
            connection->in.length == 0)
            connection_close(connection);
    }
}

void connections_free(struct connections *all)
{
    for (size_t place = 0; place < all->capacity; place++)
        if (all->slots[place]) {
            all->slots[place]->state = CONNECTION_DRAINS; /* the behaviour need not know */
            connection_close(all->slots[place]);
        }
    free(all->slots);
    free(all->free);
    heap_destroy(&all->timers);
}

/* ---- reading ---- */

/* Removes the first bytes. */
static void shift(struct buffer *buffer, size_t length)
{
    if (length)
        memmove(buffer->bytes, buffer->bytes + length, buffer->length - length);
    buffer->length -= length;
}

/* Replies from here, to what is not a request. */
static void refuse(struct connection *connection, int status)
{
    char reply[128];
    int length = snprintf(reply, sizeof reply,
        "HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    buffer_clear(&connection->in);
    if (buffer_append(&connection->out, reply, (size_t)length, SIZE_MAX) != BUFFER_OK) {
        connection_close(connection);
        return;
    }
    connection_write(connection, 0, true);
}

/* Takes chunks from `in` to the body. Returns 1: it is complete; 0: more is to come; else the
 * status of the refusal. */
static int take_chunks(struct connection *connection)
{
    struct buffer *in = &connection->in;
    size_t at = connection->head.length;
    while (at < in->length && connection->chunks.state < CHUNKS_DONE) {
        const char *data = NULL;
        size_t size;
        at += http_read_chunks(&connection->chunks, in->bytes + at, in->length - at, &data, &size);
        if (size && buffer_append(&connection->body, data, size, HTTP_MAX_BODY) != BUFFER_OK)
            return 413;
    }
    size_t rest = in->length - at;
    memmove(in->bytes + connection->head.length, in->bytes + at, rest);
    in->length = connection->head.length + rest;
    if (connection->chunks.state == CHUNKS_BAD)
        return 400;
    return connection->chunks.state == CHUNKS_DONE;
}

/* The request is complete. */
static void pass_on(struct connection *connection)
{
    struct http_head *head = &connection->head;
    struct buffer *in = &connection->in;
    struct text body = {in->bytes + head->length, head->body_length};
    if (head->is_chunked)
        body = (struct text){
            connection->body.bytes ? connection->body.bytes : "", connection->body.length};
    else if (head->body_length == 0)
        body = (struct text){NULL, 0};
    connection->state = CONNECTION_WAITS;
    bool good =
        watch(connection, 0) && behaviour_request(connection->all->behaviour, connection->id,
                                    (struct text){in->bytes, head->length}, body);
    shift(in, head->length + (head->is_chunked ? 0 : head->body_length));
    if (in->length == 0)
        buffer_free(in);
    buffer_free(&connection->body);
    *head = (struct http_head){0};
    connection->chunks = (struct http_chunks){0};
    connection->has_continued = false;
    if (!good)
        connection_close(connection);
}

static bool send_continue(struct connection *connection)
{
    if (connection->has_continued)
        return true;
    connection->has_continued = true;
    size_t length = sizeof continue_line - 1;
    return send(connection->fd, continue_line, length, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           (ssize_t)length;
}

/* Does what follows from the bytes in `in`. */
static void proceed(struct connection *connection)
{
    struct http_head *head = &connection->head;
    struct buffer *in = &connection->in;
    if (head->length == 0)
        *head = http_read_head(in->bytes, in->length);
    if (head->length == 0)
        return;
    int done = head->fault;
    if (!done)
        done = head->is_chunked ? take_chunks(connection)
                                : in->length - head->length >= head->body_length;
    if (done == 1)
        pass_on(connection);
    else if (done)
        refuse(connection, done);
    else if (head->is_awaiting && !send_continue(connection))
        connection_close(connection);
}

static void read_request(struct connection *connection)
{
    struct connections *all = connection->all;
    for (int i = 0; i < READS; i++) {
        ssize_t count = recv(connection->fd, all->room, sizeof all->room, MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (count <= 0 || buffer_append(&connection->in, all->room, (size_t)count, SIZE_MAX)) {
            connection_close(connection);
            return;
        }
        if ((size_t)count < sizeof all->room)
            break;
    }
    if (connection->in.length)
        proceed(connection);
}

/* ---- writing ---- */

static void end_reply(struct connection *connection)
{
    buffer_free(&connection->out);
    connection->written = connection->head_length = 0;
    connection->is_used = true;
    if (connection->ends) {
        shutdown(connection->fd, SHUT_WR);
        connection->state = CONNECTION_DRAINS;
        set_timer(connection, DRAIN_US);
    } else {
        connection->state = CONNECTION_READS;
        heap_remove(&connection->all->timers, &connection->node);
        if (connection->in.length) { /* the next request has come already; not from here: this
                                        would call itself for as long as there is one more */
            set_timer(connection, 0);
            return;
        }
    }
    if (!watch(connection, EPOLLIN))
        connection_close(connection);
}

/* Writes until nothing is left, the socket is full, or the next byte is not due yet. */
static void write_reply(struct connection *connection)
{
    struct buffer *out = &connection->out;
    while (connection->written < out->length) {
        bool is_slow = connection->slow_us > 0 && connection->written >= connection->head_length;
        size_t end = connection->slow_us == 0 ? out->length
                     : is_slow                ? connection->written + 1
                                              : connection->head_length;
        ssize_t count = send(connection->fd, out->bytes + connection->written,
            end - connection->written, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            connection_close(connection);
            return;
        }
        if (count < 0) {
            if (!watch(connection, EPOLLOUT))
                connection_close(connection);
            return;
        }
        connection->written += (size_t)count;
        if (is_slow) {
            set_timer(connection, connection->slow_us);
            if (!watch(connection, 0))
                connection_close(connection);
            return;
        }
    }
    end_reply(connection);
}

void connection_write(struct connection *connection, int64_t slow_us, bool ends)
{
    connection->state = CONNECTION_WRITES;
    connection->slow_us = slow_us;
    connection->ends = ends;
    set_timer(connection, 0); /* not from here: the behaviour may be the caller */
}

/* ---- what happens to it ---- */

static void drain(struct connection *connection)
{
    struct connections *all = connection->all;
    ssize_t count = recv(connection->fd, all->room, sizeof all->room, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(connection);
}

void connection_ready(struct connection *connection, uint32_t events)
{
    if (connection->state == CONNECTION_READS && events & EPOLLIN)
        read_request(connection);
    else if (connection->state == CONNECTION_WRITES && events & EPOLLOUT)
        write_reply(connection);
    else if (connection->state == CONNECTION_DRAINS && events & EPOLLIN)
        drain(connection);
    else if (events & (EPOLLERR | EPOLLHUP))
        connection_close(connection);
}

void connection_time(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_READS:
        if (watch(connection, EPOLLIN))
            proceed(connection);
        else
            connection_close(connection);
        break;
    case CONNECTION_WAITS:
        if (!behaviour_time(connection->all->behaviour, connection->id))
            connection_close(connection);
        break;
    case CONNECTION_WRITES:
        write_reply(connection);
        break;
    case CONNECTION_DRAINS:
        connection_close(connection);
        break;
    }
}
