/* job.c - a job as a userdata: a poll of the engine, a clock, and the table of the library's
 * fields.
 *
 * The library decides what an answer means. This file implements what must work while no Lua code
 * runs: the poll, the last answer, the elapsed time. */
#include "client.h"
#include "engine/clock.h"
#include "engine/poller.h"
#include "json.h"
#include "marshal.h"
#include "parts.h"

#include <math.h>
#include <string.h>

const struct type job_type = {"cekura.job"};

struct job_object {
    struct poller *poll; /* NULL for a job that had ended when it was created */
    int64_t began_us;
    int64_t ended_us; /* 0 while the job runs */
    double started;   /* when it began, in seconds since the epoch */
    int ref;          /* its anchor, or LUA_NOREF */
    bool is_dated;    /* it is known when the job began */
    bool learns;      /* its polls follow what was learned */
};

/* The fields of every polled job that is waited for: `id`, `state`, `status`, `_subscriptions`. A
 * table with a fifth has room for eight. */
#define OWN_FIELDS 4

static struct job_object *check_job(lua_State *L, int index)
{
    return object_check(L, index, &job_type);
}

static struct poller *check_poll(lua_State *L, int index)
{
    struct poller *poll = check_job(L, index)->poll;
    if (!poll)
        luaL_error(L, "the job has nothing to poll");
    return poll;
}

/* core.new_job(client, started [, request, id, started_here, dated]) -> job; nil if the client is
 * closed or memory runs out. `started`: when the job did, in seconds since the epoch; `dated`:
 * whether that is known. Unless the job has ended and is never polled, `request` has the members of
 * marshal_request(), of which jobs that differ only in their ids may have the same; `url_rest`,
 * what follows the id in the URL; and `interval`, at which growing pauses end. */
static int core_new_job(lua_State *L)
{
    struct client_object *client = client_check(L, 1);
    double now = (double)clock_date_s(), started = luaL_optnumber(L, 2, now);
    bool is_polled = !lua_isnoneornil(L, 3), started_here = lua_toboolean(L, 5);
    const char *id = is_polled ? luaL_checkstring(L, 4) : NULL;
    int64_t interval_us = 0;
    struct request request;
    lua_settop(L, 6);
    if (is_polled) {
        luaL_checktype(L, 3, LUA_TTABLE);
        request = marshal_request(L, 3);
        request.url_rest = marshal_text(L, 3, "url_rest", NULL);
        interval_us = clock_from_seconds(marshal_number(L, 3, "interval", HUGE_VAL));
    }
    struct job_object *job = object_new(L, &job_type, sizeof *job);
    job->started = started;
    job->ref = LUA_NOREF;
    lua_createtable(L, 0, OWN_FIELDS);
    compat_set_table(L, -2);
    job->began_us = clock_monotonic_us() - clock_from_seconds(now - started);
    job->is_dated = lua_toboolean(L, 6);
    if (!is_polled)
        return 1;
    job->poll = poller_new(client->engine, &request, id, started_here, interval_us);
    return job->poll != NULL;
}

/* ---- polling ---- */

/* The job at 2. Raises unless the client at 1, which holds its anchor, created it. */
static struct job_object *check_job_of_client(lua_State *L)
{
    client_check(L, 1);
    struct job_object *job = check_job(L, 2);
    if (job->poll)
        client_check_owner(L, poller_engine(job->poll));
    return job;
}

/* Releases the anchor once the engine can neither list the job nor report an event about it. */
static void settle_anchor(lua_State *L, struct job_object *job)
{
    if (!job->poll || poller_is_needed(job->poll))
        return;
    poller_forget_ref(job->poll);
    client_release_anchor(L, &job->ref);
}

/* The field `kind` of the job at 2, which stays on the stack. */
static const char *kind_of_job(lua_State *L)
{
    compat_get_table(L, 2);
    lua_getfield(L, -1, "kind");
    return luaL_checkstring(L, -1);
}

/* core.watch(client, job [, interval]): starts polling the job. The interval is in seconds, or
 * "adaptive": by what was learned of its kind, unless it is unknown when the job began. */
static int core_watch(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    struct poller *poll = check_poll(L, 2);
    bool learns = lua_type(L, 3) == LUA_TSTRING;
    double interval = learns ? 0 : luaL_optnumber(L, 3, 0);
    if (job->ref == LUA_NOREF) /* first, since it may raise, and a listed job needs its anchor */
        job->ref = client_anchor(L, 2);
    const char *kind = learns && job->is_dated ? kind_of_job(L) : NULL;
    if ((kind || job->learns) && !poller_learn(poll, kind, job->began_us))
        return luaL_error(L, "not enough memory");
    job->learns = kind != NULL;
    poller_watch(poll, clock_from_seconds(interval), job->ref);
    return 0;
}

/* core.unwatch(client, job) */
static int core_unwatch(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    if (job->poll)
        poller_unwatch(job->poll);
    settle_anchor(L, job);
    return 0;
}

