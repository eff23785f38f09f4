/* parts.h - the functions of the binding's files that core.c combines into cekura.core. */
#ifndef CEKURA_LUA_PARTS_H
#define CEKURA_LUA_PARTS_H

#include "object.h"

#include <stdbool.h>

/* Each adds its functions to the table on top of the stack. */
void client_open(lua_State *L);
void operation_open(lua_State *L);
void job_open(lua_State *L);
void json_open(lua_State *L);
void record_open(lua_State *L);
void guard_open(lua_State *L);
void bridge_open(lua_State *L);
void file_open(lua_State *L);
void host_open(lua_State *L);
void secret_open(lua_State *L);
void lock_open(lua_State *L);

extern const struct type job_type, call_log_type;

/* Lists the job at 1 again. Returns false if the value is not a job. */
bool job_list_again(lua_State *L);

/* Lists the operation at 1 again. Raises if the value is not an operation. */
void operation_list_again(lua_State *L);

#endif
