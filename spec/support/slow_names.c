/* slow_names.c - a resolver, preloaded or linked in, that takes SLOW_NAMES seconds (default 3) to
 * report that a name ending in ".slow" does not exist. For specs of what a slow resolver must not
 * block.
 *
 * int release_slow_names(void) ends all such lookups. It returns their number, when their threads
 * are about to return. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_US 10000

static atomic_int waiting;
static atomic_bool released;

int release_slow_names(void);

int release_slow_names(void)
{
    int count = atomic_load(&waiting);
    atomic_store(&released, 1);
    while (atomic_load(&waiting) > 0)
        usleep(PAUSE_US);
    return count;
}

static void take_long(void)
{
    const char *seconds = getenv("SLOW_NAMES");
    int pauses = (seconds ? atoi(seconds) : 3) * (1000000 / PAUSE_US);
    atomic_fetch_add(&waiting, 1);
    while (pauses-- > 0 && !atomic_load(&released))
        usleep(PAUSE_US);
    atomic_fetch_sub(&waiting, 1);
}

int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    size_t length = node ? strlen(node) : 0;
    if (length > 5 && strcmp(node + length - 5, ".slow") == 0) {
        take_long();
        return EAI_NONAME;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}
