/* resolver.h - looks a name up in a thread of its own: getaddrinfo() blocks, for seconds if the
 * name server is slow. */
#ifndef CEKURA_REDIS_RESOLVER_H
#define CEKURA_REDIS_RESOLVER_H

#include <netinet/in.h>
#include <stdbool.h>

struct resolver;

#define RESOLVER_MOST 8
struct addresses {
    int count;
    char texts[RESOLVER_MOST][INET6_ADDRSTRLEN];
};

/* Begins. Returns NULL if memory, descriptors or threads run out. */
struct resolver *resolver_new(const char *name);

/* A descriptor that becomes readable when it is done. */
int resolver_fd(const struct resolver *resolver);

/* The addresses, once it is done; they belong to the resolver. If there is none, sets *fault. */
const struct addresses *resolver_result(struct resolver *resolver, const char **fault);

/* Frees it. A thread that still looks the name up ends by itself. */
void resolver_free(struct resolver *resolver);

#endif
