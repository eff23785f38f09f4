/* client.c - the client: an engine as a userdata, the protocol by which a host's loop polls it, and
 * the Lua objects of the engine's completions and events. */
#include "client.h"

#include "engine/clock.h"
#include "marshal.h"
#include "parts.h"
#include "secret.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

const struct type client_type = {"cekura.client"};

/* ---- life ---- */

/* Copies the list of secrets at `index`. Returns false if memory runs out. */
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
        const char *bytes = secret_element_bytes(L, &length);
        if (!secret_reserve(&client->secrets[i], length))
            return false;
        memcpy(client->secrets[i].bytes, bytes, length);
        client->begins_secret[(unsigned char)*bytes] = true;
        lua_pop(L, 1);
    }
    client->begins_secret['\\'] = client->begins_secret['%'] = true;
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

/* core.new_client(options) -> client | nil, message. The options are those of struct
 * engine_options, with times in seconds; `headers` may contain secrets. core.redact() removes the
 * secrets in `secrets` from texts. */
static int core_new_client(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "secrets");
    luaL_checktype(L, 2, LUA_TTABLE);
    struct engine_options options = {
        .max_in_flight = (unsigned)marshal_number(L, 1, "max_in_flight", UINT32_MAX),
        .max_long = (unsigned)marshal_number(L, 1, "max_direct", UINT32_MAX / 2),
        .max_response = (size_t)marshal_number(L, 1, "max_response", 0x1p53),
        .retries = (unsigned)marshal_number(L, 1, "retries", UINT32_MAX),
        .connect_timeout_us = clock_from_seconds(marshal_number(L, 1, "connect_timeout", HUGE_VAL)),
        .user_agent = marshal_text(L, 1, "user_agent", NULL),
        .ca_file = marshal_text(L, 1, "ca_file", NULL),
        .proxy = marshal_text(L, 1, "proxy", NULL),
        .loopback = marshal_flag(L, 1, "loopback"),
        .secure = marshal_flag(L, 1, "secure"),
        .report_events = marshal_flag(L, 1, "report_events"),
    };
    lua_getfield(L, 1, "speed");
    options.speed = luaL_optnumber(L, -1, 1);
    lua_pop(L, 1);
    options.headers = marshal_lines(L, 1, "headers", &options.header_count);

    struct client_object *client = object_new(L, &client_type, sizeof *client);
    client->engine = engine_none();
    lua_newtable(L);
    /* Makes room for luaL_unref(), so that releasing an anchor cannot fail. */
    lua_pushboolean(L, true);
    luaL_unref(L, -1, luaL_ref(L, -2));
    compat_set_table(L, -2);

    const char *message = "out of memory";
    struct engine *engine = keep_secrets(L, client, 2) ? engine_new(&options, &message) : NULL;
    if (!engine)
        return object_push_failure(L, message);
    client->engine = engine;
    return 1;
}

/* core.close(client) -> whether it was open. Ends all operations and jobs, which
 * core.next_completion() still returns. Wipes the secrets; see core.redact(). */
static int core_close(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    /* By the secrets, since in a forked child the engine counts as closed before. */
    lua_pushboolean(L, client->secrets != NULL);
    engine_close(client->engine);
    forget_secrets(client);
    return 1;
}

/* __close: calls the library's client:close(), which notifies the waiters. */
static int client_close(lua_State *L)
{
    client_check(L, 1);
    return object_call_method(L, &client_type, "close", 0);
}

/* Other finalizers may use the object afterwards, so it stays valid, as a closed client. */
static int client_gc(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    if (client->engine != engine_none())
        engine_free(client->engine);
    client->engine = engine_none();
    in_flight_free(&client->in_flight);
    forget_secrets(client);
    return 0;
}

static int client_index(lua_State *L)
{
    client_check(L, 1);
    lua_settop(L, 2);
    return object_index(L, &client_type);
}

static int client_tostring(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    compat_get_table(L, 1);
    lua_getfield(L, -1, "_base_url");
    const char *url = lua_tostring(L, -1);
    bool closed = engine_is_closed(client->engine);
    lua_pushfstring(L, "cekura.client (%s)", closed ? "closed" : url ? url : "open");
    return 1;
}

struct client_object *client_check(lua_State *L, int index)
{
    return object_check(L, index, &client_type);
}

void client_check_owner(lua_State *L, const struct engine *engine)
{
    const struct engine *owner = client_check(L, 1)->engine;
    luaL_argcheck(
        L, owner == engine || owner == engine_none(), 2, "it is the object of another client");
}

