/* process.h - forks and the exit of the process.
 *
 * The handles of libcurl and its TLS library can be used neither in a forked child nor after exit()
 * has begun. Each of the two starts a new generation, and handles of an older one are left alone.
 */
#ifndef CEKURA_PROCESS_H
#define CEKURA_PROCESS_H

#include <stdbool.h>

/* Registers the handlers. Called once, after libcurl is initialized and before the first engine is
 * created. Returns false if memory runs out. */
bool process_watch(void);

unsigned process_generation(void);

/* Between these two calls, which any thread may make, the process neither forks nor exits. */
void process_hold(void);
void process_release(void);

/* Whether a fork or the exit is waiting for threads that hold the process. */
bool process_is_wanted(void);

#endif