/* core.accept_update(client, job): its update has been handled. */
static int core_accept_update(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    poller_accept(check_poll(L, 2));
    settle_anchor(L, job);
    return 0;
}

/* core.reject_update(client, job): its update is a failure to poll through. */
static int core_reject_update(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    poller_reject(check_poll(L, 2));
    settle_anchor(L, job);
    return 0;
}

/* core.settle_anchor(client, job): an event of it has been fetched. */
static int core_settle_anchor(lua_State *L)
{
    settle_anchor(L, check_job_of_client(L));
    return 0;
}

/* core.update(job) -> true if its update is a complete answer with a status of 2xx, which the
 * functions below read; any other update, by marshal_push_outcome(); nil if there is none. */
static int core_update(lua_State *L)
{
    const struct outcome *update = poller_update(check_poll(L, 1));
    if (!update)
        return 0;
    if (outcome_is_good(update))
        lua_pushboolean(L, true);
    else
        marshal_push_outcome(L, update);
    return 1;
}

static const struct outcome *check_update(lua_State *L, int index)
{
    const struct outcome *update = poller_update(check_poll(L, index));
    if (!update)
        luaL_error(L, "the job has no update");
    return update;
}

static void push_bytes(lua_State *L, const struct buffer *bytes)
{
    lua_pushlstring(L, bytes->length ? bytes->bytes : "", bytes->length);
}

/* core.update_member(job, name) -> "status", "_head" or "body" of its update, as in
 * marshal_push_outcome(). */
static int core_update_member(lua_State *L)
{
    const struct outcome *update = check_update(L, 1);
    const char *name = luaL_checkstring(L, 2);
    if (strcmp(name, "status") == 0)
        lua_pushinteger(L, update->status);
    else
        push_bytes(L, strcmp(name, "body") == 0 ? &update->body : &update->headers);
    return 1;
}

/* core.decode_update(job) -> the body of its update as core.decode() reads it. A finalizer may run
 * meanwhile, and poll the job, which replaces that body. So a copy is decoded, which is no string
 * where it is as short as most answers are. */
static int core_decode_update(lua_State *L)
{
    const struct buffer *body = &check_update(L, 1)->body;
    size_t length = body->length;
    char copy[1024];
    if (length <= sizeof copy) {
        memcpy(copy, length ? body->bytes : "", length);
        return json_decode(L, copy, length, false);
    }
    push_bytes(L, body);
    return json_decode(L, lua_tostring(L, -1), length, false);
}

/* core.last_error(job) -> the last transient failure, by marshal_push_outcome(); nil if there is
 * none. */
static int core_last_error(lua_State *L)
{
    struct poller *poll = check_job(L, 1)->poll;
    const struct outcome *failure = poll ? poller_last_error(poll) : NULL;
    if (!failure)
        return 0;
    marshal_push_outcome(L, failure);
    return 1;
}

/* core.force_update(job): makes the next good answer an update, even if it has not changed. */
static int core_force_update(lua_State *L)
{
    poller_force_update(check_poll(L, 1));
    return 0;
}

/* core.expedite(job): makes the next poll due at once, or as soon as there is a waiter. */
static int core_expedite(lua_State *L)
{
    poller_expedite(check_poll(L, 1));
    return 0;
}

/* core.forget_error(job) */
static int core_forget_error(lua_State *L)
{
    poller_forget_error(check_poll(L, 1));
    return 0;
}

/* core.postpone(job, seconds | nil): delays the next poll by at least that, as an answer from
 * outside the schedule asked. */
static int core_postpone(lua_State *L)
{
    struct poller *poll = check_poll(L, 1);
    poller_postpone(poll, clock_from_seconds(luaL_optnumber(L, 2, 0)));
    return 0;
}

/* core.count_poll(job): counts a poll from outside the schedule that got no good answer. */
static int core_count_poll(lua_State *L)
{
    poller_count_poll(check_poll(L, 1));
    return 0;
}

/* core.answer(job) -> the body of the last good answer; nil if there is none. */
static int core_answer(lua_State *L)
{
    const struct buffer *answer = poller_answer(check_poll(L, 1));
    if (!answer->bytes)
        return 0;
    lua_pushlstring(L, answer->bytes, answer->length);
    return 1;
}

/* core.set_answer(job, body): records a good answer from outside the schedule. */
static int core_set_answer(lua_State *L)
{
    size_t length;
    struct poller *poll = check_poll(L, 1);
    const char *body = luaL_checklstring(L, 2, &length);
    if (!poller_set_answer(poll, body, length))
        return luaL_error(L, "not enough memory");
    return 0;
}

/* core.set_poll_url(job, url, url_rest): sends later polls to that URL, whose id stays between the
 * two. The next good answer is an update. */
static int core_set_poll_url(lua_State *L)
{
    struct poller *poll = check_poll(L, 1);
    const char *url = luaL_checkstring(L, 2);
    if (!poller_set_url(poll, url, luaL_checkstring(L, 3)))
        return luaL_error(L, "not enough memory");
    return 0;
}

