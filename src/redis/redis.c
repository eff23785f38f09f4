/* redis.c - the module cekura.redis: connections to Redis servers, and commands on them.
 *
 * The module is private to the library, which waits for the ends of commands: cekura.fleet.redis.
 * As in src/lua, no function yields or blocks, and none calls Lua. */
#include "connection.h"
#include "engine/clock.h"
#include "lua/object.h"
#include "reply.h"
#include "tls.h"

static const struct type connection_type = {"cekura.redis.connection"},
                         command_type = {"cekura.redis.command"};

struct connection_object {
    const struct interface *core;
    struct engine *engine;         /* a reference */
    struct connection *connection; /* NULL: closed */
};

struct command_object {
    const struct interface *core;
    struct engine *engine; /* a reference */
    struct command *command;
    int ref;
};

static const struct interface *core_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static struct connection_object *check_connection(lua_State *L, int index)
{
    return object_check(L, index, &connection_type);
}

static struct command_object *check_command(lua_State *L, int index)
{
    return object_check(L, index, &command_type);
}

/* ---- connections ---- */

/* The member of that name of the table at 2, a text, or NULL; it stays on the stack. */
static const char *member(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    return lua_isnil(L, -1) ? NULL : luaL_checkstring(L, -1);
}

/* Reads the options at 2, whose texts stay on the stack. */
static struct connection_options read_options(lua_State *L)
{
    struct connection_options options = {.host = member(L, "host"),
        .path = member(L, "path"),
        .user = member(L, "user"),
        .password = member(L, "password")};
    lua_getfield(L, 2, "port");
    options.port = (int)lua_tointeger(L, -1);
    lua_getfield(L, 2, "database");
    options.database = (int)lua_tointeger(L, -1);
    lua_getfield(L, 2, "connect_timeout");
    options.connect_timeout_us = clock_from_seconds(luaL_checknumber(L, -1));
    return options;
}

/* redis.connect(client, options) -> connection; nil and why not. The options are those of struct
 * connection_options; `connect_timeout` is in seconds, and with `secure`, there is TLS, by
 * `ca_file` if that is given. */
static int redis_connect(lua_State *L)
{
    const struct interface *core = core_of(L);
    struct engine *engine = core->engine_of(L, 1);
    const char *fault = "out of memory";
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    const char *ca_file = member(L, "ca_file");
    struct connection_options options = read_options(L);
    lua_getfield(L, 2, "secure");
    bool is_secure = lua_toboolean(L, -1);
    struct connection_object *object = object_new(L, &connection_type, sizeof *object);
    object->core = core;
    if (is_secure && !(options.tls = tls_new(options.host, ca_file, &fault)))
        return object_push_failure(L, fault);
    object->connection = connection_new(core, engine, &options);
    if (!object->connection) {
        tls_free(options.tls);
        return object_push_failure(L, fault);
    }
    core->retain(engine);
    object->engine = engine;
    return 1;
}

/* redis.close(connection): ends its commands. */
static int redis_close(lua_State *L)
{
    struct connection_object *object = check_connection(L, 1);
    if (object->connection)
        connection_free(object->connection);
    object->connection = NULL;
    if (object->engine)
        object->core->release(object->engine);
    object->engine = NULL;
    return 0;
}

/* redis.is_up(connection) -> whether it is connected, as far as can be known without sending. */
static int redis_is_up(lua_State *L)
{
    struct connection_object *object = check_connection(L, 1);
    bool is_up = false;
    if (object->connection) {
        object->core->enter(object->engine);
        is_up = connection_is_up(object->connection);
        object->core->leave(object->engine);
    }
    lua_pushboolean(L, is_up);
    return 1;
}

/* ---- commands ---- */

/* redis.submit(client, connection, request, words, timeout) -> command; nil and why not. `request`
 * is the table that core.next_completion() returns at the end; `words` the list of the command's
 * words, texts; `timeout` seconds. */
static int redis_submit(lua_State *L)
{
    struct connection_object *object = check_connection(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TTABLE);
    int64_t deadline_us = clock_monotonic_us() + clock_from_seconds(luaL_checknumber(L, 5));
    lua_settop(L, 5);
    size_t count = lua_rawlen(L, 4);
    const char **words = lua_newuserdata(L, (count + 1) * sizeof *words);
    size_t *lengths = lua_newuserdata(L, (count + 1) * sizeof *lengths);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 4, (int)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING) /* which the table at 4 holds */
            return luaL_argerror(L, 4, "a list of strings expected");
        words[i] = lua_tolstring(L, -1, &lengths[i]);
        lua_pop(L, 1);
    }
    struct command_object *command = object_new(L, &command_type, sizeof *command);
    command->ref = LUA_NOREF;
    if (!object->connection)
        return object_push_failure(L, "the connection is closed");
    command->core = object->core;
    command->ref = object->core->anchor(L, 3);
    char *text = NULL;
    int length = (int)redisFormatCommandArgv(&text, (int)count, words, lengths);
    if (length >= 0) {
        object->core->enter(object->engine);
        command->command =
            command_new(object->connection, text, (size_t)length, deadline_us, command->ref);
        object->core->leave(object->engine);
    }
    if (command->command) {
        object->core->retain(object->engine);
        command->engine = object->engine;
        return 1;
    }
    if (length >= 0)
        redisFreeCommand(text);
    object->core->release_anchor(L, &command->ref);
    return object_push_failure(
        L, object->core->may_work(object->engine) ? "out of memory" : "the client is closed");
}

