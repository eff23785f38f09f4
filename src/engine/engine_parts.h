/* engine_parts.h - the parts of an engine. Each belongs to the file that it is named for; engine.c
 * has them work together, operation.c and poller.c are built on them. */
#ifndef CEKURA_ENGINE_PARTS_H
#define CEKURA_ENGINE_PARTS_H

#include "completions.h"
#include "jitter.h"
#include "stats.h"
#include "transfer.h"
#include "window.h"

LIST_HEAD(poller_list, poller);

struct engine {
    struct gate gate;
    atomic_uint references; /* the owner's, and one of each operation and bridge */
    struct loop loop;
    struct step step;
    struct completions completions;
    struct heap timers; /* deadlines, pauses */
    struct window window;
    struct transfers transfers;
    struct jitter jitter;
    /* operation.c */
    struct {
        unsigned retries; /* further tries of what may be repeated */
        struct retry_quota quota;
    } tries;
    /* poller.c */
    struct {
        struct heap due; /* timers that fire only while the window takes polls */
        struct poller_list watched;
        int64_t origin_us; /* of the moments at which polls are due: another in each engine */
    } polls;
    struct engine_stats stats;
};

/* What a step may change is read and changed only between these. The public functions of engine,
 * operation and poller call them, so none of those calls another in between. */
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