static int core_is_closed(lua_State *L)
{
    lua_pushboolean(L, engine_is_closed(client_check(L, 1)->engine));
    return 1;
}

static int core_is_busy(lua_State *L)
{
    lua_pushboolean(L, engine_is_busy(client_check(L, 1)->engine));
    return 1;
}

/* ---- the protocol of the host's loop ---- */

/* client:pollfd(): the descriptor that a host watches.
 * ---@return integer? fd nil: the client is closed */
static int client_pollfd(lua_State *L)
{
    int fd = engine_fd(client_check(L, 1)->engine);
    if (fd < 0)
        return 0;
    lua_pushinteger(L, fd);
    return 1;
}

/* client:events(): what the descriptor is watched for.
 * ---@return "r" events for reading */
static int client_events(lua_State *L)
{
    client_check(L, 1);
    lua_pushliteral(L, "r");
    return 1;
}

/* core.due(client) -> seconds until the engine's next step is due; nil if none is due before the
 * descriptor is readable. */
static int core_due(lua_State *L)
{
    int64_t due_us = engine_due_us(client_check(L, 1)->engine);
    if (due_us == CLOCK_NEVER)
        return 0;
    int64_t span_us = due_us - clock_monotonic_us();
    lua_pushnumber(L, span_us > 0 ? clock_to_seconds(span_us) : 0);
    return 1;
}

/* core.alarm(client, seconds | nil): makes the descriptor readable after that time, too. */
static int core_alarm(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    int64_t due_us = CLOCK_NEVER;
    if (!lua_isnoneornil(L, 2))
        due_us = clock_monotonic_us() + clock_from_seconds(luaL_checknumber(L, 2));
    engine_alarm(client->engine, due_us);
    return 0;
}

/* core.step(client [, seconds]): one step of the engine. If seconds > 0, it steps and blocks for up
 * to that long, until there is something for Lua; see engine_step(). */
static int core_step(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    engine_step(client->engine, clock_from_seconds(luaL_optnumber(L, 2, 0)));
    return 0;
}

/* core.wait_for_polls(client, 1 | -1): adds or removes a waiter for jobs. */
static int core_wait_for_polls(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    lua_Integer change = luaL_checkinteger(L, 2);
    luaL_argcheck(L, change == 1 || change == -1, 2, "1 or -1 expected");
    engine_wait_for_polls(client->engine, (int)change);
    return 0;
}

/* core.set_speed(client, speed): divides the client's pauses; see engine_set_speed(). */
static int core_set_speed(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    engine_set_speed(client->engine, luaL_checknumber(L, 2));
    return 0;
}

/* core.quickened(client, seconds) -> a pause of the library, divided likewise. */
static int core_quickened(lua_State *L)
{
    double speed = engine_speed(client_check(L, 1)->engine);
    lua_pushnumber(L, luaL_checknumber(L, 2) / (speed > 0 ? speed : 1));
    return 1;
}

/* core.wait({ client, … } [, seconds]) -> whether the descriptor of a client is readable. Blocks
 * until one is, for up to that long, or forever. */
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
        fds[i] = (struct pollfd){.fd = engine_fd(client_check(L, -1)->engine), .events = POLLIN};
        lua_pop(L, 1);
    }
    const struct timespec wait = {
        .tv_sec = (time_t)(wait_us / 1000000), .tv_nsec = (long)(wait_us % 1000000) * 1000};
    int readable = ppoll(fds, count, &wait, NULL); /* EINTR: the caller waits again */
    lua_pushboolean(L, readable > 0);
    return 1;
}

/* core.step_all({ client, … } [, seconds]): steps the clients and blocks for up to that long, or
 * forever, until one of them has something for Lua. */
static int core_step_all(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_rawlen(L, 1);
    int64_t wait_us = CLOCK_LONGEST_US;
    if (!lua_isnoneornil(L, 2))
        wait_us = clock_from_seconds(luaL_checknumber(L, 2));
    struct engine **engines = lua_newuserdata(L, (count + 1) * sizeof(struct engine *));
    struct pollfd *room = lua_newuserdata(L, (count + 1) * sizeof *room);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (int)i + 1);
        engines[i] = client_check(L, -1)->engine;
        lua_pop(L, 1);
    }
    engine_step_all(engines, count, room, wait_us);
    return 0;
}

/* ---- anchors: integer keys of the client's own table ---- */

