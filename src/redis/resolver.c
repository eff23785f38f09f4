/* resolver.c - looks a name up in a thread of its own; see resolver.h. */
#include "resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct resolver {
    atomic_int references; /* the owner's and the thread's */
    int fd;
    int status; /* of getaddrinfo(); as the addresses, the thread's until it is done */
    struct addresses addresses;
    char name[];
};

static void release(struct resolver *resolver)
{
    if (atomic_fetch_sub(&resolver->references, 1) > 1)
        return;
    close(resolver->fd);
    free(resolver);
}

static void take(struct addresses *addresses, const struct addrinfo *found)
{
    for (; found && addresses->count < RESOLVER_MOST; found = found->ai_next) {
        const struct sockaddr *address = found->ai_addr;
        const void *bytes = address->sa_family == AF_INET6
                                ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                                : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
        if (inet_ntop(address->sa_family, bytes, addresses->texts[addresses->count],
                sizeof addresses->texts[0]))
            addresses->count++;
    }
}

static void *look_up(void *argument)
{
    struct resolver *resolver = argument;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    resolver->status = getaddrinfo(resolver->name, NULL, &hints, &found);
    if (resolver->status == 0) {
        take(&resolver->addresses, found);
        freeaddrinfo(found);
    }
    const uint64_t done = 1;
    ssize_t written = write(resolver->fd, &done, sizeof done);
    (void)written; /* an eventfd has room for it */
    release(resolver);
    return NULL;
}

/* The thread accepts no signals: they belong to the host's threads. */
static bool begin(struct resolver *resolver)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    resolver->references = 2;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool runs = pthread_create(&thread, NULL, look_up, resolver) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (runs)
        pthread_detach(thread);
    return runs;
}

struct resolver *resolver_new(const char *name)
{
    size_t size = strlen(name) + 1;
    struct resolver *resolver = calloc(1, sizeof *resolver + size);
    if (!resolver)
        return NULL;
    memcpy(resolver->name, name, size);
    resolver->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolver->fd >= 0 && begin(resolver))
        return resolver;
    if (resolver->fd >= 0)
        close(resolver->fd);
    free(resolver);
    return NULL;
}

int resolver_fd(const struct resolver *resolver)
{
    return resolver->fd;
}

const struct addresses *resolver_result(struct resolver *resolver, const char **fault)
{
    if (resolver->addresses.count == 0)
        *fault = resolver->status == 0 ? "the name has no address" : gai_strerror(resolver->status);
    return &resolver->addresses;
}

void resolver_free(struct resolver *resolver)
{
    release(resolver);
}
