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

static int check_fd(lua_State *L)
{
    struct file_object *file = object_check(L, 1, &file_type);
    if (file->fd < 0)
        luaL_error(L, "the file is closed");
    return file->fd;
}

/* core.open_file(path) -> file | nil, fault. Regular files only, and it never blocks. */
static int core_open_file(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length), *fault = "its path has a NUL byte";
    struct file_object *file = object_new(L, &file_type, sizeof *file);
    file->fd = -1;
    if (strlen(path) == length)
        file->fd = regular_file_open(path, &fault);
    return file->fd < 0 ? object_push_failure(L, fault) : 1;
}

/* core.read_file(file) -> all of it, as a string | nil, fault. */
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

/* core.file_size(file) -> how many bytes it has now | nil, fault. */
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
    struct file_object *file = object_check(L, 1, &file_type);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
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
