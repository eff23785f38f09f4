/* engine_parts.h - struct engine and its parts. Each part belongs to the file that it is named for.
 * engine.c combines them; operation.c and poller.c are built on them. */
#ifndef CEKURA_ENGINE_PARTS_H
#define CEKURA_ENGINE_PARTS_H

#include "clock.h"
#include "completions.h"
#include "jitter.h"
#include "learner.h"
#include "stats.h"
#include "transfer.h"
#include "window.h"

struct engine {
    struct gate gate;
    atomic_uint references; /* the owner's, and one for each operation, poll and bridge */
    struct loop loop;
    struct step step;
    struct completions completions;
    struct heap timers; /* deadlines, pauses */
    struct window window;
    struct transfers transfers;
    struct jitter jitter;
    /* operation.c */
    struct {
        unsigned retries; /* further tries of a request that may be repeated */
        struct retry_quota quota;
    } tries;
    /* poller.c */
    struct {
        struct heap due; /* timers that fire only while the window takes polls */
        unsigned watched;
        void *forms;       /* see form.h */
        int64_t origin_us; /* of the grid of due times, which differs between engines */
        struct learners learners;
    } polls;
    LIST_HEAD(, guest) guests; /* see guest.h */
    struct engine_stats stats;
    double speed; /* see engine_set_speed() */
};

/* A pause, divided by the engine's speed. */
static inline int64_t engine_quicken_us(const struct engine *engine, int64_t pause_us)
{
    return engine->speed == 1 ? pause_us
                              : clock_from_seconds(clock_to_seconds(pause_us) / engine->speed);
}

/* The opposite: how long a span would have been at speed 1. */
static inline int64_t engine_unquicken_us(const struct engine *engine, int64_t span_us)
{
    return engine->speed == 1 ? span_us
                              : clock_from_seconds(clock_to_seconds(span_us) * engine->speed);
}

/* State that a step may change is accessed only between engine_enter() and engine_leave(). The
 * public functions of engine, operation and poller call these two, so none of them calls another in
 * between. */
static inline struct engine *engine_enter(struct engine *engine)
{
    step_record(&engine->step, gate_enter(&engine->gate));
    return engine;
}

static inline void engine_leave(struct engine *engine)
{
    gate_leave(&engine->gate);
}

#endif
