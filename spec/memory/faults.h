/* faults.h - three allocators that count allocations, and of which one fails once.
 *
 * `malloc` is the libc functions that this module's sources call: malloc, calloc, realloc, strdup,
 * mmap and mremap, replaced by the linker's --wrap. `curl` is libcurl's allocator, set by
 * curl_global_init_mem(). `lua` is that of the Lua states, also of those that the module makes by
 * luaL_newstate(). Threads may allocate at the same time. */
#ifndef CEKURA_MEMORY_FAULTS_H
#define CEKURA_MEMORY_FAULTS_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum allocator { BY_LUA, BY_MALLOC, BY_CURL, ALLOCATORS };

extern const char *const allocator_names[ALLOCATORS];

struct allocator_state {
    atomic_ulong made; /* allocations while armed */
    atomic_long live;  /* blocks that were not freed */
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

/* A new Lua state. Returns NULL if memory runs out. */
lua_State *faults_state(void);

#endif
