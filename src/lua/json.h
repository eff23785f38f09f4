/* json.h - JSON text as Lua values; see text/json.h for the reader. */
#ifndef CEKURA_LUA_JSON_H
#define CEKURA_LUA_JSON_H

#include "object.h"
#include "text/json.h"

/* Pushes the text of a string token. */
void json_push_string(lua_State *L, const char *text, const struct json_token *token);

/* Pushes the one value of the reader's text. Nulls are cekura.null in lists, and in objects with
 * keep_nulls; without it they are absent there. False: nothing is pushed, the reader has the fault.
 */
bool json_push_value(lua_State *L, struct json_reader *reader, bool keep_nulls);

/* Pushes nil, the fault, and the offset where it stands. */
int json_push_fault(lua_State *L, const char *fault, const struct json_reader *reader);

#endif
