/* host.c - a program that embeds Lua: it runs a file, closes the state, and goes on while libcurl's
 * resolver threads return (slow_names.c, preloaded).
 *
 *   host FILE */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_dofile(L, argv[1])) {
        printf("%s\n", lua_tostring(L, -1));
        return 1;
    }
    lua_close(L);
    printf("closed\n");
    int (*release)(void);
    *(void **)&release = dlsym(RTLD_DEFAULT, "release_slow_names");
    if (!release || release() == 0)
        return 1;
    sleep(1); /* the threads return into libcurl */
    printf("alive\n");
    return 0;
}
