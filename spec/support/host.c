/* host.c - a program with a Lua state in it: runs a file, closes the state, and lives on.
 *
 *   host FILE SECONDS */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_dofile(L, argv[1])) {
        printf("%s\n", lua_tostring(L, -1));
        return 1;
    }
    double began = now();
    lua_close(L);
    printf("closed %s\n", now() - began < 0.5 ? "at once" : "late");
    sleep((unsigned)atoi(argv[2]));
    printf("alive\n");
    return 0;
}
