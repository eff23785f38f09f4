/* spool.c - a spool (file/spool.h) and its reader (file/spool_reader.h) as a userdata. */
#include "file/spool.h"
#include "file/spool_reader.h"
#include "object.h"
#include "parts.h"

#include <errno.h>
#include <string.h>

static const struct type spool_type = {"cekura.spool"};

struct object {
    struct spool *spool;         /* NULL: closed, or it could not be opened */
    struct spool_reader *reader; /* NULL: none was needed yet */
    struct spool_count count;    /* of what was counted since the last rewind */
};

static struct object *check_spool(lua_State *L)
{
    struct object *object = object_check(L, 1, &spool_type);
    if (!object->spool)
        luaL_error(L, "the spool is closed");
    return object;
}

static int failed(lua_State *L, int code)
{
    return object_push_failure(L, strerror(code));
}

static int succeeded(lua_State *L, int code)
{
    if (code)
        return failed(L, code);
    lua_pushboolean(L, true);
    return 1;
}

static uint64_t check_size(lua_State *L, int index)
{
    return (uint64_t)luaL_checknumber(L, index);
}

/* core.open_spool(path, segment size in bytes, inner) -> spool | nil, fault. Makes the directory;
 * if it is `inner`, see spool_open_inner(). */
static int core_open_spool(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    uint64_t size = check_size(L, 2);
    struct object *object = object_new(L, &spool_type, sizeof *object);
    int code = lua_toboolean(L, 3) ? spool_open_inner(&object->spool, path, size)
                                   : spool_open(&object->spool, path, size);
    return code ? failed(L, code) : 1;
}

/* core.copy_spool(spool) -> another one of the same directory | nil, fault. */
static int core_copy_spool(lua_State *L)
{
    const struct object *object = check_spool(L);
    struct object *copy = object_new(L, &spool_type, sizeof *copy);
    int code = spool_copy(&copy->spool, object->spool);
    return code ? failed(L, code) : 1;
}

/* core.append_to_spool(spool, text, sync) -> true | nil, fault. Blocks for a sync. */
static int core_append_to_spool(lua_State *L)
{
    size_t length;
    struct object *object = check_spool(L);
    const char *text = luaL_checklstring(L, 2, &length);
    return succeeded(L, spool_append(object->spool, text, length, lua_toboolean(L, 3)));
}

static void rewind_object(struct object *object)
{
    if (object->reader)
        spool_reader_free(object->reader);
    object->reader = NULL;
    object->count = (struct spool_count){0};
}

/* core.rewind_spool(spool): begins again with the oldest entry. */
static int core_rewind_spool(lua_State *L)
{
    rewind_object(check_spool(L));
    return 0;
}

static struct spool_reader *reader_of(struct object *object)
{
    if (!object->reader)
        object->reader = spool_reader_new(object->spool);
    return object->reader;
}

static void set_number(lua_State *L, const char *name, uint64_t number)
{
    lua_pushinteger(L, (lua_Integer)number);
    lua_setfield(L, -2, name);
}

/* Adds the fields of an item to the table on top of the stack. */
static void set_item(lua_State *L, const struct spool_item *item)
{
    set_number(L, "segment", item->segment);
    set_number(L, "offset", item->offset);
    if (item->damaged) {
        set_number(L, "damaged", item->damaged);
        return;
    }
    set_number(L, "put_at", item->entry.put_at);
    if (item->entry.failed_at)
        set_number(L, "failed_at", item->entry.failed_at);
    lua_pushboolean(L, item->entry.state == SPOOL_DOUBTFUL);
    lua_setfield(L, -2, "is_doubtful");
    lua_pushlstring(L, item->text, item->entry.length);
    lua_setfield(L, -2, "text");
}

/* What is not known yet: false while others append, true when a slice was read; else a failure. */
static int push_unknown(lua_State *L, int code)
{
    if (code != EAGAIN && code != EINPROGRESS)
        return failed(L, code);
    lua_pushboolean(L, code == EINPROGRESS);
    return 1;
}