int client_anchor(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    compat_get_table(L, 1);
    lua_insert(L, -2);
    int ref = luaL_ref(L, -2);
    lua_pop(L, 1);
    return ref;
}

void client_release_anchor(lua_State *L, int *ref)
{
    if (*ref == LUA_NOREF)
        return;
    compat_get_table(L, 1);
    luaL_unref(L, -1, *ref);
    lua_pop(L, 1);
    *ref = LUA_NOREF;
}

/* ---- completions and events ---- */

static void push_anchored(lua_State *L, int ref)
{
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, ref);
    lua_remove(L, -2);
}

/* core.next_completion(client) -> the next request that has finished, or job that has an update;
 * nil if there is none; and whether it is a job. */
static int core_next_completion(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    struct item *item = engine_next_finished(client->engine);
    if (!item)
        return 0;
    bool is_job = item->kind == ITEM_POLLER;
    push_anchored(L, item->ref);
    lua_pushboolean(L, is_job);
    return 2;
}

/* core.relist(client, object): core.next_completion() returns the object once more, if it is
 * anchored. This needs no memory. */
static int core_relist(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    compat_get_table(L, 1);
    lua_pushnil(L);
    while (lua_next(L, 3)) {
        if (lua_type(L, 4) == LUA_TNUMBER && lua_rawequal(L, 5, 2))
            engine_relist(client->engine, (int)lua_tointeger(L, 4));
        lua_pop(L, 1);
    }
    return 0;
}

/* core.next_event(client) -> the next event, as a table of the fields that a program gets, and
 * `subject`, the request or job; nil if there is none. The table is created before the event is
 * fetched: creating it may raise, and a fetched event would be lost. */
static int core_next_event(lua_State *L)
{
    static const char *const names[] = {
        [EVENT_STARTED] = "request_started",
        [EVENT_RETRIED] = "request_retried",
        [EVENT_FINISHED] = "request_finished",
    };
    struct client_object *client = client_check(L, 1);
    lua_createtable(L, 0, 11); /* with what the library adds */
    struct event *next = engine_next_event(client->engine);
    if (!next)
        return 0;
    struct event event = *next;
    free(next);
    if (event.subject) {
        push_anchored(L, event.ref);
        lua_setfield(L, -2, "subject");
    }
    marshal_set_text(L, "name", names[event.kind]);
    marshal_set_integer(L, "attempt", event.tries);
    if (event.kind == EVENT_STARTED)
        return 1;
    if (event.status > 0)
        marshal_set_integer(L, "status", event.status);
    marshal_set_text(L, "outcome", marshal_outcome_name(event.outcome));
    marshal_set_seconds(L, "elapsed", event.elapsed_us);
    if (event.kind == EVENT_RETRIED)
        marshal_set_seconds(L, "pause", event.pause_us);
    return 1;
}

/* core.stats(client) -> the counters of client:stats(), of which cekura.client says what they are.
 */
static int core_stats(lua_State *L)
{
    struct engine_stats stats = engine_stats(client_check(L, 1)->engine);
    lua_createtable(L, 0, 10);
    marshal_set_integer(L, "requests", (lua_Integer)stats.requests);
    marshal_set_integer(L, "retries", (lua_Integer)stats.retries);
    marshal_set_integer(L, "in_flight", (lua_Integer)stats.in_flight);
    marshal_set_integer(L, "max_in_flight", (lua_Integer)stats.most_in_flight);
    marshal_set_integer(L, "direct", (lua_Integer)stats.long_in_flight);
    marshal_set_integer(L, "connections", (lua_Integer)stats.connections);
    marshal_set_integer(L, "jobs", (lua_Integer)stats.polls);
    marshal_set_integer(L, "bytes_in", (lua_Integer)stats.bytes_in);
    marshal_set_integer(L, "retry_quota", (lua_Integer)stats.retry_quota);
    marshal_set_seconds(L, "longest_step", stats.longest_step_us);
    return 1;
}

/* core.durations(client) -> a table: what was learned of the durations of each kind of jobs, as a
 * text for core.learn(). Kinds of which too little is known are left out. */
static int core_durations(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    char text[ENGINE_DURATIONS_SIZE];
    const char *kind;
    lua_newtable(L);
    for (unsigned i = 0; (kind = engine_durations(client->engine, i, text)); i++) {
        if (!*text)
            continue;
        lua_pushstring(L, text);
        lua_setfield(L, -2, kind);
    }
    return 1;
}

