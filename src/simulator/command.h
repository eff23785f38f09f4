/* command.h - runs a program with the server beside it, for `cekura-lua sim -- COMMAND`. */
#ifndef CEKURA_SIMULATOR_COMMAND_H
#define CEKURA_SIMULATOR_COMMAND_H

#include <stdbool.h>

struct command_end {
    int fault;  /* an errno: the program cannot be started; 0: it was */
    int status; /* its exit status */
    int signal; /* the signal that has ended it; 0: it has exited */
};

/* Runs a program, found by PATH, and waits for its end. Signals for this process are passed on
 * meanwhile, but not those of the terminal, which the program gets by itself. Both lists end with
 * NULL. */
struct command_end command_run(char *const *words, char *const *environment);

#endif
