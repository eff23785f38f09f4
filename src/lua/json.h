/* json.h - JSON text as Lua values; see text/json.h for the reader. */
#ifndef CEKURA_LUA_JSON_H
#define CEKURA_LUA_JSON_H

#include "object.h"
#include "text/json.h"

/* Pushes the metatable of a list. */
void json_push_array_mt(lua_State *L);

/* Pushes the text of a string token. */
void json_push_string(lua_State *L, const char *text, const struct json_token *token);

/* Pushes the value of the reader's text. A null becomes cekura.null in a list; in an object it does
 * so with keep_nulls, and is left out without. On an error, pushes nothing and returns false; the
 * reader has the fault. */
bool json_push_value(lua_State *L, struct json_reader *reader, bool keep_nulls);

/* Pushes the value of a text, or the fault as json_push_fault() does; returns how many values. */
int json_decode(lua_State *L, const char *text, size_t length, bool keep_nulls);

/* Pushes nil, the fault, and the reader's offset. Returns 3. */
int json_push_fault(lua_State *L, const char *fault, const struct json_reader *reader);

#endif
