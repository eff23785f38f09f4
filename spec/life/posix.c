/* posix.c - a Lua module for specs: POSIX functions that Lua lacks. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* fork() -> process id; 0 in the child. */
static int posix_fork(lua_State *L)
{
    pid_t pid = fork();
    if (pid < 0)
        return luaL_error(L, "fork failed");
    lua_pushinteger(L, pid);
    return 1;
}

/* wait(pid) -> the child's exit status, or the negated number of the signal that ended it. */
static int posix_wait(lua_State *L)
{
    int status;
    while (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
        if (errno != EINTR)
            return luaL_error(L, "there is no such child");
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 1;
}

/* exit(status): ends the process at once, by _exit(). */
static int posix_exit(lua_State *L)
{
    _exit((int)luaL_checkinteger(L, 1));
}

/* connect(path) -> the descriptor of a connection to that unix socket. */
static int posix_connect(lua_State *L)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", luaL_checkstring(L, 1));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return luaL_error(L, "no connection");
    lua_pushinteger(L, fd);
    return 1;
}

/* receive(fd): waits until the descriptor has a byte to read. */
static int posix_receive(lua_State *L)
{
    char byte;
    if (recv((int)luaL_checkinteger(L, 1), &byte, 1, 0) != 1)
        return luaL_error(L, "the connection has ended");
    return 0;
}

/* chdir(path): changes the working directory. */
static int posix_chdir(lua_State *L)
{
    if (chdir(luaL_checkstring(L, 1)) != 0)
        return luaL_error(L, "there is no such directory");
    return 0;
}

/* allocated() -> the bytes that malloc has handed out. Free memory is returned to the system first,
 * so that resident memory does not include it. */
static int posix_allocated(lua_State *L)
{
    malloc_trim(0);
    struct mallinfo2 info = mallinfo2();
    lua_pushnumber(L, (lua_Number)(info.uordblks + info.hblkhd));
    return 1;
}

__attribute__((visibility("default"))) int luaopen_spec_life_posix(lua_State *L);

int luaopen_spec_life_posix(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, posix_fork);
    lua_setfield(L, -2, "fork");
    lua_pushcfunction(L, posix_wait);
    lua_setfield(L, -2, "wait");
    lua_pushcfunction(L, posix_exit);
    lua_setfield(L, -2, "exit");
    lua_pushcfunction(L, posix_connect);
    lua_setfield(L, -2, "connect");
    lua_pushcfunction(L, posix_receive);
    lua_setfield(L, -2, "receive");
    lua_pushcfunction(L, posix_chdir);
    lua_setfield(L, -2, "chdir");
    lua_pushcfunction(L, posix_allocated);
    lua_setfield(L, -2, "allocated");
    return 1;
}
