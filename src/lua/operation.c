/* operation.c - one request as a userdata, and outcomes as Lua values. */
#include "binding.h"

#include <string.h>

struct operation_object {
    struct operation *operation;
};

/* ---- arguments in ---- */

static const char *const *header_lines(lua_State *L, int index, size_t *count)
{
    if (lua_isnoneornil(L, index)) {
        *count = 0;
        return NULL;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    *count = lua_rawlen(L, index);
    const char **lines = lua_newuserdata(L, (*count + 1) * sizeof *lines);
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        lines[i] = luaL_checkstring(L, -1);
        lua_pop(L, 1);
    }
    return lines;
}

struct request binding_request(lua_State *L, int first)
{
    struct request request = {
        .method = luaL_checkstring(L, first),
        .url = luaL_checkstring(L, first + 1),
        .body = luaL_optlstring(L, first + 3, NULL, NULL),
        .timeout_us = clock_from_seconds(luaL_checknumber(L, first + 4)),
    };
    if (request.body)
        request.body_length = lua_rawlen(L, first + 3);
    request.headers = header_lines(L, first + 2, &request.header_count);
    return request;
}

/* ---- outcomes out ---- */

const char *binding_outcome_name(enum outcome_kind kind)
{
    static const char *const names[] = {
        [OUTCOME_RESPONSE] = "response",
        [OUTCOME_NETWORK] = "network",
        [OUTCOME_TLS] = "tls",
        [OUTCOME_TIMEOUT] = "timeout",
        [OUTCOME_TRUNCATED] = "truncated",
        [OUTCOME_TOO_LARGE] = "too_large",
        [OUTCOME_MALFORMED] = "malformed",
        [OUTCOME_HELD] = "held",
        [OUTCOME_NO_MEMORY] = "no_memory",
        [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_CLOSED] = "closed",
    };
    return names[kind];
}

static void push_buffer(lua_State *L, const struct buffer *buffer)
{
    lua_pushlstring(L, buffer->length ? buffer->bytes : "", buffer->length);
}

int binding_push_outcome(lua_State *L, const struct outcome *outcome, const struct buffer *body)
{
    luaL_checkstack(L, 10, NULL);
    lua_pushstring(L, binding_outcome_name(outcome->kind));
    lua_pushinteger(L, outcome->status);
    push_buffer(L, &outcome->headers);
    push_buffer(L, body ? body : &outcome->body);
    if (outcome->message)
        lua_pushstring(L, outcome->message);
    else
        lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)outcome->tries);
    lua_pushboolean(L, outcome->sent);
    if (outcome->retry_after_us >= 0)
        lua_pushnumber(L, clock_to_seconds(outcome->retry_after_us));
    else
        lua_pushnil(L);
    return 8;
}

/* ---- the operation ---- */

static struct operation *check_operation(lua_State *L, int index)
{
    struct operation_object *object = luaL_checkudata(L, index, OPERATION_TYPE);
    if (!object->operation)
        luaL_error(L, "the operation could not be made");
    return object->operation;
}

/* core.submit(client, method, url, headers | nil, body | nil, timeout) -> operation; nil: the
 * client is closed, or there is no memory. */
static int operation_submit(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    lua_settop(L, 6);
    struct request request = binding_request(L, 2);
    struct operation_object *object = lua_newuserdata(L, sizeof *object);
    object->operation = NULL;
    luaL_getmetatable(L, OPERATION_TYPE);
    lua_setmetatable(L, -2);
    int ref = binding_anchor(L, 1, lua_gettop(L));
    object->operation = operation_new(client->engine, &request);
    if (!object->operation) {
        binding_release_anchor(L, 1, ref);
        return 0;
    }
    operation_item(object->operation)->ref = ref;
    return 1;
}

/* core.outcome(operation) -> as binding_push_outcome(); nil while it runs. */
static int operation_get_outcome(lua_State *L)
{
    const struct outcome *outcome = operation_outcome(check_operation(L, 1));
    return outcome ? binding_push_outcome(L, outcome, NULL) : 0;
}

/* core.cancel(operation) */
static int operation_stop(lua_State *L)
{
    operation_cancel(check_operation(L, 1));
    return 0;
}

static int operation_gc(lua_State *L)
{
    struct operation_object *object = luaL_checkudata(L, 1, OPERATION_TYPE);
    if (object->operation)
        operation_free(object->operation);
    object->operation = NULL;
    return 0;
}

void operation_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", operation_gc}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"submit", operation_submit},
        {"outcome", operation_get_outcome},
        {"cancel", operation_stop},
        {NULL, NULL},
    };
    binding_type(L, OPERATION_TYPE, metamethods, methods, "operation_methods");
    compat_set_functions(L, functions);
}
