/* states.c - a program with many Lua states, in sequence and in parallel.
 *
 *   states THREADS ROUNDS FILE
 *
 * Each thread creates a state, runs the file in it with the number of the thread, from 1, as its
 * argument, and closes the state; it does so ROUNDS times. With no threads there is one state,
 * which is closed at the program's exit. At the end the program prints whether the module is still
 * mapped, as it must be: threads of its libraries may be running. */
#include <dlfcn.h>
#include <lauxlib.h>
#include <link.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file;
static int rounds;
static lua_State *last;

static bool run(lua_State *L, int number)
{
    luaL_openlibs(L);
    if (luaL_loadfile(L, file) == 0) {
        lua_pushinteger(L, number);
        if (lua_pcall(L, 1, 0, 0) == 0)
            return true;
    }
    printf("%s\n", lua_tostring(L, -1));
    return false;
}

/* Returns NULL on success. */
static void *run_rounds(void *user)
{
    int *number = user;
    for (int round = 0; round < rounds; round++) {
        lua_State *L = luaL_newstate();
        bool good = L && run(L, *number);
        lua_close(L);
        if (!good)
            return user;
    }
    return NULL;
}

static void close_last(void)
{
    lua_close(last);
}

static int is_module(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    (void)user;
    return strstr(info->dlpi_name, "/cekura/core.so") != NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int count = atoi(argv[1]);
    rounds = atoi(argv[2]);
    file = argv[3];
    if (count == 0) {
        last = luaL_newstate();
        return !last || atexit(close_last) != 0 || !run(last, 0);
    }

    pthread_t threads[16];
    int numbers[16];
    bool good = count <= 16;
    for (int i = 0; good && i < count; i++) {
        numbers[i] = i + 1;
        good = pthread_create(&threads[i], NULL, run_rounds, &numbers[i]) == 0;
    }
    for (int i = 0; good && i < count; i++) {
        void *failed;
        good = pthread_join(threads[i], &failed) == 0 && !failed;
    }
    if (good)
        printf("%s\n", dl_iterate_phdr(is_module, NULL) ? "mapped" : "gone");
    return !good;
}
