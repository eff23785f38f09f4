/* bridge.h - steps an engine in a background thread, and notifies the host over a socket when
 * something has come of it: for hosts that can wait only for sockets which they have connected
 * themselves (nginx).
 *
 * So what an engine does by itself, a poll whose answer is the known one, costs the host's thread
 * nothing. The host connects to bridge_path(), then calls bridge_accept(). From then on it arms the
 * bridge, reads a byte, fetches what has finished, and arms it again.
 *
 * The socket's file exists only until the connection is accepted, in a directory that no other user
 * may enter. The next bridge removes the files of a process that was killed meanwhile. */
#ifndef CEKURA_BRIDGE_H
#define CEKURA_BRIDGE_H

#include "engine.h"

struct bridge;

/* NULL on failure, with the reason in `message` (constant). The engine may be closed, and freed by
 * its owner, before the bridge is. */
struct bridge *bridge_new(struct engine *engine, const char **message);

/* Where to connect to. */
const char *bridge_path(const struct bridge *bridge);

/* Accepts the connection that was made, and starts the thread. False, with `message`: there is
 * none, or another process has made it. */
bool bridge_accept(struct bridge *bridge, const char **message);

/* Has a byte written, once, see engine_notify(). False: there is something to fetch already. */
bool bridge_arm(struct bridge *bridge);

/* Ends the connection and the thread. */
void bridge_free(struct bridge *bridge);

#endif
