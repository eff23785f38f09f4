/* timer.c - what the machine alone does to a timer: sleeps a millisecond at a time, for SECONDS,
 * and prints by how many milliseconds it was woken late at most.
 *
 *   timer SECONDS */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    double end = now() + (argc > 1 ? atof(argv[1]) : 1), longest = 0;
    while (now() < end) {
        const struct timespec pause = {.tv_nsec = 1000000};
        double due = now() + 1e-3;
        nanosleep(&pause, NULL);
        double late = now() - due;
        longest = late > longest ? late : longest;
    }
    printf("%.3f\n", longest * 1e3);
    return 0;
}
