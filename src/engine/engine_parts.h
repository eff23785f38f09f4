/* engine_parts.h - an engine, which consists of parts. Each belongs to the file that it is named
 * for; engine.c has them work together, operation.c and poller.c stand on them. */
#ifndef CEKURA_ENGINE_PARTS_H
#define CEKURA_ENGINE_PARTS_H

#include "access.h"
#include "completions.h"
#include "jitter.h"
#include "transfer.h"
#include "window.h"

LIST_HEAD(poller_list, poller);

struct engine {
    struct access access;
    atomic_uint references;
    struct loop loop;
    struct step step;
    struct completions completions;
    struct heap timers;    /* deadlines, pauses */
    struct heap polls_due; /* timers that fire only while the window takes polls */
    struct window window;
    struct transfers transfers;
    struct jitter jitter;
    struct retry_quota quota;

    /* operation.c */
    unsigned retries;
    uint64_t requests_sent, requests_repeated;

    /* poller.c */
    struct poller_list watched;
    unsigned polls_made;
    int64_t origin_us; /* of the moments at which polls are due: another in each engine */
};

static inline struct engine *engine_enter(struct engine *engine)
{
    access_enter(&engine->access);
    return engine;
}

static inline void engine_leave(struct engine *engine)
{
    access_leave(&engine->access);
}

static inline bool engine_is_open(const struct engine *engine)
{
    return access_is_open(&engine->access);
}

#endif
