/* durations.c - what polls have learned of the durations of jobs: engine_durations() and
 * engine_learn() of engine.h. */
#include "engine.h"
#include "engine_parts.h"

_Static_assert(ENGINE_DURATIONS_SIZE == SKETCH_TEXT + 1, "the text of a sketch");

const char *engine_durations(
    struct engine *engine, unsigned index, char text[ENGINE_DURATIONS_SIZE])
{
    engine_enter(engine);
    struct learner *learner = SLIST_FIRST(&engine->polls.learners);
    while (learner && index-- > 0)
        learner = SLIST_NEXT(learner, next);
    if (learner && !learner_write(learner, text))
        text[0] = '\0';
    engine_leave(engine);
    return learner ? learner->kind : NULL;
}

bool engine_learn(struct engine *engine, const char *kind, const char *text, size_t length)
{
    struct sketch sketch;
    bool is_good = sketch_read(&sketch, text, length);
    if (!is_good || !engine)
        return is_good;
    engine_enter(engine);
    struct learner *learner =
        gate_is_open(&engine->gate) ? learners_find(&engine->polls.learners, kind) : NULL;
    if (learner)
        learner_begin_with(learner, &sketch);
    engine_leave(engine);
    return learner != NULL;
}
