/* slow_clock.c - slows the monotonic clock of a program that preloads it, for one that runs under
 * valgrind or strace. Such a program is many times slower, and its slices of time are not: in a
 * step of a millisecond it would serve one request where it serves ten otherwise, and what a step
 * costs would count ten times. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOWER 50

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static long long began_ns;
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result != 0 || clock != CLOCK_MONOTONIC)
        return result;
    long long now_ns = time->tv_sec * 1000000000LL + time->tv_nsec;
    if (began_ns == 0)
        began_ns = now_ns;
    now_ns = began_ns + (now_ns - began_ns) / SLOWER;
    time->tv_sec = now_ns / 1000000000;
    time->tv_nsec = now_ns % 1000000000;
    return 0;
}
