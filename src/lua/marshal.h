/* marshal.h - converts tables with named members to C values, and outcomes to tables.
 *
 * The readers raise an error that names the member if it has the wrong type. The strings that they
 * return belong to Lua, and are valid until the table is changed. */
#ifndef CEKURA_LUA_MARSHAL_H
#define CEKURA_LUA_MARSHAL_H

#include "engine/operation.h"
#include "object.h"

/* The string at `name` in the table at `table`, or NULL. `length` may be NULL. */
const char *marshal_text(lua_State *L, int table, const char *name, size_t *length);

/* The number at `name`, which must be from 0 to `most`. */
double marshal_number(lua_State *L, int table, const char *name, double most);

bool marshal_flag(lua_State *L, int table, const char *name);

/* The strings and secrets of the list at `name`, or NULL. The array is a userdata, which stays on
 * the stack. */
const char *const *marshal_lines(lua_State *L, int table, const char *name, size_t *count);

/* The request of the table at `table`: `method`, `url`, `timeout` in seconds, and, unless it has
 * `plain`, `headers` (a list of lines), `body` (a string, or a list of strings and files),
 * `endpoint_url`, `urgent`, `once`, `direct`; see struct request. Leaves values on the stack, which
 * must stay there while the request is used. */
struct request marshal_request(lua_State *L, int table);

/* These set a field of the table on top of the stack. */
void marshal_set_text(lua_State *L, const char *name, const char *text); /* NULL: nil */
void marshal_set_integer(lua_State *L, const char *name, lua_Integer value);
void marshal_set_seconds(lua_State *L, const char *name, int64_t span_us);

/* Pushes an outcome as a table, of which the library makes the response: `status`, `body`, `_head`
 * and, if the service sent one, `_retry_after` in seconds. Unless it is a complete answer with a
 * status of 2xx, it also has `kind`, `message`, `tries` and `sent`. */
void marshal_push_outcome(lua_State *L, const struct outcome *outcome);

/* The name of an outcome's kind, such as "response". */
const char *marshal_outcome_name(enum outcome_kind kind);

#endif
