/* file.c - a regular file (file/regular_file.h) as a userdata. The library reads the body of a
 * request from it, and compares its size afterwards to detect a change. */
#include "file/regular_file.h"
#include "object.h"
#include "parts.h"

#include <string.h>
#include <unistd.h>

static const struct type file_type = {"cekura.file"};

/* The userdata holds a descriptor, which is -1 once closed. */
static int check_fd(lua_State *L)
{
    const int *fd = object_check(L, 1, &file_type);
    if (*fd < 0)
        luaL_error(L, "the file is closed");
    return *fd;
}

/* core.open_file(path) -> file | nil, fault. Regular files only, and it never blocks. */
static int core_open_file(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length), *fault = "its path has a NUL byte";
    int *fd = object_new(L, &file_type, sizeof *fd);
    *fd = -1;
    if (strlen(path) == length)
        *fd = regular_file_open(path, &fault);
    return *fd < 0 ? object_push_failure(L, fault) : 1;
}

/* core.read_file(file) -> its bytes as a string | nil, fault. */
static int core_read_file(lua_State *L)
{
    const char *fault;
    int fd = check_fd(L);
    int64_t size = regular_file_size(fd, &fault);
    if (size < 0)
        return object_push_failure(L, fault);
    char *bytes = lua_newuserdata(L, (size_t)size + 1);
    if (!regular_file_read(fd, bytes, (size_t)size, &fault))
        return object_push_failure(L, fault);
    lua_pushlstring(L, bytes, (size_t)size);
    return 1;
}

/* core.file_size(file) -> its length in bytes now | nil, fault. */
static int core_file_size(lua_State *L)
{
    const char *fault;
    int64_t size = regular_file_size(check_fd(L), &fault);
    if (size < 0)
        return object_push_failure(L, fault);
    lua_pushnumber(L, (lua_Number)size);
    return 1;
}

/* core.close_file(file). May be called again. */
static int core_close_file(lua_State *L)
{
    int *fd = object_check(L, 1, &file_type);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return 0;
}

void file_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", core_close_file}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"open_file", core_open_file},
        {"read_file", core_read_file},
        {"file_size", core_file_size},
        {"close_file", core_close_file},
        {NULL, NULL},
    };
    object_open_type(L, &file_type, metamethods, functions);
}