static void free_command(struct command_object *object)
{
    if (!object->command)
        return;
    object->core->enter(object->engine);
    command_free(object->command);
    object->core->leave(object->engine);
    object->core->release(object->engine);
    object->command = NULL;
    object->engine = NULL;
}

static int command_gc(lua_State *L)
{
    free_command(check_command(L, 1));
    return 0;
}

/* redis.is_done(command) -> whether it has ended. */
static int redis_is_done(lua_State *L)
{
    struct command_object *object = check_command(L, 1);
    bool is_done = true;
    if (object->command) {
        object->core->enter(object->engine);
        is_done = command_state(object->command) > COMMAND_SENT;
        object->core->leave(object->engine);
    }
    lua_pushboolean(L, is_done);
    return 1;
}

/* redis.cancel(command) */
static int redis_cancel(lua_State *L)
{
    struct command_object *object = check_command(L, 1);
    if (object->command) {
        object->core->enter(object->engine);
        command_cancel(object->command);
        object->core->leave(object->engine);
    }
    return 0;
}

/* redis.settle(client, command): core.next_completion() has returned its table, which therefore is
 * no longer anchored. If nothing else holds it, the task that waited is gone, and it is collected.
 */
static int redis_settle(lua_State *L)
{
    struct command_object *object = check_command(L, 2);
    if (object->command) {
        object->core->enter(object->engine);
        command_settle(object->command);
        object->core->leave(object->engine);
        object->core->release_anchor(L, &object->ref);
    }
    return 0;
}

/* ---- replies ---- */

static const char *const state_names[] = {
    [COMMAND_BROKEN] = "broken",
    [COMMAND_GARBLED] = "garbled",
    [COMMAND_REFUSED] = "refused",
    [COMMAND_UNTRUSTED] = "untrusted",
    [COMMAND_TIMEOUT] = "timeout",
    [COMMAND_CANCELLED] = "cancelled",
    [COMMAND_CLOSED] = "closed",
};

/* The table at 4, if it is one, or a new one holds the elements of the list so far, which it
 * pushes. Returns whether it holds all of them. If not, the table at 3 is listed in the next step.
 */
static bool take_list(lua_State *L, struct command_object *object, redisReply *list)
{
    struct engine *engine = object->engine;
    bool whole = lua_toboolean(L, 5) || !object->core->may_work(engine);
    if (lua_istable(L, 4))
        lua_pushvalue(L, 4);
    else
        reply_push(L, list);
    if (reply_move(L, list, whole))
        return true;
    if (object->ref == LUA_NOREF)
        object->ref = object->core->anchor(L, 3);
    object->core->enter(engine);
    command_continue(object->command, object->ref);
    object->core->leave(engine);
    return false;
}

/* redis.take(client, command, request [, list [, whole]]) -> "replied", reply | "error", text | how
 * it has ended, why, whether the server may have executed it; frees the command. Or "more", list:
 * of a long list, a part. It is called again with that list when core.next_completion() returns
 * `request`, or at once for the `whole`. */
static int redis_take(lua_State *L)
{
    struct command_object *object = check_command(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 5);
    if (!object->command)
        return luaL_argerror(L, 2, "the command was taken");
    redisReply *reply = command_reply(object->command);
    int results = 2;
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        lua_pushliteral(L, "error");
        lua_pushlstring(L, reply->str, (size_t)reply->len);
    } else if (reply && reply->type == REDIS_REPLY_ARRAY) {
        bool is_whole = take_list(L, object, reply);
        lua_pushstring(L, is_whole ? "replied" : "more");
        lua_insert(L, -2);
        if (!is_whole)
            return 2;
    } else if (reply) {
        lua_pushliteral(L, "replied");
        reply_push(L, reply);
    } else {
        lua_pushstring(L, state_names[command_state(object->command)]);
        lua_pushstring(L, command_fault(object->command));
        lua_pushboolean(L, command_was_sent(object->command));
        results = 3;
    }
    free_command(object);
    object->core->release_anchor(L, &object->ref);
    return results;
}

/* ---- opening ---- */

__attribute__((visibility("default"))) int luaopen_cekura_redis(lua_State *L);

int luaopen_cekura_redis(lua_State *L)
{
    static const luaL_Reg connection_methods[] = {{"__gc", redis_close}, {NULL, NULL}};
    static const luaL_Reg command_methods[] = {{"__gc", command_gc}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"close", redis_close},
        {"is_up", redis_is_up},
        {"submit", redis_submit},
        {"is_done", redis_is_done},
        {"cancel", redis_cancel},
        {"settle", redis_settle},
        {"take", redis_take},
        {NULL, NULL},
    };
    const struct interface *core = interface_of_core(L, "cekura.redis");
    lua_newtable(L);
    object_open_type(L, &connection_type, connection_methods, functions);
    object_open_type(L, &command_type, command_methods, (const luaL_Reg[]){{NULL, NULL}});
    lua_pushlightuserdata(L, (void *)(intptr_t)core);
    lua_pushcclosure(L, redis_connect, 1);
    lua_setfield(L, -2, "connect");
    return 1;
}
