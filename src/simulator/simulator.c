/* simulator.c - the module cekura.simulator: the server as a userdata.
 *
 * The module is private to the library: cekura.testing offers it to programs. As in src/lua, no
 * function yields or calls Lua; call() blocks for as long as the server's thread takes. */
#include "command.h"
#include "engine/clock.h"
#include "lua/interface.h"
#include "lua/object.h"
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const struct type server_type = {"cekura.simulator.server"};

/* The server's questions are a guest of a client's engine, so that every loop of the library sees
 * them. Its item is listed when there are questions. The timer never fires: it has the client count
 * as busy. */
struct asker {
    const struct interface *core;
    struct engine *engine; /* a reference; NULL: nothing is watched */
    struct guest guest;
    struct item item;
    struct timer timer;
    int ref;
};

struct server_object {
    struct server *server; /* NULL: stopped */
    struct buffer fault;   /* why it has not started */
    struct asker asker;
};

static struct server_object *check_server(lua_State *L, int index)
{
    return object_check(L, index, &server_type);
}

/* Raises if it is stopped. */
static struct server *check_running(lua_State *L)
{
    struct server_object *object = check_server(L, 1);
    if (!object->server)
        luaL_argerror(L, 1, "the server is stopped");
    return object->server;
}

static struct text check_text(lua_State *L, int index)
{
    struct text text;
    text.bytes = luaL_checklstring(L, index, &text.length);
    return text;
}

/* ---- questions ---- */

static void on_questions(struct guest *guest, uint32_t events)
{
    struct asker *asker = container_of(guest, struct asker, guest);
    uint64_t count;
    (void)events;
    ssize_t taken = read(guest->fd, &count, sizeof count);
    (void)taken; /* it is not blocking */
    asker->core->list_item(asker->engine, &asker->item);
}

static void on_never(struct timer *timer)
{
    (void)timer;
}

static void on_close(struct item *item)
{
    (void)item; /* the questions are answered by their timeouts */
}

/* Ends the watch of an object's questions, if there is one. */
static void leave(struct asker *asker)
{
    if (!asker->engine)
        return;
    asker->core->enter(asker->engine);
    asker->core->stop_timer(asker->engine, &asker->timer);
    asker->core->unreserve_timer(asker->engine);
    asker->core->move_out(&asker->guest);
    asker->core->forget_item(asker->engine, &asker->item);
    asker->core->leave(asker->engine);
    asker->core->release(asker->engine);
    asker->engine = NULL;
}

/* native.watch(client, server, table): core.next_completion(client) returns the table whenever
 * there are questions, until native.unwatch(). The client counts as busy meanwhile. */
static int native_watch(lua_State *L)
{
    const struct interface *core = lua_touserdata(L, lua_upvalueindex(1));
    struct engine *engine = core->engine_of(L, 1);
    struct server_object *object = check_server(L, 2);
    struct asker *asker = &object->asker;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (!object->server || asker->engine)
        return luaL_argerror(L, 2, "it is stopped, or watched already");
    lua_settop(L, 3);
    int ref = core->anchor(L, 3);
    core->enter(engine);
    bool good = core->may_work(engine) && core->reserve_timer(engine);
    if (good) {
        *asker = (struct asker){.core = core, .engine = engine, .ref = ref};
        asker->item = (struct item){.kind = ITEM_GUEST, .ref = ref, .end = on_close};
        asker->guest.ready = on_questions;
        asker->timer.fire = on_never;
        core->move_in(&asker->guest, engine);
        core->register_item(engine, &asker->item);
        core->set_timer(engine, &asker->timer, CLOCK_NEVER);
        good = core->watch(&asker->guest, server_question_fd(object->server), EPOLLIN);
    }
    core->leave(engine);
    if (asker->engine)
        core->retain(engine);
    if (good)
        return 0;
    leave(asker);
    core->release_anchor(L, &ref);
    return luaL_error(L, "not enough memory, or no descriptor, to watch the server");
}

/* native.unwatch(client, server) */
static int native_unwatch(lua_State *L)
{
    struct asker *asker = &check_server(L, 2)->asker;
    if (!asker->engine)
        return 0;
    const struct interface *core = asker->core;
    leave(asker);
    core->release_anchor(L, &asker->ref);
    return 0;
}

