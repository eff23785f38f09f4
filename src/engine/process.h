/* process.h - forks, and the exit of the process.
 *
 * libcurl and its TLS library survive neither: what was made before belongs to another process
 * afterwards, and is left alone. A process is known by its generation, which changes in a forked
 * child and at exit. */
#ifndef CEKURA_PROCESS_H
#define CEKURA_PROCESS_H

#include <stdbool.h>

/* Begins to count; to be called once libcurl is initialized, and before the first engine is made.
 * False: out of memory. */
bool process_watch(void);

unsigned process_generation(void);

/* Between these the process neither forks nor ends. */
void process_hold(void);
void process_release(void);

/* Whether a fork or the exit waits for those that hold the process. */
bool process_is_wanted(void);

#endif
