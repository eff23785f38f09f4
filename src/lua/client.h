/* client.h - the client's userdata, and the anchors of its operations and jobs in flight. */
#ifndef CEKURA_LUA_CLIENT_H
#define CEKURA_LUA_CLIENT_H

#include "engine/engine.h"
#include "in_flight.h"
#include "object.h"
#include "text/secret.h"

extern const struct type client_type;

struct client_object {
    struct engine *engine;  /* engine_none() if it could not be created, or is freed */
    struct secret *secrets; /* core.redact() removes them from texts; wiped at close */
    size_t secret_count;
    bool begins_secret[256]; /* by byte: whether a secret, or its encoded form, may begin with it */
    struct in_flight in_flight; /* requests; see operation.c */
};

/* The client at `index`; raises if the value is not a client. */
struct client_object *client_check(lua_State *L, int index);

/* Raises unless the client at 1 has that engine, which is the one of the object at 2. A client that
 * was collected before its objects has lost its engine, and passes. */
void client_check_owner(lua_State *L, const struct engine *engine);

/* Whether the text contains one of the client's secrets. A closed client has none. */
bool client_has_secret(const struct client_object *client, const char *text, size_t length);

/* Anchors the object at `index` in the table of the client at 1, so that it is not collected while
 * the engine has it in flight. Returns its reference, which is the `ref` of the engine's items. */
int client_anchor(lua_State *L, int index);

/* Releases *ref, and sets it to LUA_NOREF. Does nothing if it is LUA_NOREF. */
void client_release_anchor(lua_State *L, int *ref);

#endif
