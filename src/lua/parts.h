/* parts.h - what the parts of the binding give to core.c, which makes cekura.core of them. */
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
void notice_open(lua_State *L);
void bridge_open(lua_State *L);
void file_open(lua_State *L);
void host_open(lua_State *L);
void secret_open(lua_State *L);
void lock_open(lua_State *L);

extern const struct type job_type, call_log_type;

/* Lists the job at 1 once more. False: it is not a job. */
bool job_list_again(lua_State *L);

/* Lists the operation at 1 once more; raises if it is not one. */
void operation_list_again(lua_State *L);

#endif
