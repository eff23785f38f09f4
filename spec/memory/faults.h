/* faults.h - three allocators that count allocations, and of which one fails once.
 *
 * `malloc` is the libc functions that this module's sources call: malloc, calloc, realloc, strdup,
 * mmap and mremap, replaced by the linker's --wrap. `curl` is libcurl's allocator, set by
 * curl_global_init_mem(). `lua` is that of the Lua state. */
#ifndef CEKURA_MEMORY_FAULTS_H
#define CEKURA_MEMORY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

enum allocator { BY_LUA, BY_MALLOC, BY_CURL, ALLOCATORS };

extern const char *const allocator_names[ALLOCATORS];

struct allocator_state {
    unsigned long made; /* allocations while armed */
    long live;          /* blocks that were not freed */
};

extern struct allocator_state allocators[ALLOCATORS];

/* Sets libcurl's allocator. Called once, before any other function of libcurl. Returns false if
 * libcurl refuses. */
bool faults_begin(void);

/* Starts counting. The n-th allocation of that allocator fails; with 0, none does. */
void faults_arm(enum allocator which, unsigned long n);

/* Stops counting and failing. */
void faults_disarm(void);

/* Whether the n-th allocation was requested. */
bool faults_met(void);

/* Prints the stack of the failing allocation, and of a crash, to stderr. */
void faults_trace(void);

/* The allocator for lua_newstate(). */
void *faults_lua(void *user, void *block, size_t old_size, size_t size);

#endif
