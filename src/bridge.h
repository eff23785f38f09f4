/* bridge.h - tells over a socket that a descriptor is readable: for hosts that can wait for sockets
 * which they have connected themselves, and for nothing else (nginx).
 *
 * A thread waits for the descriptor, and writes a byte when it is readable: one for each
 * bridge_arm(). The host connects to bridge_path(), then calls bridge_accept(). From then on it
 * reads a byte, does what is due, and arms the bridge again.
 *
 * The socket's file is there only until it was accepted, in a directory of its own that nobody else
 * may enter. What a process leaves behind that is killed meanwhile, the next bridge takes away. */
#ifndef CEKURA_BRIDGE_H
#define CEKURA_BRIDGE_H

#include <stdbool.h>

struct bridge;

/* NULL on failure, with `message` (constant) telling why. The descriptor stays the caller's, and
 * may be closed before the bridge is freed. */
struct bridge *bridge_new(int fd, const char **message);

/* Where to connect to. */
const char *bridge_path(const struct bridge *bridge);

/* Takes the connection that was made, and starts the thread; false, with `message`, if there is
 * none, or it is not of this process. */
bool bridge_accept(struct bridge *bridge, const char **message);

/* Has a byte written, once, as soon as the descriptor is readable. */
void bridge_arm(struct bridge *bridge);

/* Ends the connection and the thread. */
void bridge_free(struct bridge *bridge);

#endif