/* native.next_question(server) -> number, text | nil */
static int native_next_question(lua_State *L)
{
    struct server *server = check_running(L);
    const struct question *question = server_first_question(server);
    if (!question)
        return 0;
    lua_pushnumber(L, (lua_Number)question->number);
    lua_pushlstring(L, question->text, question->length); /* may raise: then the question stays */
    server_drop_question(server);
    return 2;
}

/* native.answer(server, number, text) */
static int native_answer(lua_State *L)
{
    struct server *server = check_running(L);
    if (!server_answer(server, (uint64_t)luaL_checknumber(L, 2), check_text(L, 3)))
        return luaL_error(L, "not enough memory");
    return 0;
}

/* ---- the server ---- */

/* native.start(port, path, cpath) -> server | nil, why not. Port 0 is a free one; the paths are
 * those of package. */
static int native_start(lua_State *L)
{
    const struct server_options options = {.port = (unsigned)luaL_checkinteger(L, 1),
        .path = luaL_checkstring(L, 2),
        .cpath = luaL_checkstring(L, 3)};
    struct server_object *object = object_new(L, &server_type, sizeof *object);
    object->server = server_new(&options, &object->fault);
    if (object->server)
        return 1;
    const struct buffer *fault = &object->fault;
    lua_pushnil(L);
    lua_pushlstring(L, fault->bytes ? fault->bytes : "", fault->length);
    return 2;
}

/* native.stop(server). May be called again. */
static int native_stop(lua_State *L)
{
    struct server_object *object = check_server(L, 1);
    struct server *server = object->server;
    leave(&object->asker);
    buffer_free(&object->fault);
    object->server = NULL;
    if (server)
        server_free(server);
    return 0;
}

/* native.port(server) */
static int native_port(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)server_port(check_running(L)));
    return 1;
}

/* native.call(server, name, arguments) -> result | nil, error: texts, of the function of that name
 * of cekura.simulator.server. */
static int native_call(lua_State *L)
{
    struct server *server = check_running(L);
    struct text result;
    bool good = server_call(server, check_text(L, 2), check_text(L, 3), &result);
    if (!good)
        lua_pushnil(L);
    lua_pushlstring(L, result.bytes, result.length);
    return good ? 1 : 2;
}

/* ---- a program beside it ---- */

/* The list of texts at `index`, which keeps them, with a NULL behind them; it is left on the stack.
 */
static char **check_list(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_rawlen(L, index);
    char **list = lua_newuserdata(L, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_argerror(L, index, "a list of strings expected");
        list[i] = (char *)(intptr_t)lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    list[count] = NULL;
    return list;
}

/* native.environment() -> the list of all variables, "NAME=value". */
static int native_environment(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; environ[i]; i++) {
        lua_pushstring(L, environ[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* native.run(words, environment) -> status, nil | nil, signal; nil, nil, why it cannot be started,
 * whether there is no such program. Blocks until the program ends; see command_run(). */
static int native_run(lua_State *L)
{
    lua_settop(L, 2);
    char **words = check_list(L, 1);
    char **environment = check_list(L, 2);
    if (!words[0])
        return luaL_argerror(L, 1, "a program expected");
    struct command_end end = command_run(words, environment);
    if (end.fault) {
        lua_pushnil(L);
        lua_pushnil(L);
        lua_pushstring(L, strerror(end.fault));
        lua_pushboolean(L, end.fault == ENOENT);
        return 4;
    }
    if (end.signal) {
        lua_pushnil(L);
        lua_pushinteger(L, end.signal);
        return 2;
    }
    lua_pushinteger(L, end.status);
    return 1;
}

/* ---- opening ---- */

__attribute__((visibility("default"))) int luaopen_cekura_simulator(lua_State *L);

int luaopen_cekura_simulator(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", native_stop}, {"__close", native_stop}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"start", native_start},
        {"stop", native_stop},
        {"port", native_port},
        {"call", native_call},
        {"unwatch", native_unwatch},
        {"next_question", native_next_question},
        {"answer", native_answer},
        {"environment", native_environment},
        {"run", native_run},
        {NULL, NULL},
    };
    const struct interface *core = interface_of_core(L, "cekura.simulator");
    lua_newtable(L);
    object_open_type(L, &server_type, metamethods, functions);
    lua_pushlightuserdata(L, (void *)(intptr_t)core);
    lua_pushcclosure(L, native_watch, 1);
    lua_setfield(L, -2, "watch");
    return 1;
}
