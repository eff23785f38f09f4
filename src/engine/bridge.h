/* bridge.h - steps an engine in a thread of its own, and tells its host over a socket when
 * something has come of it: for hosts that can wait for sockets which they have connected
 * themselves, and for nothing else (nginx).
 *
 * So what an engine does by itself, a poll whose answer is the known one, costs the host's thread
 * nothing. The host connects to bridge_path(), then calls bridge_accept(). From then on it arms the
 * bridge, reads a byte, fetches what has finished, and arms it again.
 *
 * The socket's file is there only until it was accepted, in a directory of its own that nobody else
 * may enter. What a process leaves behind that is killed meanwhile, the next bridge takes away. */
#ifndef CEKURA_BRIDGE_H
#define CEKURA_BRIDGE_H

#include "engine.h"

struct bridge;

/* NULL on failure, with `message` (constant) telling why. The engine may be closed, and freed by
 * its owner, before the bridge is. */
struct bridge *bridge_new(struct engine *engine, const char **message);

/* Where to connect to. */
const char *bridge_path(const struct bridge *bridge);

/* Takes the connection that was made, and starts the thread; false, with `message`, if there is
 * none, or it is not of this process. */
bool bridge_accept(struct bridge *bridge, const char **message);

/* Has a byte written, once, as engine_notify(). False: there is something already. */
bool bridge_arm(struct bridge *bridge);

/* Ends the connection and the thread. */
void bridge_free(struct bridge *bridge);

#endif
