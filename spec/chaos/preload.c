/* preload.c - a preloaded library that causes faults of names and of the date.
 *
 * absent-A-B-C.chaos.test does not exist, and slow-A-B-C.chaos.test takes ten seconds to resolve,
 * until a file of that name exists in the folder $CHAOS_NAMES. Then, and with any other first word,
 * the name resolves to 127.A.B.C at once.
 *
 * jump_forward() and jump_back() move the date by a day. They can be called as functions of a Lua
 * module. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

static atomic_long jumped;

int jump_forward(void *lua)
{
    (void)lua;
    jumped += DAY;
    return 0;
}

int jump_back(void *lua)
{
    (void)lua;
    jumped -= DAY;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += jumped;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return result;
}

time_t time(time_t *into)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into)
        *into = now.tv_sec;
    return now.tv_sec;
}

int getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    unsigned a, b, c;
    char verb[8], path[512], address[INET_ADDRSTRLEN + 16];
    if (!node || sscanf(node, "%7[a-z]-%u-%u-%u.chaos.test", verb, &a, &b, &c) != 4)
        return real(node, service, hints, result);
    snprintf(path, sizeof path, "%s/%s", getenv("CHAOS_NAMES"), node);
    if (access(path, F_OK) != 0) {
        if (strcmp(verb, "absent") == 0)
            return EAI_NONAME;
        if (strcmp(verb, "slow") == 0)
            sleep(10);
    }
    snprintf(address, sizeof address, "127.%u.%u.%u", a, b, c);
    return real(address, service, hints, result);
}
