/* client.c - the client: an engine as a userdata, the protocol by which a host polls it, and the
 * way from what the engine lists back to Lua's objects. */
#include "binding.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

const struct type client_type = {"cekura.client"};

/* ---- life ---- */

static const char *text_option(lua_State *L, int options, const char *name)
{
    lua_getfield(L, options, name); /* stays in the table: the pop leaves it alive */
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING) /* a number's text would not */
        luaL_error(L, "%s: string expected, got %s", name, luaL_typename(L, -1));
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

static double number_option(lua_State *L, int options, const char *name, double most)
{
    lua_getfield(L, options, name);
    double number = lua_tonumber(L, -1);
    if (!lua_isnumber(L, -1) || !(number >= 0 && number <= most))
        luaL_error(L, "%s: number from 0 to %f expected", name, most);
    lua_pop(L, 1);
    return number;
}

static bool flag_option(lua_State *L, int options, const char *name)
{
    lua_getfield(L, options, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* The strings and secrets of the list at `index`, in an array that the collector owns and that is
 * left on the stack. */
static const char *const *text_list(lua_State *L, int index, size_t *count)
{
    *count = lua_rawlen(L, index);
    const char **texts = lua_newuserdata(L, (*count + 1) * sizeof *texts);
    for (size_t i = 0; i < *count; i++) {
        size_t length;
        lua_rawgeti(L, index, (int)i + 1);
        texts[i] = binding_listed_secret(L, &length);
        lua_pop(L, 1);
    }
    return texts;
}

/* Copies the list of secrets at `index`. False: out of memory. */
static bool keep_secrets(lua_State *L, struct client_object *client, int index)
{
    size_t count = lua_rawlen(L, index);
    client->secrets = calloc(count + 1, sizeof *client->secrets);
    if (!client->secrets)
        return false;
    client->secret_count = count;
    for (size_t i = 0; i < count; i++) {
        size_t length;
        lua_rawgeti(L, index, (int)i + 1);
        const char *bytes = binding_listed_secret(L, &length);
        if (!secret_reserve(&client->secrets[i], length))
            return false;
        memcpy(client->secrets[i].bytes, bytes, length);
        lua_pop(L, 1);
    }
    return true;
}

static void forget_secrets(struct client_object *client)
{
    for (size_t i = 0; i < client->secret_count; i++)
        secret_wipe(&client->secrets[i]);
    free(client->secrets);
    client->secrets = NULL;
    client->secret_count = 0;
}

/* core.new_client(options) -> client | nil, message. Options as struct engine_options has them,
 * with times in seconds; `headers` may be secrets; `secrets`: what core.redact() takes out of
 * texts.
 */
static int client_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "headers");
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 1, "secrets");
    luaL_checktype(L, 3, LUA_TTABLE);
    struct engine_options options = {
        .max_in_flight = (unsigned)number_option(L, 1, "max_in_flight", UINT32_MAX),
        .max_response = (size_t)number_option(L, 1, "max_response", 0x1p53),
        .retries = (unsigned)number_option(L, 1, "retries", UINT32_MAX),
        .connect_timeout_us = clock_from_seconds(number_option(L, 1, "connect_timeout", HUGE_VAL)),
        .user_agent = text_option(L, 1, "user_agent"),
        .ca_file = text_option(L, 1, "ca_file"),
        .proxy = text_option(L, 1, "proxy"),
        .loopback = flag_option(L, 1, "loopback"),
        .secure = flag_option(L, 1, "secure"),
        .report_events = flag_option(L, 1, "report_events"),
    };
    options.headers = text_list(L, 2, &options.header_count);

    struct client_object *client = binding_new(L, &client_type, sizeof *client);
    client->engine = engine_none();
    lua_newtable(L);
    lua_pushboolean(L, true); /* so that there is room for what luaL_unref() keeps of an anchor */
    luaL_unref(L, -1, luaL_ref(L, -2));
    compat_set_table(L, -2);

    const char *message = "out of memory";
    struct engine *engine = keep_secrets(L, client, 3) ? engine_new(&options, &message) : NULL;
    if (!engine) {
        lua_pushnil(L);
        lua_pushstring(L, message);
        return 2;
    }
    client->engine = engine;
    return 1;
}

/* core.close(client) -> whether it was open: ends what is in flight; core.next_completion() still
 * lists it. The secrets are gone: see core.redact(). */
static int client_close(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    lua_pushboolean(L, client->secrets != NULL); /* in a forked child, too: it has to notify */
    engine_close(client->engine);
    forget_secrets(client);
    return 1;
}

