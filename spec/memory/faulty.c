/* faulty.c - runs each scenario repeatedly, each time with another allocation failing; see
 * README.md.
 *
 *   faulty [-e EVERY] [-a ALLOCATOR]... [-n N] SCENARIO...
 *
 * Each run has a new process and a new Lua state. Afterwards the same state runs the scenario again
 * without a failure, to show that the failure has left nothing in an invalid state. */
#include "faults.h"
#include "server.h"

#include <curl/curl.h>
#include <dirent.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIDE_BY_SIDE 4

/* The limit of a run in seconds; the longest takes some tenths. */
#define LIMIT 20

/* Where not every allocation fails, the most that do, for each scenario and allocator. */
#define MOST 250

/* Lua instructions between two collections while Lua's allocator is the one that fails. */
#define COLLECT_EVERY 1000

enum verdict { RIGHT, ERROR, WRONG, LEAK, HANG, CRASH, VERDICTS };

/* The report of a run, in memory shared with its process. */
struct run {
    pid_t pid; /* 0: the slot is free */
    unsigned long n, made[ALLOCATORS];
    enum verdict verdict;
    bool met;
    char note[1000];
};

struct tally {
    unsigned long failed, verdicts[VERDICTS];
    char note[1000]; /* describes the first violation */
    unsigned long note_n;
};

int luaopen_cekura_core(lua_State *L);
int luaopen_cekura_simulator(lua_State *L);
#ifdef CEKURA_REDIS
int luaopen_cekura_redis(lua_State *L);
#endif

static struct run *runs;
static char url[40];
static lua_State *running;
static volatile sig_atomic_t hangs;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* ---- one run ---- */

static int count_descriptors(void)
{
    DIR *entries = opendir("/proc/self/fd");
    int count = 0;
    while (entries && readdir(entries))
        count++;
    if (entries)
        closedir(entries);
    return count;
}

static void stop(lua_State *L, lua_Debug *record)
{
    (void)record;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "it hangs");
}

/* A scenario that waits returns to Lua now and then, where a hook reports its position. A second
 * alarm kills any other. */
static void on_alarm(int number)
{
    signal(number, SIG_DFL);
    alarm(5);
    hangs = 1;
    lua_sethook(running, stop, LUA_MASKCALL | LUA_MASKCOUNT, 1);
}

static int prepare(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {"cekura.core", luaopen_cekura_core},
        {"cekura.simulator", luaopen_cekura_simulator},
#ifdef CEKURA_REDIS
        {"cekura.redis", luaopen_cekura_redis},
#endif
        {NULL, NULL},
    };
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    for (const luaL_Reg *library = libraries; library->name; library++) {
        lua_pushcfunction(L, library->func);
        lua_setfield(L, -2, library->name);
    }
    if (luaL_loadfile(L, lua_touserdata(L, 1)))
        return lua_error(L);
    lua_call(L, 0, 1);
    return 1;
}

static const char *field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

/* Whether an error is allowed: Lua's "not enough memory", or one of the module's kinds, which
 * cekura.testing raises as texts. */
static bool is_error(lua_State *L)
{
    static const char *const kinds[] = {"config", "closed", "network", "unknown_outcome"};
    if (lua_type(L, -1) == LUA_TSTRING)
        return strstr(lua_tostring(L, -1), "not enough memory") ||
               strstr(lua_tostring(L, -1), "service: cekura: config: ");
    if (!lua_istable(L, -1))
        return false;
    const char *kind = field(L, "kind");
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static void note_value(lua_State *L, struct run *run, const char *when)
{
    if (lua_istable(L, -1)) {
        const char *kind = field(L, "kind"), *message = field(L, "message");
        snprintf(run->note, sizeof run->note, "%s: %s: %s", when, kind ? kind : "a table",
            message ? message : "?");
    } else {
        const char *text = lua_tostring(L, -1);
        snprintf(run->note, sizeof run->note, "%s: %s", when, text ? text : luaL_typename(L, -1));
    }
}

/* Calls the scenario at 1 with the URL at 2. */
static enum verdict attempt(lua_State *L, struct run *run, const char *when)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    int status = lua_pcall(L, 1, 2, 0);
    faults_disarm();
    if (hangs) {
        note_value(L, run, when);
        return HANG;
    }
    if (status == 0 && lua_toboolean(L, -2))
        return RIGHT;
    note_value(L, run, when);
    return is_error(L) ? ERROR : WRONG;
}

/* A full collection frees the unused call records and stack of each coroutine, so that the next
 * calls allocate them again. Otherwise they rarely do. */
static void collect(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_gc(L, LUA_GCCOLLECT, 0);
}

static enum verdict run_scenario(
    lua_State *L, const char *scenario, enum allocator which, struct run *run)
{
    lua_pushcfunction(L, prepare);
    lua_pushlightuserdata(L, (void *)(intptr_t)scenario);
    if (lua_pcall(L, 1, 1, 0)) {
        note_value(L, run, "before");
        return WRONG;
    }
    lua_pushstring(L, url);
    if (which == BY_LUA)
        lua_sethook(L, collect, LUA_MASKCOUNT, COLLECT_EVERY);
    faults_arm(which, run->n);
    enum verdict verdict = attempt(L, run, "failing");
    run->met = faults_met();
    for (int i = 0; i < ALLOCATORS; i++)
        run->made[i] = allocators[i].made;
    if (verdict == ERROR && !run->met)
        return WRONG;
    if (verdict == WRONG || verdict == HANG)
        return verdict;
    return attempt(L, run, "afterwards") == RIGHT ? verdict : hangs ? HANG : WRONG;
}

