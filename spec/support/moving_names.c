/* moving_names.c - preloaded, it has every name that ends in ".moving" lead to the IPv4 address
 * that the file MOVING_NAMES holds at that moment. For specs of names that get a new address. */
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
        if (!file) /* as the C library answers when it can open nothing */
            return EAI_SYSTEM;
        char *found = fgets(address, sizeof address, file);
        fclose(file);
        if (!found)
            return EAI_NONAME;
        node = address;
    }
    return real(node, service, hints, result);
}
