/* lock.c - a locked file (file/locked_file.h) and work on it (file/file_work.h) as userdata. */
#include "file/file_work.h"
#include "object.h"
#include "parts.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static const struct type file_type = {"cekura.locked_file"};
static const struct type work_type = {"cekura.file_work"};

/* The longest time that core.file_result() blocks. */
#define LONGEST_WAIT_US (INT64_C(10) * 1000000)

/* The userdata holds a pointer, which is NULL if the lock was not taken. */
static struct locked_file *check_file(lua_State *L)
{
    struct locked_file **object = object_check(L, 1, &file_type);
    if (!*object)
        luaL_error(L, "the file is not locked");
    return *object;
}

/* The userdata holds a pointer, which is NULL if the work could not be started. */
static struct file_work *check_work(lua_State *L)
{
    struct file_work **object = object_check(L, 1, &work_type);
    if (!*object)
        luaL_error(L, "the work was not begun");
    return *object;
}

static int failed(lua_State *L, int code)
{
    return object_push_failure(L, locked_file_fault(code));
}

/* core.absolute_path(path) -> the path from the root on, if a relative one is resolved now. */
static int core_absolute_path(lua_State *L)
{
    char directory[PATH_MAX];
    const char *path = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (*path != '/' && getcwd(directory, sizeof directory))
        lua_pushfstring(L, "%s/%s", directory, path);
    return 1;
}

/* core.lock_file(path) -> file | nil, fault, "busy" (another holds it) | "nowhere" (its directory
 * does not exist) | nil. */
static int core_lock_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct locked_file **object = object_new(L, &file_type, sizeof *object);
    int code = locked_file_open(object, path);
    if (!code)
        return 1;
    failed(L, code);
    if (code == LOCKED_FILE_BUSY)
        lua_pushliteral(L, "busy");
    else if (code == ENOENT)
        lua_pushliteral(L, "nowhere");
    else
        lua_pushnil(L);
    return 3;
}

/* core.is_file_held(file) -> boolean. */
static int core_is_file_held(lua_State *L)
{
    lua_pushboolean(L, locked_file_is_held(check_file(L)));
    return 1;
}

/* core.release_file(file). May be called again. */
static int core_release_file(lua_State *L)
{
    locked_file_release(check_file(L));
    return 0;
}

/* core.set_file_aside(file) -> the suffix that its name got | nil, fault. */
static int core_set_file_aside(lua_State *L)
{
    char suffix[32];
    int code = locked_file_set_aside(check_file(L), suffix, sizeof suffix);
    if (code)
        return failed(L, code);
    lua_pushstring(L, suffix);
    return 1;
}

static int file_gc(lua_State *L)
{
    struct locked_file **object = object_check(L, 1, &file_type);
    if (*object)
        locked_file_free(*object);
    *object = NULL;
    return 0;
}

/* core.read_locked_file(file) -> work | nil, fault. */
static int core_read_locked_file(lua_State *L)
{
    struct locked_file *file = check_file(L);
    struct file_work **object = object_new(L, &work_type, sizeof *object);
    *object = file_work_read(file);
    return *object ? 1 : failed(L, LOCKED_FILE_THREAD);
}

/* core.replace_locked_file(file, text) -> work | nil, fault. */
static int core_replace_locked_file(lua_State *L)
{
    size_t length;
    struct locked_file *file = check_file(L);
    const char *text = luaL_checklstring(L, 2, &length);
    struct file_work **object = object_new(L, &work_type, sizeof *object);
    *object = file_work_replace(file, text, length);
    return *object ? 1 : failed(L, LOCKED_FILE_THREAD);
}

/* core.is_file_work_done(work) -> boolean. */
static int core_is_file_work_done(lua_State *L)
{
    lua_pushboolean(L, file_work_is_done(check_work(L)));
    return 1;
}

/* core.file_result(work) -> true and the text that was read (after a replacement, the new text),
 * true alone if there is no file | nil, fault. Blocks until the work is done, ten seconds at most.
 */
static int core_file_result(lua_State *L)
{
    const struct buffer *text;
    int code = file_work_finish(check_work(L), LONGEST_WAIT_US, &text);
    if (code && code != LOCKED_FILE_ABSENT)
        return failed(L, code);
    lua_pushboolean(L, true);
    if (code == LOCKED_FILE_ABSENT)
        return 1;
    lua_pushlstring(L, text->bytes ? text->bytes : "", text->length);
    return 2;
}

static int work_gc(lua_State *L)
{
    struct file_work **object = object_check(L, 1, &work_type);
    if (*object)
        file_work_free(*object);
    *object = NULL;
    return 0;
}

void lock_open(lua_State *L)
{
    static const luaL_Reg file_metamethods[] = {{"__gc", file_gc}, {NULL, NULL}};
    static const luaL_Reg work_metamethods[] = {{"__gc", work_gc}, {NULL, NULL}};
    static const luaL_Reg file_functions[] = {
        {"absolute_path", core_absolute_path},
        {"lock_file", core_lock_file},
        {"is_file_held", core_is_file_held},
        {"release_file", core_release_file},
        {"set_file_aside", core_set_file_aside},
        {"read_locked_file", core_read_locked_file},
        {"replace_locked_file", core_replace_locked_file},
        {NULL, NULL},
    };
    static const luaL_Reg work_functions[] = {{"is_file_work_done", core_is_file_work_done},
        {"file_result", core_file_result}, {NULL, NULL}};
    object_open_type(L, &file_type, file_metamethods, file_functions);
    object_open_type(L, &work_type, work_metamethods, work_functions);
}