/* core.learn(client, durations) -> whether that is a table of core.durations(), and memory
 * suffices. If it is not, nothing is learned. */
static int core_learn(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    struct engine *engines[] = {NULL, client->engine}; /* first only checks */
    bool good = true;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    for (int i = 0; i < 2; i++) {
        lua_pushnil(L);
        while (good && lua_next(L, 2)) {
            size_t length;
            const char *text = luaL_checklstring(L, 4, &length);
            good = engine_learn(engines[i], lua_tostring(L, 3), text, length);
            lua_pop(L, 1);
        }
        lua_settop(L, 2);
    }
    lua_pushboolean(L, good);
    return 1;
}

/* The number of bytes at the start of the text that represent one of the client's secrets; 0 if it
 * starts with none. */
static size_t secret_width(const struct client_object *client, const char *text, size_t length)
{
    for (size_t i = 0; i < client->secret_count; i++) {
        size_t width = secret_at(&client->secrets[i], text, length);
        if (width)
            return width;
    }
    return 0;
}

/* Replaces the secrets in the text at 2, which is on top of the stack. */
static int redact(lua_State *L, const struct client_object *client)
{
    size_t length;
    const char *text = lua_tolstring(L, 2, &length);
    luaL_Buffer clean;
    size_t copied = 0; /* bytes of the text that are copied to the buffer, or redacted */
    for (size_t at = 0; at < length;) {
        bool may_begin = client->begins_secret[(unsigned char)text[at]];
        size_t width = may_begin ? secret_width(client, text + at, length - at) : 0;
        if (width == 0) {
            at++;
            continue;
        }
        if (copied == 0)
            luaL_buffinit(L, &clean);
        luaL_addlstring(&clean, text + copied, at - copied);
        luaL_addstring(&clean, "[key]");
        at += width;
        copied = at;
    }
    if (copied == 0)
        return 1;
    luaL_addlstring(&clean, text + copied, length - copied);
    luaL_pushresult(&clean);
    return 1;
}

/* core.redact(client, text) -> the text without the secrets, which a service may repeat in its
 * answer. A closed client has wiped its secrets and cannot find them, so it replaces the whole
 * text. */
static int core_redact(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    size_t length;
    luaL_checklstring(L, 2, &length);
    lua_settop(L, 2);
    if (client->secrets)
        return redact(L, client);
    if (length)
        lua_pushliteral(L, "[not shown: the client is closed]");
    return 1;
}

/* core.redact_path(client, path) -> the path without the secrets; if the client is closed, without
 * its query, too. */
static int core_redact_path(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    const char *path = luaL_checkstring(L, 2);
    lua_settop(L, 2);
    if (client->secrets)
        return redact(L, client);
    lua_pushlstring(L, path, strcspn(path, "?"));
    return 1;
}

bool client_has_secret(const struct client_object *client, const char *text, size_t length)
{
    bool found = false;
    for (size_t i = 0; i < client->secret_count; i++)
        for (size_t at = 0; client->secrets[i].length >= SECRET_MIN_LENGTH && at < length; at++)
            found = found || secret_at(&client->secrets[i], text + at, length - at) > 0;
    return found;
}

/* core.has_secret(client, text) -> whether client_has_secret() finds one. */
static int core_has_secret(lua_State *L)
{
    const struct client_object *client = client_check(L, 1);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    lua_pushboolean(L, client_has_secret(client, text, length));
    return 1;
}

void client_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", client_index},
        {"__gc", client_gc},
        {"__close", client_close},
        {"__tostring", client_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"pollfd", client_pollfd},
        {"events", client_events},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"new_client", core_new_client},
        {"close", core_close},
        {"is_closed", core_is_closed},
        {"is_busy", core_is_busy},
        {"due", core_due},
        {"alarm", core_alarm},
        {"step", core_step},
        {"step_all", core_step_all},
        {"wait_for_polls", core_wait_for_polls},
        {"set_speed", core_set_speed},
        {"quickened", core_quickened},
        {"wait", core_wait},
        {"next_completion", core_next_completion},
        {"relist", core_relist},
        {"next_event", core_next_event},
        {"stats", core_stats},
        {"durations", core_durations},
        {"learn", core_learn},
        {"redact", core_redact},
        {"redact_path", core_redact_path},
        {"has_secret", core_has_secret},
        {NULL, NULL},
    };
    object_open_type(L, &client_type, metamethods, functions);
    object_open_methods(L, &client_type, methods, "client_methods");
}
