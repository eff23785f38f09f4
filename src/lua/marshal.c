/* marshal.c - converts tables to C values, and outcomes to tables; see marshal.h. */
#include "marshal.h"

#include "engine/clock.h"
#include "parts.h"
#include "secret.h"

#include <math.h>

/* ---- members of tables ---- */

const char *marshal_text(lua_State *L, int table, const char *name, size_t *length)
{
    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING) /* a number's text would not stay */
        luaL_error(L, "%s: string expected, got %s", name, luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, length);
    lua_pop(L, 1);
    return text;
}

double marshal_number(lua_State *L, int table, const char *name, double most)
{
    lua_getfield(L, table, name);
    double number = lua_tonumber(L, -1);
    if (!lua_isnumber(L, -1) || !(number >= 0 && number <= most))
        luaL_error(L, "%s: number from 0 to %f expected", name, most);
    lua_pop(L, 1);
    return number;
}

bool marshal_flag(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

const char *const *marshal_lines(lua_State *L, int table, const char *name, size_t *count)
{
    *count = 0;
    lua_getfield(L, table, name);
    if (lua_isnil(L, -1))
        return NULL;
    if (!lua_istable(L, -1))
        luaL_error(L, "%s: list expected, got %s", name, luaL_typename(L, -1));
    int list = lua_gettop(L);
    *count = lua_rawlen(L, list);
    const char **lines = lua_newuserdata(L, (*count + 1) * sizeof *lines);
    for (size_t i = 0; i < *count; i++) {
        size_t length;
        lua_rawgeti(L, list, (int)i + 1);
        lines[i] = secret_element_bytes(L, &length);
        lua_pop(L, 1);
    }
    return lines;
}

/* Reads the list of strings and files on top of the stack. */
static void read_parts(lua_State *L, struct request *request)
{
    int list = lua_gettop(L);
    request->part_count = lua_rawlen(L, list);
    if (request->part_count == 0)
        luaL_error(L, "body: string, or list of strings and files expected, got an empty table");
    struct body_part *parts = lua_newuserdata(L, (request->part_count + 1) * sizeof *parts);
    for (size_t i = 0; i < request->part_count; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        size_t length = 0;
        parts[i] = (struct body_part){.fd = -1};
        if (lua_type(L, -1) == LUA_TSTRING)
            parts[i].bytes = lua_tolstring(L, -1, &length);
        parts[i].length = length;
        if (!parts[i].bytes)
            parts[i] = file_part(L, -1);
        lua_pop(L, 1);
    }
    request->parts = parts;
}

struct request marshal_request(lua_State *L, int table)
{
    struct request request = {
        .method = marshal_text(L, table, "method", NULL),
        .url = marshal_text(L, table, "url", NULL),
        .timeout_us = clock_from_seconds(marshal_number(L, table, "timeout", HUGE_VAL)),
    };
    if (!request.method || !request.url)
        luaL_error(L, "method and url expected");
    if (marshal_flag(L, table, "plain"))
        return request;
    request.endpoint = marshal_text(L, table, "endpoint_url", NULL);
    request.urgent = marshal_flag(L, table, "urgent");
    request.once = marshal_flag(L, table, "once");
    request.long_running = marshal_flag(L, table, "direct");
    lua_getfield(L, table, "body");
    if (lua_istable(L, -1))
        read_parts(L, &request);
    else
        request.body = marshal_text(L, table, "body", &request.body_length);
    request.headers = marshal_lines(L, table, "headers", &request.header_count);
    return request;
}

void marshal_set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

void marshal_set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

void marshal_set_seconds(lua_State *L, const char *name, int64_t span_us)
{
    lua_pushnumber(L, clock_to_seconds(span_us));
    lua_setfield(L, -2, name);
}

/* ---- outcomes ---- */

const char *marshal_outcome_name(enum outcome_kind kind)
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

static void set_buffer(lua_State *L, const char *name, const struct buffer *buffer)
{
    lua_pushlstring(L, buffer->length ? buffer->bytes : "", buffer->length);
    lua_setfield(L, -2, name);
}

void marshal_push_outcome(lua_State *L, const struct outcome *outcome)
{
    compat_check_stack(L, 3);
    lua_createtable(L, 0, 8); /* with what the library adds */
    marshal_set_integer(L, "status", outcome->status);
    set_buffer(L, "_head", &outcome->headers);
    set_buffer(L, "body", &outcome->body);
    if (outcome->retry_after_us >= 0)
        marshal_set_seconds(L, "_retry_after", outcome->retry_after_us);
    if (outcome_is_good(outcome))
        return;
    marshal_set_text(L, "kind", marshal_outcome_name(outcome->kind));
    marshal_set_text(L, "message", outcome->message);
    marshal_set_integer(L, "tries", (lua_Integer)outcome->tries);
    lua_pushboolean(L, outcome->sent);
    lua_setfield(L, -2, "sent");
}
