/* moving_names.c - a preloaded resolver: every name that ends in ".moving" has the IPv4 address
 * that the file MOVING_NAMES contains at that moment. For specs of names whose address changes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    size_t length = node ? strlen(node) : 0;
    char address[64] = "";
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (length > 7 && strcmp(node + length - 7, ".moving") == 0) {
        FILE *file = fopen(getenv("MOVING_NAMES"), "r");
        if (!file) /* as libc answers when it has no descriptor */
            return EAI_SYSTEM;
        char *found = fgets(address, sizeof address, file);
        fclose(file);
        if (!found)
            return EAI_NONAME;
        node = address;
    }
    return real(node, service, hints, result);
}
