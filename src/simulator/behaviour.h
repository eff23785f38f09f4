/* behaviour.h - what the simulator answers: Lua, in a state of its own that only the server's
 * thread uses. The Lua side is cekura.simulator.server, which calls back (struct behaviour_host).
 *
 * No function raises. An error of the Lua side, which includes a lack of memory, is returned. */
#ifndef CEKURA_SIMULATOR_BEHAVIOUR_H
#define CEKURA_SIMULATOR_BEHAVIOUR_H

#include "text/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct behaviour;

struct text {
    const char *bytes; /* NULL: none */
    size_t length;
};

/* What the behaviour has done, in the functions below. Connections that are gone are ignored. */
struct behaviour_host {
    void *owner;

    /* Begins a reply to the request of a connection. Returns false if memory runs out. */
    bool (*send)(void *owner, uint64_t id, struct text head, struct text body);

    /* Sends it: its body takes slow_us a byte, and the connection is closed after it if it `ends`.
     */
    void (*finish)(void *owner, uint64_t id, int64_t slow_us, bool ends);

    /* Has behaviour_time() called after that span, unless a reply is sent before. */
    void (*wake)(void *owner, uint64_t id, int64_t span_us);

    /* Has somebody else asked, and behaviour_answer() called. Returns false if memory runs out. */
    bool (*ask)(void *owner, uint64_t number, struct text question);
};

/* Opens a state that finds modules by these two paths, and loads the Lua side. The host is copied.
 * On failure, returns
 * NULL, and appends what is wrong to *fault. */
struct behaviour *behaviour_new(
    const struct behaviour_host *host, const char *path, const char *cpath, struct buffer *fault);

void behaviour_free(struct behaviour *behaviour);

/* A connection has sent a request: its head, up to the empty line, and its body. */
bool behaviour_request(
    struct behaviour *behaviour, uint64_t id, struct text head, struct text body);

/* The time that wake() was called for is over. */
bool behaviour_time(struct behaviour *behaviour, uint64_t id);

/* The connection is closed, whose request waits for its reply. */
void behaviour_gone(struct behaviour *behaviour, uint64_t id);

/* The answer to what ask() was called for. */
bool behaviour_answer(struct behaviour *behaviour, uint64_t number, struct text answer);

/* Calls a function for the owner of the server, and appends its result. Returns false if it raises;
 * its error is appended then. */
bool behaviour_call(
    struct behaviour *behaviour, struct text name, struct text arguments, struct buffer *result);

#endif
