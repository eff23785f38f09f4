/* behaviour.h - what the simulator answers: Lua, in a state of its own that only the server's
 * thread uses. The Lua side is cekura.simulator.server, which calls back (server.h).
 *
 * No function raises. An error of the Lua side, which includes a lack of memory, is returned. */
#ifndef CEKURA_SIMULATOR_BEHAVIOUR_H
#define CEKURA_SIMULATOR_BEHAVIOUR_H

#include "text/buffer.h"

#include <stdint.h>

struct server;
struct behaviour;

struct text {
    const char *bytes; /* NULL: none */
    size_t length;
};

/* Opens a state that finds modules by these two paths, and loads the Lua side. On failure, returns
 * NULL, and appends what is wrong to *fault. */
struct behaviour *behaviour_new(
    struct server *server, const char *path, const char *cpath, struct buffer *fault);

void behaviour_free(struct behaviour *behaviour);

/* A connection has sent a request: its head, up to the empty line, and its body. */
bool behaviour_request(
    struct behaviour *behaviour, uint64_t id, struct text head, struct text body);

/* The time that server_wake() was called for is over. */
bool behaviour_time(struct behaviour *behaviour, uint64_t id);

/* The connection is closed, whose request waits for its reply. */
void behaviour_gone(struct behaviour *behaviour, uint64_t id);

/* The answer to what server_ask() was called for. */
bool behaviour_answer(struct behaviour *behaviour, uint64_t number, struct text answer);

/* Calls a function for the owner of the server, and appends its result. Returns false if it raises;
 * its error is appended then. */
bool behaviour_call(
    struct behaviour *behaviour, struct text name, struct text arguments, struct buffer *result);

#endif
