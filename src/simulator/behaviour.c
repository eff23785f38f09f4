/* behaviour.c - the Lua side of the server; see behaviour.h. */
#include "behaviour.h"

#include "engine/clock.h"
#include "lua/compat.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>

enum function { ON_REQUEST, ON_TIME, ON_GONE, ON_ANSWER, ON_CALL, FUNCTIONS };

static const char *const names[] = {[ON_REQUEST] = "request",
    [ON_TIME] = "time",
    [ON_GONE] = "gone",
    [ON_ANSWER] = "answer",
    [ON_CALL] = "call"};

struct behaviour {
    struct behaviour_host host;
    lua_State *L;
    int protected_call; /* a reference to call_function() */
    int functions[FUNCTIONS];
};

/* One call of a function, whose arguments are a number, unless it is 0, and two texts. */
struct call {
    struct behaviour *behaviour;
    enum function function;
    uint64_t number;
    struct text texts[2];
    struct buffer *result; /* NULL: none is wanted */
};

/* ---- what the Lua side calls ---- */

static const struct behaviour_host *host_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static uint64_t check_number(lua_State *L, int index)
{
    lua_Number number = luaL_checknumber(L, index);
    luaL_argcheck(L, number >= 0 && number < 0x1p53, index, "out of range");
    return (uint64_t)number;
}

static struct text opt_text(lua_State *L, int index)
{
    struct text text = {NULL, 0};
    if (!lua_isnoneornil(L, index))
        text.bytes = luaL_checklstring(L, index, &text.length);
    return text;
}

/* native.send(id, head, body, slow, ends): sends a reply, whose body takes `slow` seconds a byte,
 * unless that is nil, and closes the connection after it if it `ends`. */
static int native_send(lua_State *L)
{
    uint64_t id = check_number(L, 1);
    struct text head = opt_text(L, 2), body = opt_text(L, 3);
    int64_t slow_us = clock_from_seconds(luaL_optnumber(L, 4, 0));
    const struct behaviour_host *host = host_of(L);
    if (!host->send(host->owner, id, head, body))
        return luaL_error(L, "not enough memory");
    host->finish(host->owner, id, slow_us, lua_toboolean(L, 5));
    return 0;
}

/* native.wake(id, seconds): calls time(id) then, unless a reply is sent before. */
static int native_wake(lua_State *L)
{
    const struct behaviour_host *host = host_of(L);
    host->wake(host->owner, check_number(L, 1), clock_from_seconds(luaL_checknumber(L, 2)));
    return 0;
}

/* native.ask(number, text): the owner of the server is asked, and answer() is called. */
static int native_ask(lua_State *L)
{
    uint64_t number = check_number(L, 1);
    const struct behaviour_host *host = host_of(L);
    if (!host->ask(host->owner, number, opt_text(L, 2)))
        return luaL_error(L, "not enough memory");
    return 0;
}

/* native.now() -> seconds since the epoch. */
static int native_now(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

/* native.utc(format, seconds) -> that time in UTC, by a format of strftime(). */
static int native_utc(lua_State *L)
{
    char text[64];
    struct tm utc;
    const char *format = luaL_checkstring(L, 1);
    lua_Number number = luaL_checknumber(L, 2);
    luaL_argcheck(L, number > -0x1p53 && number < 0x1p53, 2, "out of range");
    time_t seconds = (time_t)number;
    size_t length = gmtime_r(&seconds, &utc) ? strftime(text, sizeof text, format, &utc) : 0;
    luaL_argcheck(L, length > 0, 2, "out of range");
    lua_pushlstring(L, text, length);
    return 1;
}

/* ---- life ---- */

static int call_function(lua_State *L);

static void push_native(lua_State *L, struct behaviour *behaviour)
{
    static const luaL_Reg functions[] = {{"send", native_send}, {"wake", native_wake},
        {"ask", native_ask}, {"now", native_now}, {"utc", native_utc}, {NULL, NULL}};
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushlightuserdata(L, &behaviour->host);
        lua_pushcclosure(L, function->func, 1);
        lua_setfield(L, -2, function->name);
    }
}

struct opening {
    struct behaviour *behaviour;
    const char *path, *cpath;
};