/* client:close(), which tells those who wait. */
static int client_leave(lua_State *L)
{
    binding_client(L, 1);
    return binding_call_method(L, &client_type, "close", 0);
}

/* Other finalizers may still use it afterwards, as one that is closed. */
static int client_gc(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    if (client->engine != engine_none())
        engine_free(client->engine);
    client->engine = engine_none();
    forget_secrets(client);
    return 0;
}

static int client_index(lua_State *L)
{
    binding_client(L, 1);
    lua_settop(L, 2);
    return binding_index(L, &client_type);
}

static int client_tostring(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    compat_get_table(L, 1);
    lua_getfield(L, -1, "_base_url");
    const char *url = lua_tostring(L, -1);
    bool closed = engine_is_closed(client->engine);
    lua_pushfstring(L, "cekura.client (%s)", closed ? "closed" : url ? url : "open");
    return 1;
}

static int client_is_closed(lua_State *L)
{
    lua_pushboolean(L, engine_is_closed(binding_client(L, 1)->engine));
    return 1;
}

static int client_is_busy(lua_State *L)
{
    lua_pushboolean(L, engine_is_busy(binding_client(L, 1)->engine));
    return 1;
}

/* ---- the protocol ---- */

/* client:pollfd() -> the descriptor to watch; nil when closed. */
static int client_pollfd(lua_State *L)
{
    int fd = engine_fd(binding_client(L, 1)->engine);
    if (fd < 0)
        return 0;
    lua_pushinteger(L, fd);
    return 1;
}

/* client:events() -> "r": it is watched for reading. */
static int client_events(lua_State *L)
{
    binding_client(L, 1);
    lua_pushliteral(L, "r");
    return 1;
}

/* core.due(client) -> seconds until the engine's next step is due; nil: not before the descriptor
 * is readable. */
static int client_due(lua_State *L)
{
    int64_t due_us = engine_due_us(binding_client(L, 1)->engine);
    if (due_us == CLOCK_NEVER)
        return 0;
    int64_t span_us = due_us - clock_monotonic_us();
    lua_pushnumber(L, span_us > 0 ? clock_to_seconds(span_us) : 0);
    return 1;
}

/* core.alarm(client, seconds | nil): has the descriptor readable then, too. */
static int client_alarm(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    int64_t due_us = CLOCK_NEVER;
    if (!lua_isnoneornil(L, 2))
        due_us = clock_monotonic_us() + clock_from_seconds(luaL_checknumber(L, 2));
    engine_alarm(client->engine, due_us);
    return 0;
}

/* core.step(client [, seconds]): a step; with seconds > 0 it blocks so long, or until there is
 * something to do. */
static int client_step(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    engine_step(client->engine, clock_from_seconds(luaL_optnumber(L, 2, 0)));
    return 0;
}

/* core.wait_for_polls(client, 1 | -1): somebody begins, or ends, to wait for jobs. */
static int client_wait_for_polls(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    lua_Integer change = luaL_checkinteger(L, 2);
    luaL_argcheck(L, change == 1 || change == -1, 2, "1 or -1 expected");
    engine_wait_for_polls(client->engine, (int)change);
    return 0;
}

/* core.wait({ client, … } [, seconds]) -> whether the descriptor of one is readable; blocks until
 * then, or so long. For the own loop, with several clients or none; with 0 seconds for any. */
static int core_wait(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_rawlen(L, 1);
    int64_t wait_us = CLOCK_LONGEST_US;
    if (!lua_isnoneornil(L, 2))
        wait_us = clock_from_seconds(luaL_checknumber(L, 2));
    struct pollfd *fds = lua_newuserdata(L, (count + 1) * sizeof *fds);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (int)i + 1);
        fds[i] = (struct pollfd){.fd = engine_fd(binding_client(L, -1)->engine), .events = POLLIN};
        lua_pop(L, 1);
    }
    const struct timespec wait = {
        .tv_sec = (time_t)(wait_us / 1000000), .tv_nsec = (long)(wait_us % 1000000) * 1000};
    int readable = ppoll(fds, count, &wait, NULL); /* EINTR: the caller looks again */
    lua_pushboolean(L, readable > 0);
    return 1;
}

/* ---- what came of it ---- */

/* core.next_completion(client) -> the next operation that has finished, or job that has news; nil.
 */
static int client_finished(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    struct item *item = engine_next_finished(client->engine);
    if (!item)
        return 0;
    binding_push_anchored(L, 1, item->ref);
    return 1;
}

/* core.next_event(client) -> name, operation or job, tries, status, outcome, pause, elapsed; nil.
 */
