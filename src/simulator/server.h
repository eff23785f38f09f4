/* server.h - a server of HTTP/1.1 on the loopback interface, in a thread of the process.
 *
 * The thread accepts connections, reads requests and sends replies; what it replies is up to the
 * behaviour (behaviour.h). All signals are blocked in it. The owner's thread starts and stops the
 * server, calls functions of the behaviour, and answers what the behaviour asks.
 *
 * In a forked child there is no thread: the server is of no use there, and freeing it only closes
 * the child's descriptors. */
#ifndef CEKURA_SIMULATOR_SERVER_H
#define CEKURA_SIMULATOR_SERVER_H

#include "behaviour.h"

struct server;

struct server_options {
    unsigned port;            /* 0: a free one */
    const char *path, *cpath; /* where the behaviour finds its modules */
};

/* Starts a server. On failure, returns NULL, and appends what is wrong to *fault. */
struct server *server_new(const struct server_options *options, struct buffer *fault);

/* Ends the thread and closes all connections. It waits for a function of the behaviour that is
 * running. */
void server_free(struct server *server);

unsigned server_port(const struct server *server);

/* Whether this is another process than the one that has started the server. */
bool server_is_elsewhere(const struct server *server);

/* Calls a function of the behaviour in the server's thread, and waits for its result; see
 * behaviour_call(). The result is valid until the next call. */
bool server_call(
    struct server *server, struct text name, struct text arguments, struct text *result);

/* A descriptor that is readable while there are questions. Reading them makes it unreadable. */
int server_question_fd(const struct server *server);

struct question {
    struct question *next;
    uint64_t number;
    size_t length;
    char text[];
};

/* The first question, which stays until it is dropped. Returns NULL if there is none. */
const struct question *server_first_question(struct server *server);

/* Drops the first question. */
void server_drop_question(struct server *server);

/* Answers a question. Returns false if memory runs out. */
bool server_answer(struct server *server, uint64_t number, struct text answer);

#endif
