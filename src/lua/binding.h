/* binding.h - the userdata of this module, and what their files share.
 *
 * The binding turns arguments into requests, outcomes into values, and finds the Lua object of what
 * the engine lists as finished. It knows no curl and no Cekura. Whatever waits is written in Lua,
 * above it: no function here ever yields or blocks, but those that say so.
 *
 * A Lua function may leave by longjmp out of every call that allocates Lua memory. So a userdata is
 * made first and gets its metatable, and what C allocates is stored in it at once. */
#ifndef CEKURA_LUA_BINDING_H
#define CEKURA_LUA_BINDING_H

#include "compat.h"
#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/operation.h"
#include "engine/poller.h"
#include "text/json.h"
#include "text/secret.h"

/* A type of userdata. Each object begins with the address of its type, so that nothing else is
 * taken for one: neither another module's object, even with this type's metatable on, nor one of a
 * second copy of this module, whose objects may look different inside. */
struct type {
    const char *name;
};

extern const struct type client_type, job_type, call_log_type;

/* Pushes a new object with its metatable, all bytes zero. */
void *binding_new(lua_State *L, const struct type *type, size_t size);

/* The object at `index`; NULL if it is of another type. */
void *binding_test(lua_State *L, int index, const struct type *type);

/* The object at `index`, or an error. */
void *binding_check(lua_State *L, int index, const struct type *type);

struct client_object {
    struct engine *engine;  /* engine_none() where it could not be made, or was collected */
    struct secret *secrets; /* what core.redact() takes out of texts; wiped at close */
    size_t secret_count;
};

/* The client at `index`, or an error. */
struct client_object *binding_client(lua_State *L, int index);

/* Makes the metatable of a type with these metamethods and methods, and leaves its table of
 * methods, which the library adds to, in field `field` of the table on top of the stack. */
void binding_open_type(lua_State *L, const struct type *type, const luaL_Reg *metamethods,
    const luaL_Reg *methods, const char *field);

/* Pushes the method of a type whose name is at `name`; nil for none. */
void binding_push_method(lua_State *L, const struct type *type, int name);

/* __index of client and job, whose object at 1 is checked: a method, else a field of the object's
 * own table. Names that begin with "_" are the library's own, and are not seen. */
int binding_index(lua_State *L, const struct type *type);

/* Calls the method of that name with the object at 1: for metamethods where the library's method
 * does more than C could. */
int binding_call_method(lua_State *L, const struct type *type, const char *name, int results);

/* Keeps the object at `index` alive while the engine has something of its own in flight; returns
 * what finds it again. The table of the client at `client` holds it. */
int binding_anchor(lua_State *L, int client, int index);

/* Pushes what `ref` stands for; nil for none. */
void binding_push_anchored(lua_State *L, int client, int ref);

void binding_release_anchor(lua_State *L, int client, int ref);

/* Pushes an outcome as: kind, status, headers, body, message, tries, sent, retry_after. Returns how
 * many values that are. */
int binding_push_outcome(lua_State *L, const struct outcome *outcome);

/* The bytes of the secret at `index`, or of a string; a NUL follows them. */
const char *binding_secret(lua_State *L, int index, size_t *length);

/* The same of the element of a list that is on top of the stack, and stays there when it is popped:
 * so a number is none. */
const char *binding_listed_secret(lua_State *L, size_t *length);

/* The name of an outcome's kind; a response is "response". */
const char *binding_outcome_name(enum outcome_kind kind);

/* Fills a request from arguments `first`..`first`+5: method, url, headers (a list of lines, or
 * nil), body (or nil), timeout in seconds, endpoint (or nil: struct request says). The strings stay
 * Lua's. May push values that must stay. */
struct request binding_request(lua_State *L, int first);

/* Pushes what a string token stands for. */
void binding_push_string(lua_State *L, const char *text, const struct json_token *token);

/* Pushes the one value of the reader's text. Nulls are cekura.null in lists, and in objects with
 * keep_nulls; without it they are absent there. False: nothing is pushed, the reader says why. */
bool binding_push_json(lua_State *L, struct json_reader *reader, bool keep_nulls);

/* Pushes nil, what is wrong, and where. */
int binding_json_fault(lua_State *L, const char *fault, const struct json_reader *reader);

/* What each file adds to the table on top of the stack. */
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

#endif
