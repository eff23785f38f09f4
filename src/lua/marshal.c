/* marshal.c - requests from Lua's arguments, and outcomes as Lua's values. */
#include "binding.h"

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
        size_t length;
        lua_rawgeti(L, index, (int)i + 1);
        lines[i] = binding_listed_secret(L, &length);
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
        .endpoint = luaL_optstring(L, first + 5, NULL),
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
        [OUTCOME_ENCODED] = "encoded",
        [OUTCOME_GARBLED] = "garbled",
        [OUTCOME_MALFORMED] = "malformed",
        [OUTCOME_CONFIG] = "config",
        [OUTCOME_PROXY_REFUSED] = "proxy_refused",
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

int binding_push_outcome(lua_State *L, const struct outcome *outcome)
{
    luaL_checkstack(L, 10, NULL);
    lua_pushstring(L, binding_outcome_name(outcome->kind));
    lua_pushinteger(L, outcome->status);
    push_buffer(L, &outcome->headers);
    push_buffer(L, &outcome->body);
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
