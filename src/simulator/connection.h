/* connection.h - one connection to the server: its request is read, waits for its reply, which is
 * written, and then comes the next.
 *
 * All of it runs in the server's thread. */
#ifndef CEKURA_SIMULATOR_CONNECTION_H
#define CEKURA_SIMULATOR_CONNECTION_H

#include "behaviour.h"
#include "engine/heap.h"
#include "http.h"

/* What the connections of a server share. */
struct connections {
    struct behaviour *behaviour;
    int epoll_fd;
    struct heap timers;
    struct connection **slots; /* a connection's place is in its id; NULL: free */
    size_t *free;              /* the free places */
    size_t count, capacity, free_count;
    uint64_t made;
    char room[65536]; /* what is read is read into */
};

enum connection_state {
    CONNECTION_READS,
    CONNECTION_WAITS,  /* for the reply */
    CONNECTION_WRITES, /* the reply */
    CONNECTION_DRAINS, /* it is closed for writing, and reads until the client closes it */
};

struct connection {
    struct connections *all;
    uint64_t id;
    int fd;
    uint32_t events; /* what the descriptor is watched for */
    enum connection_state state;
    struct heap_node node; /* WAITS: for behaviour_time(); WRITES: the next byte; DRAINS: the end */
    struct http_head head;
    struct http_chunks chunks;
    struct buffer in, body, out; /* `in` begins with the request */
    size_t head_length;          /* of `out`: what precedes the body */
    size_t written;
    int64_t slow_us; /* WRITES: a byte of the body; 0: at once */
    bool ends, has_continued, is_used;
};

/* Takes over the descriptor of a new connection. Returns false if memory runs out. */
bool connection_open(struct connections *all, int fd);

/* The connection with that id; NULL: it is gone. */
struct connection *connection_find(struct connections *all, uint64_t id);

void connection_close(struct connection *connection);

/* The descriptor is ready for these events of epoll. */
void connection_ready(struct connection *connection, uint32_t events);

/* Its timer has fired. */
void connection_time(struct connection *connection);

/* Begins to write what `out` has. */
void connection_write(struct connection *connection, int64_t slow_us, bool ends);

/* Closes the connections that wait for a further request, as there is no descriptor for others. */
void connections_close_idle(struct connections *all);

/* Closes all connections, and frees what they share. */
void connections_free(struct connections *all);

#endif
