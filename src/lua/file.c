/* file.c - a regular file (../regular_file.h) as a userdata: what a request is to carry is read
 * from it, and afterwards it tells whether it is still the same. */
#include "file/regular_file.h"
#include "object.h"
#include "parts.h"

#include <string.h>
#include <unistd.h>

static const struct type file_type = {"cekura.file"};

struct file_object {
    int fd; /* -1: closed */
};

static int failed(lua_State *L, const char *fault)
{
    lua_pushnil(L);
    lua_pushstring(L, fault);
    return 2;
}

static int check_fd(lua_State *L)
{
    struct file_object *file = object_check(L, 1, &file_type);
    if (file->fd < 0)
        luaL_error(L, "the file is closed");
    return file->fd;
}

/* core.open_file(path) -> file | nil, fault. Regular files only, and it never blocks. */
static int file_open_one(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length), *fault = "its path has a NUL byte";
    struct file_object *file = object_new(L, &file_type, sizeof *file);
    file->fd = -1;
    if (strlen(path) == length)
        file->fd = regular_file_open(path, &fault);
    return file->fd < 0 ? failed(L, fault) : 1;
}

/* core.read_file(file) -> all of it, as a string | nil, fault. */
static int file_read(lua_State *L)
{
    const char *fault;
    int fd = check_fd(L);
    int64_t size = regular_file_size(fd, &fault);
    if (size < 0)
        return failed(L, fault);
    char *bytes = lua_newuserdata(L, (size_t)size + 1);
    if (!regular_file_read(fd, bytes, (size_t)size, &fault))
        return failed(L, fault);
    lua_pushlstring(L, bytes, (size_t)size);
    return 1;
}

/* core.file_size(file) -> how many bytes it has now | nil, fault. */
static int file_get_size(lua_State *L)
{
    const char *fault;
    int64_t size = regular_file_size(check_fd(L), &fault);
    if (size < 0)
        return failed(L, fault);
    lua_pushnumber(L, (lua_Number)size);
    return 1;
}

/* core.close_file(file). May be called again. */
static int file_close(lua_State *L)
{
    struct file_object *file = object_check(L, 1, &file_type);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    return 0;
}

void file_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", file_close}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"open_file", file_open_one},
        {"read_file", file_read},
        {"file_size", file_get_size},
        {"close_file", file_close},
        {NULL, NULL},
    };
    object_open_type(L, &file_type, metamethods, methods, "file_methods");
    compat_set_functions(L, functions);
}
