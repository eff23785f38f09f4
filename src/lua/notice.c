/* notice.c - a count that is to be zero when the Lua state ends: what is left is a line on stderr.
 *
 * A program may leave by os.exit(), which does not close the state, so no finalizer runs. Hence the
 * notices of all states are in one list, and an exit handler writes those that are left. A process
 * that has forked writes nothing, neither parent nor child: the other one may go on with the work,
 * as where a host becomes a daemon. */
#include "object.h"
#include "parts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct notice {
    struct notice *next, **link; /* in the list; link is NULL until it is in it */
    const char *before, *after;  /* strings in the userdata's table */
    atomic_int count;
    atomic_uint forks; /* how many there were when it was counted up last */
};

static const struct type notice_type = {"cekura.notice"};

static struct notice *first;
static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint forks;

static void write_notice(struct notice *notice)
{
    int count = atomic_exchange(&notice->count, 0);
    if (count > 0 && notice->forks == forks)
        fprintf(stderr, "%s%d%s\n", notice->before, count, notice->after);
}

static void write_all(void)
{
    pthread_mutex_lock(&list);
    for (struct notice *notice = first; notice; notice = notice->next)
        write_notice(notice);
    pthread_mutex_unlock(&list);
}

static void before_fork(void)
{
    pthread_mutex_lock(&list);
}

static void after_fork(void)
{
    forks++;
    pthread_mutex_unlock(&list);
}

static void watch_process(void)
{
    /* Without memory for them, a program that leaves by os.exit() is not warned. */
    if (pthread_atfork(before_fork, after_fork, after_fork) == 0)
        (void)atexit(write_all);
}

/* core.notice(before, after) -> notice; the count stands between the two texts. */
static int core_notice(lua_State *L)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    struct notice *notice = object_new(L, &notice_type, sizeof *notice);
    lua_createtable(L, 2, 0);
    for (int place = 1; place <= 2; place++) {
        lua_pushvalue(L, place);
        lua_rawseti(L, -2, place);
    }
    compat_set_table(L, 3);
    notice->before = lua_tostring(L, 1);
    notice->after = lua_tostring(L, 2);
    pthread_once(&once, watch_process);
    pthread_mutex_lock(&list);
    notice->next = first;
    notice->link = &first;
    if (first)
        first->link = &notice->next;
    first = notice;
    pthread_mutex_unlock(&list);
    return 1;
}

/* core.count(notice, change) */
static int core_count(lua_State *L)
{
    struct notice *notice = object_check(L, 1, &notice_type);
    int change = (int)luaL_checkinteger(L, 2);
    notice->count += change;
    if (change > 0)
        notice->forks = forks;
    return 0;
}

static int notice_gc(lua_State *L)
{
    struct notice *notice = object_check(L, 1, &notice_type);
    pthread_mutex_lock(&list); /* also for the link, which another state's notice may change */
    if (notice->link) {
        *notice->link = notice->next;
        if (notice->next)
            notice->next->link = notice->link;
        notice->link = NULL;
    }
    pthread_mutex_unlock(&list);
    write_notice(notice);
    return 0;
}

void notice_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", notice_gc}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"notice", core_notice}, {"count", core_count}, {NULL, NULL}};
    object_open_type(L, &notice_type, metamethods, functions);
}
