/* marshal.h - tables with named members as C values, and outcomes as tables.
 *
 * A member of another type than its reader's raises an error that names it. Strings stay Lua's:
 * they live as long as the table that they stand in is not changed. */
#ifndef CEKURA_LUA_MARSHAL_H
#define CEKURA_LUA_MARSHAL_H

#include "engine/operation.h"
#include "object.h"

/* The string at `name` in the table at `table`; NULL for none. `length` may be NULL. */
const char *marshal_text(lua_State *L, int table, const char *name, size_t *length);

/* The number from 0 to `most`. */
double marshal_number(lua_State *L, int table, const char *name, double most);

bool marshal_flag(lua_State *L, int table, const char *name);

/* The strings and secrets of a list, in an array that the collector owns and that stays on the
 * stack; NULL for none. */
const char *const *marshal_lines(lua_State *L, int table, const char *name, size_t *count);

/* A request from the table at `table`: `method`, `url`, `headers` (a list of lines), `body`,
 * `timeout` in seconds, `endpoint_url`, `urgent`, `once`; see struct request. May leave values on
 * the stack that must stay. */
struct request marshal_request(lua_State *L, int table);

/* These set a field of the table on top of the stack. */
void marshal_set_text(lua_State *L, const char *name, const char *text); /* NULL: nil */
void marshal_set_integer(lua_State *L, const char *name, lua_Integer value);
void marshal_set_seconds(lua_State *L, const char *name, int64_t span_us);

/* Pushes an outcome as a table with the members kind, status, headers, body, message, tries, sent,
 * retry_after (seconds). */
void marshal_push_outcome(lua_State *L, const struct outcome *outcome);

/* The name of an outcome's kind; that of a response is "response". */
const char *marshal_outcome_name(enum outcome_kind kind);

#endif
