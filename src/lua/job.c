/* job.c - a job as a userdata: a poll of the engine, and the fields that the library gives it.
 *
 * What an answer means is the library's to say. Here is only what must work without Lua running:
 * the poll, the last answer, the time. */
#include "binding.h"

#include <string.h>

const struct type job_type = {"cekura.job"};

struct job_object {
    const struct engine *engine; /* of the client that it was made by */
    struct poller *poll; /* NULL for a job that was over when it began: there is nothing to poll */
    int64_t began_us;
    int64_t ended_us; /* 0: not yet */
    int ref;          /* its anchor; LUA_NOREF: none */
};

static struct job_object *check_job(lua_State *L, int index)
{
    return binding_check(L, index, &job_type);
}

static struct poller *check_poll(lua_State *L, int index)
{
    struct poller *poll = check_job(L, index)->poll;
    if (!poll)
        luaL_error(L, "the job has nothing to poll");
    return poll;
}

/* core.new_job(client, elapsed, method | nil, url, headers, body, timeout, endpoint, started_here,
 * usual) -> job; nil: the client is closed, or there is no memory. `elapsed`: how long it has been
 * running, seconds; method nil: it is over and is never polled; usual: the interval that growing
 * pauses end at. */
static int job_new(lua_State *L)
{
    struct client_object *client = binding_client(L, 1);
    lua_settop(L, 10);
    struct request request = {0};
    if (!lua_isnil(L, 3))
        request = binding_request(L, 3);
    struct job_object *job = binding_new(L, &job_type, sizeof *job);
    job->engine = client->engine;
    job->ref = LUA_NOREF;
    lua_newtable(L);
    compat_set_table(L, -2);
    job->began_us = clock_monotonic_us() - clock_from_seconds(luaL_checknumber(L, 2));
    if (!request.method)
        return 1;
    bool started_here = lua_toboolean(L, 9);
    job->poll = poller_new(
        client->engine, &request, started_here, clock_from_seconds(luaL_checknumber(L, 10)));
    return job->poll != NULL;
}

/* ---- polling ---- */

/* The job at 2, of the client at 1, which holds its anchor. A client that was collected before its
 * job has no engine any more. */
static struct job_object *check_job_of_client(lua_State *L)
{
    const struct engine *engine = binding_client(L, 1)->engine;
    struct job_object *job = check_job(L, 2);
    luaL_argcheck(
        L, engine == job->engine || engine == engine_none(), 2, "the job is of another client");
    return job;
}

/* A job is anchored as long as the engine may list it or tell of it. */
static void settle_anchor(lua_State *L, struct job_object *job)
{
    if (job->ref != LUA_NOREF && job->poll && !poller_is_needed(job->poll)) {
        binding_release_anchor(L, 1, job->ref);
        job->ref = LUA_NOREF;
    }
}

/* core.watch(client, job [, interval]): polls it from now on. */
static int job_watch(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    struct poller *poll = check_poll(L, 2);
    double interval = luaL_optnumber(L, 3, 0);
    if (job->ref == LUA_NOREF) /* before it can be listed, and while an error loses nothing */
        job->ref = binding_anchor(L, 1, 2);
    poller_watch(poll, clock_from_seconds(interval), job->ref);
    return 0;
}

/* core.unwatch(client, job) */
static int job_unwatch(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    if (job->poll)
        poller_unwatch(job->poll);
    settle_anchor(L, job);
    return 0;
}

/* core.accept_update(client, job): its news has been looked at. */
static int job_resume(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    poller_accept(check_poll(L, 2));
    settle_anchor(L, job);
    return 0;
}

/* core.reject_update(client, job): its news is trouble to poll through. */
static int job_pass(lua_State *L)
{
    struct job_object *job = check_job_of_client(L);
    poller_reject(check_poll(L, 2));
    settle_anchor(L, job);
    return 0;
}

/* core.settle_anchor(client, job): an event of it has been fetched. */
static int job_settle(lua_State *L)
{
    settle_anchor(L, check_job_of_client(L));
    return 0;
}