static int client_event(lua_State *L)
{
    static const char *const names[] = {
        [EVENT_STARTED] = "request_started",
        [EVENT_RETRIED] = "request_retried",
        [EVENT_FINISHED] = "request_finished",
    };
    struct client_object *client = binding_client(L, 1);
    luaL_checkstack(L, 10, NULL);
    struct event *next = engine_next_event(client->engine);
    if (!next)
        return 0;
    struct event event = *next;
    free(next);
    lua_pushstring(L, names[event.kind]);
    if (event.subject)
        binding_push_anchored(L, 1, event.ref);
    else
        lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)event.tries);
    lua_pushinteger(L, event.status);
    lua_pushstring(L, binding_outcome_name(event.outcome));
    lua_pushnumber(L, clock_to_seconds(event.pause_us));
    lua_pushnumber(L, clock_to_seconds(event.elapsed_us));
    return 7;
}

static void set_count(lua_State *L, const char *name, uint64_t count)
{
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, name);
}

/* client:stats() -> a table of counters: `requests` sent (tries), of these `retries`, `in_flight`
 * now and `max_in_flight` at once so far, `connections` opened, `jobs` made, `bytes_in`, what is
 * left of the `retry_quota`, and `longest_step`: the seconds that a step kept its caller at most.
 */
static int client_stats(lua_State *L)
{
    struct engine_stats stats = engine_stats(binding_client(L, 1)->engine);
    lua_createtable(L, 0, 9);
    set_count(L, "requests", stats.requests);
    set_count(L, "retries", stats.retries);
    set_count(L, "in_flight", stats.in_flight);
    set_count(L, "max_in_flight", stats.most_in_flight);
    set_count(L, "connections", stats.connections);
    set_count(L, "jobs", stats.polls);
    set_count(L, "bytes_in", stats.bytes_in);
    set_count(L, "retry_quota", stats.retry_quota);
    lua_pushnumber(L, clock_to_seconds(stats.longest_step_us));
    lua_setfield(L, -2, "longest_step");
    return 1;
}

/* How many bytes at the beginning of the text stand for one of the client's secrets; 0: none. */
static size_t secret_width(const struct client_object *client, const char *text, size_t length)
{
    for (size_t i = 0; i < client->secret_count; i++) {
        size_t width = secret_at(&client->secrets[i], text, length);
        if (width)
            return width;
    }
    return 0;
}

/* core.redact(client, text) -> the text, without the secrets. A service may repeat in its answer
 * what it was sent. A client that is closed has forgotten them, so it can vouch for no text. */
static int client_redact(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    lua_settop(L, 2);
    if (!client->secrets) {
        if (length)
            lua_pushliteral(L, "[not shown: the client is closed]");
        return 1;
    }
    luaL_Buffer clean;
    size_t told = 0;
    for (size_t at = 0; at < length;) {
        size_t width = secret_width(client, text + at, length - at);
        if (width == 0) {
            at++;
            continue;
        }
        if (told == 0)
            luaL_buffinit(L, &clean);
        luaL_addlstring(&clean, text + told, at - told);
        luaL_addstring(&clean, "[key]");
        at += width;
        told = at;
    }
    if (told == 0)
        return 1;
    luaL_addlstring(&clean, text + told, length - told);
    luaL_pushresult(&clean);
    return 1;
}

/* A shorter one may be in any text. */
#define LEAST_TOLD 8

/* core.has_secret(client, text) -> whether one of the client's secrets stands in it; a closed one
 * has none. */
static int client_has_secret(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    bool found = false;
    for (size_t i = 0; i < client->secret_count; i++)
        for (size_t at = 0; client->secrets[i].length >= LEAST_TOLD && at < length; at++)
            found = found || secret_at(&client->secrets[i], text + at, length - at) > 0;
    lua_pushboolean(L, found);
    return 1;
}

void client_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", client_index},
        {"__gc", client_gc},
        {"__close", client_leave},
        {"__tostring", client_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"pollfd", client_pollfd},
        {"events", client_events},
        {"stats", client_stats},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"new_client", client_new},
        {"close", client_close},
        {"is_closed", client_is_closed},
        {"is_busy", client_is_busy},
        {"due", client_due},
        {"alarm", client_alarm},
        {"step", client_step},
        {"wait_for_polls", client_wait_for_polls},
        {"wait", core_wait},
        {"next_completion", client_finished},
        {"next_event", client_event},
        {"redact", client_redact},
        {"has_secret", client_has_secret},
        {NULL, NULL},
    };
    binding_open_type(L, &client_type, metamethods, methods, "client_methods");
    compat_set_functions(L, functions);
}
