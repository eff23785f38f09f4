/* parts.h - the functions of the binding's files that core.c combines into cekura.core. */
#ifndef CEKURA_LUA_PARTS_H
#define CEKURA_LUA_PARTS_H

#include "engine/request.h"
#include "object.h"

#include <stdbool.h>

/* Each adds its functions to the table on top of the stack. */
void client_open(lua_State *L);
void holds_open(lua_State *L);
void operation_open(lua_State *L);
void job_open(lua_State *L);
void json_open(lua_State *L);
void encode_open(lua_State *L);
void record_open(lua_State *L);
void guard_open(lua_State *L);
void notice_open(lua_State *L);
void bridge_open(lua_State *L);
void file_open(lua_State *L);
void host_open(lua_State *L);
void secret_open(lua_State *L);
void lock_open(lua_State *L);
void spools_open(lua_State *L);
void terminal_open(lua_State *L);
void interface_open(lua_State *L);

/* Makes require() find the modules of the library in the core. */
void library_open(lua_State *L);

/* Raises unless the Lua files are of the version of the core. */
void version_check(lua_State *L);

extern const struct type job_type, record_type;

/* Pushes the name of the class of the record at 1. False, and nothing is pushed: it is not one. */
bool record_push_class_name(lua_State *L);

/* The whole of the file (src/lua/file.c) at `index` as a part of a body; raises if it is not one.
 */
struct body_part file_part(lua_State *L, int index);

#endif