/* core.next_of_spool(spool) -> the next entry: { segment =, offset =, put_at =, failed_at =,
 * is_doubtful =, text = }; or damage: { segment =, offset =, damaged = bytes }; nil: there is none
 * now; false: it is not known while others append; true: a slice was read, and the next call goes
 * on | nil, fault. If memory runs out, the entry is returned after a rewind. */
static int core_next_of_spool(lua_State *L)
{
    struct spool_item item;
    struct spool_reader *reader = reader_of(check_spool(L));
    lua_createtable(L, 0, 6);
    int code = reader ? spool_reader_next(reader, &item) : ENOMEM;
    if (code == ENOENT)
        return 0;
    if (code)
        return push_unknown(L, code);
    set_item(L, &item);
    return 1;
}

/* The place of an entry, from the table at that index. */
static struct spool_item place_at(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    lua_getfield(L, index, "segment");
    lua_getfield(L, index, "offset");
    struct spool_item item = {.segment = check_size(L, -2), .offset = check_size(L, -1)};
    lua_pop(L, 2);
    return item;
}

/* core.read_of_spool(spool, entry) -> the text of an entry of core.next_of_spool() | nil, fault. */
static int core_read_of_spool(lua_State *L)
{
    struct spool_reader *reader = reader_of(check_spool(L));
    struct spool_item item = place_at(L, 2);
    int code = reader ? spool_reader_read(reader, item.segment, item.offset, &item) : ENOMEM;
    if (code)
        return failed(L, code);
    lua_pushlstring(L, item.text, item.entry.length);
    return 1;
}

/* core.mark_in_spool(spool, entry, "waiting" | "doubtful" | "done", failed_at) -> true | nil,
 * fault. */
static int core_mark_in_spool(lua_State *L)
{
    static const char *const names[] = {"waiting", "doubtful", "done", NULL};
    static const char states[] = {SPOOL_WAITING, SPOOL_DOUBTFUL, SPOOL_DONE};
    struct spool_reader *reader = reader_of(check_spool(L));
    struct spool_item item = place_at(L, 2);
    char state = states[luaL_checkoption(L, 3, NULL, names)];
    uint32_t failed_at = (uint32_t)luaL_optnumber(L, 4, 0);
    return succeeded(L, reader ? spool_reader_mark(reader, &item, state, failed_at) : ENOMEM);
}

/* core.tidy_spool(spool, all) -> true | nil, fault. */
static int core_tidy_spool(lua_State *L)
{
    struct object *object = check_spool(L);
    bool all = lua_toboolean(L, 2);
    return succeeded(L, object->reader ? spool_reader_tidy(object->reader, all) : 0);
}

/* core.count_spool(spool) -> { waiting =, bytes =, damaged =, oldest = } of all since the last
 * rewind | false, true, or nil, fault: as above. */
static int core_count_spool(lua_State *L)
{
    struct object *object = check_spool(L);
    struct spool_count *count = &object->count;
    struct spool_reader *reader = reader_of(object);
    int code = reader ? spool_reader_count(reader, count) : ENOMEM;
    if (code != ENOENT)
        return push_unknown(L, code);
    lua_createtable(L, 0, 4);
    set_number(L, "waiting", count->waiting);
    set_number(L, "bytes", count->bytes);
    set_number(L, "damaged", count->damaged);
    if (count->oldest)
        set_number(L, "oldest", count->oldest);
    return 1;
}

/* core.close_spool(spool). May be called again. */
static int core_close_spool(lua_State *L)
{
    struct object *object = object_check(L, 1, &spool_type);
    rewind_object(object);
    if (object->spool)
        spool_free(object->spool);
    object->spool = NULL;
    return 0;
}

void spools_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", core_close_spool}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"open_spool", core_open_spool},
        {"copy_spool", core_copy_spool},
        {"append_to_spool", core_append_to_spool},
        {"rewind_spool", core_rewind_spool},
        {"next_of_spool", core_next_of_spool},
        {"read_of_spool", core_read_of_spool},
        {"mark_in_spool", core_mark_in_spool},
        {"tidy_spool", core_tidy_spool},
        {"count_spool", core_count_spool},
        {"close_spool", core_close_spool},
        {NULL, NULL},
    };
    object_open_type(L, &spool_type, metamethods, functions);
}
