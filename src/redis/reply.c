/* reply.c - replies of a Redis server as Lua values; see reply.h.
 *
 * Where a list has got to is in the list itself: `integer` counts the elements that were moved, and
 * of those to come, a list whose table is there already has begun. */
#include "reply.h"

#include <limits.h>
#include <stdio.h>

/* One call moves elements of so many bytes, each of which counts for more than its text. */
#define BYTES_PER_CALL ((size_t)256 * 1024)
#define BYTES_PER_ELEMENT 128

static void push_digits(lua_State *L, long long value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", value);
    lua_pushstring(L, digits);
}

void reply_push(lua_State *L, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        if (!compat_push_exact(L, reply->integer))
            push_digits(L, reply->integer);
        return;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        lua_pushlstring(L, reply->str, (size_t)reply->len);
        return;
    case REDIS_REPLY_ERROR:
        lua_createtable(L, 0, 1);
        lua_pushlstring(L, reply->str, (size_t)reply->len);
        lua_setfield(L, -2, "err");
        return;
    case REDIS_REPLY_ARRAY:
        lua_createtable(L, reply->elements < INT_MAX ? (int)reply->elements : INT_MAX, 0);
        return;
    default:
        lua_pushboolean(L, 0);
    }
}

/* Pushes the table of a list within the list whose table is on top, where it has that place. */
static void push_inner(lua_State *L, const redisReply *list, int place)
{
    lua_rawgeti(L, -1, place);
    if (!lua_isnil(L, -1))
        return;
    lua_pop(L, 1);
    reply_push(L, list);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, place);
}

static bool move(lua_State *L, redisReply *reply, size_t *budget)
{
    compat_check_stack(L, 4);
    for (; (size_t)reply->integer < reply->elements; reply->integer++) {
        redisReply **element = &reply->element[reply->integer];
        int place = (int)reply->integer + 1;
        size_t cost = BYTES_PER_ELEMENT + (size_t)(*element)->len;
        if (*budget == 0)
            return false;
        *budget -= cost < *budget ? cost : *budget;
        if ((*element)->type == REDIS_REPLY_ARRAY) {
            push_inner(L, *element, place);
            bool is_whole = move(L, *element, budget);
            lua_pop(L, 1);
            if (!is_whole)
                return false;
        } else {
            reply_push(L, *element);
            lua_rawseti(L, -2, place);
        }
        freeReplyObject(*element);
        *element = NULL;
    }
    return true;
}

bool reply_move(lua_State *L, redisReply *reply, bool whole)
{
    size_t budget = whole ? SIZE_MAX : BYTES_PER_CALL;
    return move(L, reply, &budget);
}
