/* faults.h - three allocators that count, and of which one fails once.
 *
 * `malloc` stands for what the sources of this module ask libc for: malloc, calloc, realloc,
 * strdup, mmap and mremap, by the linker's --wrap. `curl` is what libcurl got by
 * curl_global_init_mem(), `lua` what lua_newstate() got. */
#ifndef CEKURA_MEMORY_FAULTS_H
#define CEKURA_MEMORY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

enum allocator { BY_LUA, BY_MALLOC, BY_CURL, ALLOCATORS };

extern const char *const allocator_names[ALLOCATORS];

struct allocator_state {
    unsigned long made; /* allocations while they were counted */
    long live;          /* blocks that were not given back */
};

extern struct allocator_state allocators[ALLOCATORS];

/* Gives libcurl its allocator; once, before anything of libcurl is called. False: it refused. */
bool faults_begin(void);

/* From now on allocations are counted, and the n-th of that allocator fails; 0: none does. */
void faults_arm(enum allocator which, unsigned long n);

/* They are no longer counted, and none fails. */
void faults_disarm(void);

/* Whether the n-th has been asked for. */
bool faults_met(void);

/* What fails says where, on stderr, and so does a crash. */
void faults_trace(void);

/* For lua_newstate(). */
void *faults_lua(void *user, void *block, size_t old_size, size_t size);

#endif