/* Its argument is a struct opening. */
static int open_state(lua_State *L)
{
    const struct opening *opening = lua_touserdata(L, 1);
    struct behaviour *behaviour = opening->behaviour;
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushstring(L, opening->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, opening->cpath);
    lua_setfield(L, -2, "cpath");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "cekura.simulator.server");
    lua_call(L, 1, 1);
    push_native(L, behaviour);
    lua_call(L, 1, 1);
    for (int i = 0; i < FUNCTIONS; i++) {
        lua_getfield(L, -1, names[i]);
        behaviour->functions[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_pushcfunction(L, call_function);
    behaviour->protected_call = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Appends the error on top of the stack, and pops it. */
static void take_error(lua_State *L, struct buffer *fault)
{
    size_t length = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text)
        text = "an error that is not a text", length = strlen(text);
    if (fault)
        buffer_append(fault, text, length, SIZE_MAX);
    lua_pop(L, 1);
}

static int call_opening(lua_State *L, struct opening *opening)
{
#if LUA_VERSION_NUM < 502
    return lua_cpcall(L, open_state, opening);
#else
    lua_pushcfunction(L, open_state);
    lua_pushlightuserdata(L, opening);
    return lua_pcall(L, 1, 0, 0);
#endif
}

struct behaviour *behaviour_new(
    const struct behaviour_host *host, const char *path, const char *cpath, struct buffer *fault)
{
    static const char no_memory[] = "not enough memory";
    struct behaviour *behaviour = calloc(1, sizeof *behaviour);
    struct opening opening = {behaviour, path, cpath};
    if (behaviour) {
        behaviour->host = *host;
        behaviour->L = luaL_newstate();
    }
    if (!behaviour || !behaviour->L) {
        buffer_append(fault, no_memory, sizeof no_memory - 1, SIZE_MAX);
        free(behaviour);
        return NULL;
    }
    if (call_opening(behaviour->L, &opening) == 0)
        return behaviour;
    take_error(behaviour->L, fault);
    behaviour_free(behaviour);
    return NULL;
}

void behaviour_free(struct behaviour *behaviour)
{
    if (!behaviour)
        return;
    lua_close(behaviour->L);
    free(behaviour);
}

/* ---- calls ---- */

static void push_text(lua_State *L, struct text text)
{
    if (text.bytes)
        lua_pushlstring(L, text.bytes, text.length);
    else
        lua_pushnil(L);
}

/* Its argument is a struct call. */
static int call_function(lua_State *L)
{
    const struct call *call = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->behaviour->functions[call->function]);
    if (call->number)
        lua_pushnumber(L, (lua_Number)call->number);
    push_text(L, call->texts[0]);
    push_text(L, call->texts[1]);
    lua_call(L, call->number ? 3 : 2, 1);
    size_t length;
    const char *result = call->result ? lua_tolstring(L, -1, &length) : NULL;
    if (result && buffer_append(call->result, result, length, SIZE_MAX) != BUFFER_OK)
        return luaL_error(L, "not enough memory");
    return 0;
}

/* The two pushes allocate nothing, so that nothing can raise outside of lua_pcall(). */
static bool call_protected(struct call *call)
{
    lua_State *L = call->behaviour->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->behaviour->protected_call);
    lua_pushlightuserdata(L, call);
    if (lua_pcall(L, 1, 0, 0) == 0)
        return true;
    take_error(L, call->result);
    return false;
}

bool behaviour_request(struct behaviour *behaviour, uint64_t id, struct text head, struct text body)
{
    return call_protected(&(struct call){behaviour, ON_REQUEST, id, {head, body}, NULL});
}

bool behaviour_time(struct behaviour *behaviour, uint64_t id)
{
    return call_protected(&(struct call){behaviour, ON_TIME, id, {{0}}, NULL});
}

void behaviour_gone(struct behaviour *behaviour, uint64_t id)
{
    call_protected(&(struct call){behaviour, ON_GONE, id, {{0}}, NULL});
}

bool behaviour_answer(struct behaviour *behaviour, uint64_t number, struct text answer)
{
    return call_protected(&(struct call){behaviour, ON_ANSWER, number, {answer}, NULL});
}

bool behaviour_call(
    struct behaviour *behaviour, struct text name, struct text arguments, struct buffer *result)
{
    return call_protected(&(struct call){behaviour, ON_CALL, 0, {name, arguments}, result});
}
