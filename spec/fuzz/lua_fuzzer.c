/* lua_fuzzer.c - runs a target that is written in Lua. The program NAME_fuzzer loads
 * spec/fuzz/targets/NAME.lua.
 *
 * The file returns a function, which is called with the input as a string. An error that it raises
 * is a finding. The binding and the engine are sanitized. libFuzzer observes only branches of C, so
 * a hook reports the pairs of consecutive lines of lua/cekura to it. */
#include "check.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int luaopen_cekura_core(lua_State *L);

static lua_State *L;

/* ---- coverage of Lua for libFuzzer ---- */

#define STEPS (1u << 14)

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t steps[STEPS];

static void on_line(lua_State *thread, lua_Debug *at)
{
    static uint32_t before;
    lua_getinfo(thread, "S", at);
    if (strncmp(at->source, "@lua/cekura/", 12) != 0)
        return;
    uint32_t here = (uint32_t)at->currentline;
    for (const char *c = at->source + 12; *c; c++)
        here = here * 31 + (unsigned char)*c;
    here *= 2654435761u;
    uint8_t *step = &steps[((here ^ (before >> 1)) >> 8) % STEPS];
    *step = (uint8_t)(*step + (*step < 255));
    before = here;
}

/* ---- the state ---- */

static void check_call(int arguments, int results)
{
    int traceback = lua_gettop(L) - arguments;
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_remove(L, -2);
    lua_insert(L, traceback);
    if (lua_pcall(L, arguments, results, traceback) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    lua_remove(L, traceback);
}

static void preload(const char *name, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* Leaves the target's function on the stack of the new state. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    char path[200];
    const char *slash = strrchr((*arguments)[0], '/'), *name = slash ? slash + 1 : (*arguments)[0];
    const char *end = strstr(name, "_fuzzer");
    (void)count;
    CHECK(end);
    snprintf(path, sizeof path, "spec/fuzz/targets/%.*s.lua", (int)(end - name), name);
    L = luaL_newstate();
    CHECK(L);
    luaL_openlibs(L);
    preload("cekura.core", luaopen_cekura_core);
    CHECK(luaL_loadfile(L, path) == LUA_OK);
    check_call(0, 1);
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)input, size);
    check_call(1, 0);
    lua_gc(L, LUA_GCSTEP, 0);
    return 0;
}
