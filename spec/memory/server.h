/* server.h - the server of the scenarios, which speaks HTTP, and to clients that do, Redis's
 * protocol. */
#ifndef CEKURA_MEMORY_SERVER_H
#define CEKURA_MEMORY_SERVER_H

/* Starts the server on a free port of the loopback interface. Returns the port, or -1 on failure.
 * It ends with the calling process. */
int server_start(void);

#endif
