/* reading.c - what a connection accepts of a server; see reading.h.
 *
 * The reader calls these functions to make the objects of a reply. */
#include "reading.h"

#include <stdbool.h>

#define MOST_LEVELS 32

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static bool refuse(struct reading *reading, const char *fault)
{
    reading->fault = fault;
    return false;
}

/* hiredis itself handles an error that was not asked for: there are too many connections. */
static bool accepts(const redisReadTask *task)
{
    struct reading *reading = task->privdata;
    int levels = 0;
    for (const redisReadTask *level = task; level; level = level->parent)
        levels++;
    if (levels > MOST_LEVELS)
        return refuse(reading, "the reply has too many levels");
    if (levels == 1 && !reading->context->replies.head && task->type != REDIS_REPLY_ERROR)
        return refuse(reading, "a reply that was not asked for");
    return true;
}

static const redisReplyObjectFunctions *plain(const redisReadTask *task)
{
    return ((const struct reading *)task->privdata)->plain;
}

static void *create_string(const redisReadTask *task, char *text, size_t length)
{
    return accepts(task) ? plain(task)->createString(task, text, length) : NULL;
}

static void *create_array(const redisReadTask *task, element_count count)
{
    return accepts(task) ? plain(task)->createArray(task, count) : NULL;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    return accepts(task) ? plain(task)->createInteger(task, value) : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    return accepts(task) ? plain(task)->createNil(task) : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *create_double(const redisReadTask *task, double value, char *text, size_t length)
{
    return accepts(task) ? plain(task)->createDouble(task, value, text, length) : NULL;
}

static void *create_bool(const redisReadTask *task, int value)
{
    return accepts(task) ? plain(task)->createBool(task, value) : NULL;
}
#endif

void reading_begin(struct reading *reading, redisAsyncContext *context)
{
    redisReader *reader = context->c.reader;
    reading->context = context;
    reading->fault = NULL;
    reading->plain = reader->fn;
    reading->checked = (redisReplyObjectFunctions)
    {
        .createString = create_string, .createArray = create_array, .createInteger = create_integer,
        .createNil = create_nil,
#if HIREDIS_MAJOR >= 1
        .createDouble = create_double, .createBool = create_bool,
#endif
        .freeObject = reader->fn->freeObject,
    };
    reader->fn = &reading->checked;
    reader->privdata = reading;
}