/* core.list_job_again(job): core.next_completion() gives it once more. */
static int job_list_again(lua_State *L)
{
    poller_relist(check_poll(L, 1));
    return 0;
}

/* core.update(job) -> as binding_push_outcome(); nil: none. */
static int job_news(lua_State *L)
{
    struct poller *poll = check_poll(L, 1);
    const struct outcome *news = poller_update(poll);
    if (!news)
        return 0;
    return binding_push_outcome(L, news);
}

/* core.last_error(job) -> as binding_push_outcome(): the last failure that was polled through. */
static int job_trouble(lua_State *L)
{
    struct poller *poll = check_job(L, 1)->poll;
    const struct outcome *trouble = poll ? poller_last_error(poll) : NULL;
    return trouble ? binding_push_outcome(L, trouble) : 0;
}

/* core.force_update(job): the next good answer is news, whatever it is. */
static int job_look_again(lua_State *L)
{
    poller_force_update(check_poll(L, 1));
    return 0;
}

/* core.expedite(job): its next poll is due at once, or as soon as there is a waiter. */
static int job_hurry(lua_State *L)
{
    poller_expedite(check_poll(L, 1));
    return 0;
}

/* core.forget_error(job) */
static int job_forget_trouble(lua_State *L)
{
    poller_forget_error(check_poll(L, 1));
    return 0;
}

/* core.postpone(job, seconds | nil): the next poll comes no sooner, as an answer asked that came
 * outside the schedule. */
static int job_put_off(lua_State *L)
{
    struct poller *poll = check_poll(L, 1);
    poller_postpone(poll, clock_from_seconds(luaL_optnumber(L, 2, 0)));
    return 0;
}

/* core.count_poll(job): somebody asked for it, and got no good answer. */
static int job_count_poll(lua_State *L)
{
    poller_count_poll(check_poll(L, 1));
    return 0;
}

/* core.answer(job) -> the body of the last good answer; nil: none. */
static int job_answer(lua_State *L)
{
    const struct buffer *answer = poller_answer(check_poll(L, 1));
    if (!answer->bytes)
        return 0;
    lua_pushlstring(L, answer->bytes, answer->length);
    return 1;
}

/* core.set_answer(job, body): a good answer that was asked for outside the schedule. */
static int job_put_answer(lua_State *L)
{
    size_t length;
    struct poller *poll = check_poll(L, 1);
    const char *body = luaL_checklstring(L, 2, &length);
    if (!poller_set_answer(poll, body, length))
        return luaL_error(L, "not enough memory");
    return 0;
}

/* core.ended(job): its `elapsed` stands still from now on. */
static int job_ended(lua_State *L)
{
    struct job_object *job = check_job(L, 1);
    if (job->ended_us == 0)
        job->ended_us = clock_monotonic_us();
    return 0;
}

/* ---- metamethods ---- */

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
    return binding_index(L, &job_type);
}

static int job_newindex(lua_State *L)
{
    check_job(L, 1);
    return luaL_error(L, "the fields of a job are read only");
}

/* The end of its scope: polling stops. */
static int job_leave(lua_State *L)
{
    check_job(L, 1);
    return binding_call_method(L, &job_type, "_leave", 0);
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
        {"__close", job_leave},
        {"__tostring", job_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"new_job", job_new},
        {"watch", job_watch},
        {"unwatch", job_unwatch},
        {"accept_update", job_resume},
        {"reject_update", job_pass},
        {"settle_anchor", job_settle},
        {"list_job_again", job_list_again},
        {"update", job_news},
        {"last_error", job_trouble},
        {"force_update", job_look_again},
        {"expedite", job_hurry},
        {"forget_error", job_forget_trouble},
        {"postpone", job_put_off},
        {"count_poll", job_count_poll},
        {"answer", job_answer},
        {"set_answer", job_put_answer},
        {"ended", job_ended},
        {NULL, NULL},
    };
    binding_open_type(L, &job_type, metamethods, methods, "job_methods");
    compat_set_functions(L, functions);
}