/* core.next_poll(job) -> seconds until its next poll, 0 if that is due or under way; nil if none is
 * scheduled. */
static int core_next_poll(lua_State *L)
{
    struct poller *poll = check_job(L, 1)->poll;
    int64_t span_us;
    if (!poll || !poller_next(poll, &span_us))
        return 0;
    lua_pushnumber(L, clock_to_seconds(span_us));
    return 1;
}

/* core.ended(job): stops the clock of job.elapsed. Whether a job has ended is in its state, which
 * the library keeps. */
static int core_ended(lua_State *L)
{
    struct job_object *job = check_job(L, 1);
    if (job->ended_us == 0)
        job->ended_us = clock_monotonic_us();
    return 0;
}

/* core.started(job) -> when it began, in seconds since the epoch. */
static int core_started(lua_State *L)
{
    lua_pushnumber(L, check_job(L, 1)->started);
    return 1;
}

/* core.started_here_at(job) -> the time of the answer to its start, by core.now(); nil if it was
 * started elsewhere. */
static int core_started_here_at(lua_State *L)
{
    const struct job_object *job = check_job(L, 1);
    if (!job->poll || !poller_is_started_here(job->poll))
        return 0;
    lua_pushnumber(L, clock_to_seconds(job->began_us));
    return 1;
}

/* core.learn_end(job): an answer has shown that the job has ended. */
static int core_learn_end(lua_State *L)
{
    struct job_object *job = check_job(L, 1);
    if (job->poll)
        poller_ended(job->poll);
    return 0;
}

/* core.disregard(job): how long it takes from now on says nothing of other jobs. */
static int core_disregard(lua_State *L)
{
    struct job_object *job = check_job(L, 1);
    if (job->poll)
        poller_disregard(job->poll);
    return 0;
}

/* ---- metamethods ---- */

/* __index: a method, else a field.
 * ---@field polls integer how many polls have ended
 * ---@field elapsed number seconds since the start, until the end */
static int job_index(lua_State *L)
{
    struct job_object *job = check_job(L, 1);
    lua_settop(L, 2);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "polls") == 0) {
        lua_pushinteger(L, job->poll ? (lua_Integer)poller_count(job->poll) : 0);
        return 1;
    }
    if (strcmp(name, "elapsed") == 0) {
        int64_t until_us = job->ended_us ? job->ended_us : clock_monotonic_us();
        lua_pushnumber(L, clock_to_seconds(until_us - job->began_us));
        return 1;
    }
    return object_index(L, &job_type);
}

static int job_newindex(lua_State *L)
{
    check_job(L, 1);
    return luaL_error(L, "the fields of a job are read only");
}

/* __close: polling stops. */
static int job_close(lua_State *L)
{
    check_job(L, 1);
    return object_call_method(L, &job_type, "_leave", 0);
}

static int job_gc(lua_State *L)
{
    struct job_object *job = check_job(L, 1);
    if (job->poll)
        poller_free(job->poll);
    job->poll = NULL;
    return 0;
}

static int job_tostring(lua_State *L)
{
    const char *words[3];
    static const char *const names[3] = {"kind", "id", "state"};
    check_job(L, 1);
    lua_settop(L, 1);
    compat_get_table(L, 1);
    for (int i = 0; i < 3; i++) {
        lua_getfield(L, 2, names[i]);
        words[i] = lua_tostring(L, -1);
    }
    lua_pushfstring(L, "cekura.job (%s %s: %s)", words[0] ? words[0] : "?",
        words[1] ? words[1] : "-", words[2] ? words[2] : "?");
    return 1;
}

void job_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", job_index},
        {"__newindex", job_newindex},
        {"__gc", job_gc},
        {"__close", job_close},
        {"__tostring", job_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"new_job", core_new_job},
        {"watch", core_watch},
        {"unwatch", core_unwatch},
        {"accept_update", core_accept_update},
        {"reject_update", core_reject_update},
        {"settle_anchor", core_settle_anchor},
        {"update", core_update},
        {"update_member", core_update_member},
        {"decode_update", core_decode_update},
        {"last_error", core_last_error},
        {"force_update", core_force_update},
        {"expedite", core_expedite},
        {"forget_error", core_forget_error},
        {"postpone", core_postpone},
        {"count_poll", core_count_poll},
        {"answer", core_answer},
        {"set_answer", core_set_answer},
        {"set_poll_url", core_set_poll_url},
        {"next_poll", core_next_poll},
        {"ended", core_ended},
        {"started", core_started},
        {"started_here_at", core_started_here_at},
        {"learn_end", core_learn_end},
        {"disregard", core_disregard},
        {NULL, NULL},
    };
    object_open_type(L, &job_type, metamethods, functions);
    object_open_methods(L, &job_type, methods, "job_methods");
}