static _Noreturn void run_in_child(const char *scenario, enum allocator which, struct run *run)
{
    long live[ALLOCATORS];
    int descriptors = count_descriptors();
    for (int i = 0; i < ALLOCATORS; i++)
        live[i] = allocators[i].live;
    signal(SIGALRM, on_alarm);
    alarm(LIMIT);
    running = faults_state();
    run->verdict = run_scenario(running, scenario, which, run);
    lua_close(running);
    for (int i = 0; i < ALLOCATORS && run->verdict <= ERROR; i++) {
        if (allocators[i].live != live[i]) {
            snprintf(run->note, sizeof run->note, "%ld blocks of %s's are left",
                allocators[i].live - live[i], allocator_names[i]);
            run->verdict = LEAK;
        }
    }
    if (run->verdict <= ERROR && count_descriptors() != descriptors) {
        snprintf(run->note, sizeof run->note, "%d descriptors are left",
            count_descriptors() - descriptors);
        run->verdict = LEAK;
    }
    exit(0);
}

/* ---- all runs ---- */

static void begin(struct run *run, const char *scenario, enum allocator which, unsigned long n)
{
    *run = (struct run){.n = n, .verdict = CRASH};
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        run_in_child(scenario, which, run);
    run->pid = pid;
}

/* Waits for a run to end, and returns its slot. */
static struct run *finish(void)
{
    int status;
    pid_t pid = wait(&status);
    for (struct run *run = runs; run < runs + SIDE_BY_SIDE; run++) {
        if (run->pid != pid)
            continue;
        run->pid = 0;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            run->verdict = HANG;
        } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            run->verdict = CRASH;
            snprintf(run->note, sizeof run->note, "%s %d",
                WIFEXITED(status) ? "exit status" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        }
        return run;
    }
    fail("wait");
}

static void take(struct tally *tally, const struct run *run)
{
    tally->failed += run->met;
    tally->verdicts[run->verdict]++;
    if (run->verdict > ERROR && (tally->note_n == 0 || run->n < tally->note_n)) {
        memcpy(tally->note, run->note, sizeof tally->note);
        tally->note_n = run->n;
    }
    if (getenv("FAULTY_LOUD"))
        fprintf(stderr, "%s %lu: %d %s\n", run->met ? "failed" : "not met", run->n, run->verdict,
            run->note);
}

static unsigned long count(const char *scenario, enum allocator which)
{
    begin(&runs[0], scenario, which, 0);
    struct run *run = finish();
    if (run->verdict != RIGHT) {
        printf("# %s: with nothing failing: %s\n", scenario, run->note);
        return 0;
    }
    return run->made[which];
}

static void fail_each(const char *scenario, enum allocator which, unsigned long first,
    unsigned long last, unsigned long every, struct tally *tally)
{
    int under_way = 0;
    for (unsigned long n = first; n <= last || under_way;) {
        struct run *run = runs;
        if (n > last || under_way == SIDE_BY_SIDE) {
            run = finish();
            take(tally, run);
            under_way--;
        }
        if (n > last)
            continue;
        while (run->pid)
            run++;
        begin(run, scenario, which, n);
        under_way++;
        n += every;
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    unsigned long every = 1, single = 0;
    int option, test = 0;
    bool good = true, wanted[ALLOCATORS] = {false}, all = true;
    while ((option = getopt(argc, argv, "e:a:n:")) != -1) {
        if (option == 'e')
            every = strtoul(optarg, NULL, 10);
        else if (option == 'n')
            single = strtoul(optarg, NULL, 10);
        else if (option == 'a') {
            all = false;
            for (int i = 0; i < ALLOCATORS; i++)
                wanted[i] |= strcmp(optarg, allocator_names[i]) == 0;
        }
    }
    int port = server_start();
    if (port < 0 || !faults_begin())
        fail("no server, or no libcurl");
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    runs = mmap(NULL, SIDE_BY_SIDE * sizeof *runs, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (runs == MAP_FAILED)
        fail("mmap");
    if (single)
        faults_trace();
    if (every == 0 || optind == argc)
        return 2;
    printf("# %-28s %-9s %9s %7s %7s %7s %7s %7s %7s %7s %6s\n", "scenario", "allocator", "counted",
        "failed", "right", "errors", "wrong", "leaks", "hangs", "crashes", "s");
    for (char **scenario = argv + optind; *scenario; scenario++) {
        for (enum allocator which = 0; which < ALLOCATORS; which++) {
            if (!all && !wanted[which])
                continue;
            struct tally tally = {0};
            double began = now();
            unsigned long counted = count(*scenario, which);
            unsigned long step = every > 1 && counted / MOST > every ? counted / MOST : every;
            unsigned long first = single ? single : step / 2 < counted ? step / 2 + 1 : counted;
            fail_each(*scenario, which, first, single ? single : counted, step, &tally);
            const unsigned long *sum = tally.verdicts;
            bool fine = tally.failed > 0 && tally.note_n == 0;
            const char *name = strrchr(*scenario, '/');
            name = name ? name + 1 : *scenario;
            printf("# %-28s %-9s %9lu %7lu %7lu %7lu %7lu %7lu %7lu %7lu %6.1f\n", name,
                allocator_names[which], counted, tally.failed, sum[RIGHT], sum[ERROR], sum[WRONG],
                sum[LEAK], sum[HANG], sum[CRASH], now() - began);
            printf("%s %d - %s with failing allocations of %s's\n", fine ? "ok" : "not ok", ++test,
                name, allocator_names[which]);
            if (tally.note_n)
                printf("# the first, number %lu: %s\n", tally.note_n, tally.note);
            fflush(stdout);
            good = good && fine;
        }
    }
    printf("1..%d\n", test);
    return good ? 0 : 1;
}
