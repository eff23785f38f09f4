/* server.h - what the scenarios talk to. */
#ifndef CEKURA_MEMORY_SERVER_H
#define CEKURA_MEMORY_SERVER_H

/* Starts it on a free port of the loopback interface; returns the port, -1 on failure. It ends with
 * the process that calls. */
int server_start(void);

#endif
