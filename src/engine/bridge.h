/* bridge.h - a thread that steps an engine, and a Unix socket that wakes the host.
 *
 * A bridge serves hosts that can wait only for sockets which they have connected themselves, such
 * as nginx. Its thread steps the engine in the background, so a poll whose answer has not changed
 * costs the host's thread nothing.
 *
 * The host connects to bridge_path() and calls bridge_accept(). Then it repeats three steps: arm
 * the bridge, read one byte from the socket, fetch the completions.
 *
 * The socket's file lies in a directory that only this user may enter, and is unlinked when the
 * connection is accepted. If a process is killed before that, the next bridge removes its file. */
#ifndef CEKURA_BRIDGE_H
#define CEKURA_BRIDGE_H

#include "engine.h"

struct bridge;

/* Creates a bridge. On failure, returns NULL and sets *message to a constant string. The bridge
 * holds a reference to the engine, whose owner may close and free it first. */
struct bridge *bridge_new(struct engine *engine, const char **message);

/* The path of the socket. */
const char *bridge_path(const struct bridge *bridge);

/* Accepts the host's connection and starts the thread. Returns false and sets *message if no
 * connection is pending, another process made it, or no thread can be started. */
bool bridge_accept(struct bridge *bridge, const char **message);

/* Requests one byte on the socket for the next completion; see engine_notify(). Returns false, and
 * requests none, if there is something to fetch already. */
bool bridge_arm(struct bridge *bridge);

/* Stops the thread and closes the connection. */
void bridge_free(struct bridge *bridge);

#endif
