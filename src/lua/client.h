/* client.h - the client's object, and the anchors of what it has in flight. */
#ifndef CEKURA_LUA_CLIENT_H
#define CEKURA_LUA_CLIENT_H

#include "engine/engine.h"
#include "object.h"
#include "text/secret.h"

extern const struct type client_type;

struct client_object {
    struct engine *engine;  /* engine_none() where it could not be made, or was collected */
    struct secret *secrets; /* what core.redact() removes from texts; wiped at close */
    size_t secret_count;
};

/* The client at `index`; raises if there is another value. */
struct client_object *client_check(lua_State *L, int index);

/* Raises unless the object at 2, which is of that engine, is of the client at 1. A client that was
 * collected before its objects no longer has an engine, and passes. */
void client_check_owner(lua_State *L, const struct engine *engine);

/* Keeps the object at `index` alive while the engine has it in flight; returns the reference by
 * which it is found again. The table of the client at 1 holds it. */
int client_anchor(lua_State *L, int index);

/* Releases *ref, unless it is LUA_NOREF, which it then becomes. */
void client_release_anchor(lua_State *L, int *ref);

#endif
