/* reply.h - replies of a Redis server as Lua values.
 *
 * A missing value is false, and an error in a list is a table { err = text }, as in scripts on the
 * server. An integer that this Lua cannot represent is a text. */
#ifndef CEKURA_REDIS_REPLY_H
#define CEKURA_REDIS_REPLY_H

#include "lua/compat.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>

/* Pushes the value of a reply; for a list, an empty table. */
void reply_push(lua_State *L, const redisReply *reply);

/* Moves elements of a list to the table on top of the stack, which holds those of earlier calls,
 * and frees them here: up to a limit, so that the host is not blocked for long, unless `whole`.
 * Returns whether all of them are there. If memory runs out, it raises, and can be called again. */
bool reply_move(lua_State *L, redisReply *reply, bool whole);

#endif
