/* slow_names.c - preloaded, it makes every name that ends in ".slow" take three seconds to be found
 * not to exist. For specs of what a slow resolver must not hold up. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    size_t length = node ? strlen(node) : 0;
    if (length > 5 && strcmp(node + length - 5, ".slow") == 0) {
        sleep(3);
        return EAI_NONAME;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}
