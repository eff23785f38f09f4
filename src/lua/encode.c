/* encode.c - Lua values as JSON text: exact, or refused.
 *
 * Members are written in the order of their names, so equal tables have equal texts. No metamethod
 * runs. Memory is the Lua state's, so an error that Lua raises leaks nothing. While it grows, a
 * finalizer may run and change the tables; what is remembered of a table is kept alive by the Lua
 * stack, or by the table in the slot KEPT. */
#include "json.h"
#include "parts.h"
#include "text/names.h"
#include "text/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The Lua stack, below the tables that are being written. */
enum {
    VALUE = 1,
    PATH,  /* what the value is called in errors */
    KEPT,  /* a table that keeps names alive, or nil */
    TEXT,  /* the memory of the text, or nil */
    NAMES, /* the memory of the names, or nil */
};

/* The upvalues of an encoder. */
#define ARRAY_MT lua_upvalueindex(1) /* the metatable of lists */
#define MARKS lua_upvalueindex(2)    /* the table of lua-cjson's marks */

/* The members of an object are kept on the Lua stack. Lua 5.1 and LuaJIT allow 8,000 values there,
 * others a million. Each object may have half of what is left of this; of its other members, only
 * the names are kept, in a table. */
#define MAX_TOP (LUA_VERSION_NUM < 502 ? 6000 : 100000)
#define STACK_STEP 64 /* the stack is checked once for so many values */

/* Bytes on the C stack at first, and later in a userdata in a slot of the Lua stack. */
struct room {
    char *bytes;
    size_t used, capacity;
    int slot;
};

/* A table that is being written. */
struct level {
    bool is_object;
    int table; /* its index on the Lua stack */
    int top;   /* of the Lua stack while no element of the table is there */
    size_t count, done;
    size_t first; /* of its names, for an object */
    int kept;     /* names in the table KEPT before */
};

struct writer {
    lua_State *L;
    struct room text, names;
    int checked_top; /* of the Lua stack */
    int kept;        /* names in the table KEPT */
    unsigned depth;
    struct level levels[JSON_MAX_DEPTH];
};

/* ---- memory ---- */

#define LARGE 100000

/* Grows fast, so that little is copied, until that would waste memory. */
__attribute__((noinline, cold)) static void grow(lua_State *L, struct room *room, size_t more)
{
    size_t capacity = room->capacity;
    while (capacity - room->used < more)
        capacity *= capacity < LARGE ? 4 : 2;
    char *bytes = lua_newuserdata(L, capacity);
    memcpy(bytes, room->bytes, room->used);
    lua_replace(L, room->slot);
    room->bytes = bytes;
    room->capacity = capacity;
}

/* The end of the used bytes, with room for `more`. */
static inline void *reserve(lua_State *L, struct room *room, size_t more)
{
    if (room->capacity - room->used < more)
        grow(L, room, more);
    return room->bytes + room->used;
}

static struct name *names_of(struct writer *writer, const struct level *level)
{
    return (struct name *)(void *)writer->names.bytes + level->first;
}

/* Whether the Lua stack has room for some values above `top`. */
static inline bool has_stack(struct writer *writer, int top)
{
    if (top + 8 > writer->checked_top) {
        if (!lua_checkstack(writer->L, STACK_STEP))
            return false;
        writer->checked_top = top + STACK_STEP;
    }
    return true;
}

/* ---- texts and numbers ---- */

static void write_bytes(struct writer *writer, const char *bytes, size_t length)
{
    memcpy(reserve(writer->L, &writer->text, length), bytes, length);
    writer->text.used += length;
}

static inline void write_char(struct writer *writer, char c)
{
    *(char *)reserve(writer->L, &writer->text, 1) = c;
    writer->text.used++;
}

/* Writes a text as a string, and a few characters behind it, the first of which is the quote. */
static const char *write_string(
    struct writer *writer, const char *text, size_t length, const char *behind)
{
    struct room *room = &writer->text;
    const char *end = text + length;
    write_char(writer, '"');
    do {
        char *to = reserve(writer->L, room, (size_t)(end - text) + 2 * JSON_WRITE_ROOM);
        const char *limit = room->bytes + room->capacity - JSON_WRITE_ROOM;
        to = json_write(&text, end, to, limit);
        room->used = (size_t)(to - room->bytes);
        if (text < end && limit - to >= JSON_WRITE_ROOM)
            return "the text is not valid UTF-8";
    } while (text < end);
    for (; *behind; behind++)
        room->bytes[room->used++] = *behind;
    return NULL;
}

/* Writes the number at `index`. */
static const char *write_number(struct writer *writer, int index)
{
    lua_State *L = writer->L;
    char *to = reserve(L, &writer->text, NUMBER_MAX_LENGTH);
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, index)) {
        writer->text.used += number_write_integer(lua_tointeger(L, index), to);
        return NULL;
    }
#endif
    double value = lua_tonumber(L, index);
    if (!isfinite(value)) {
        lua_pushvalue(L, index);
        return "JSON has no %s";
    }
    writer->text.used += number_write(value, to);
    return NULL;
}

/* ---- lists ---- */

/* Whether the value at `index` is a mark of lua-cjson. */
static bool is_mark(lua_State *L, int index, const char *name)
{
    lua_pushvalue(L, index);
    lua_getfield(L, MARKS, name);
    bool is_one = !lua_isnil(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_one;
}

/* Whether the metatable on top of the stack marks the table as a list. */
static bool is_marked(lua_State *L, int table)
{
    if (lua_rawequal(L, -1, ARRAY_MT) || is_mark(L, -1, "array_mt"))
        return true;
    if (!is_mark(L, -1, "empty_array_mt"))
        return false;
    lua_pushnil(L);
    bool is_empty = !lua_next(L, table);
    lua_pop(L, is_empty ? 0 : 2);
    return is_empty;
}

/* Whether the table is written as a list. */
static bool is_list(lua_State *L, int table)
{
    bool is_one = false;
    if (lua_getmetatable(L, table)) {
        is_one = is_marked(L, table);
        lua_pop(L, 1);
    }
    return is_one || lua_rawlen(L, table) > 0;
}

/* The key on top of the stack as the index of an element; 0 if it is none. */
static int64_t to_index(lua_State *L)
{
    double key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    bool is_index = key >= 1 && key < 0x1p53 && key == (double)(int64_t)key;
    return is_index ? (int64_t)key : 0;
}

/* Pushes the first key of the table that a list does not have. */
static const char *refuse_list(lua_State *L, int table)
{
    int64_t count = 0;
    for (bool is_end = false; !is_end; count += !is_end) {
        lua_rawgeti(L, table, (int)count + 1);
        is_end = lua_isnil(L, -1);
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        int64_t index = to_index(L);
        if (index < 1 || index > count)
            break;
    }
    return "a list expected, got a table with the key %s";
}

/* Keys differ, so a table of n keys that are all indices, and at most n, is a list. */
static const char *open_list(struct writer *writer, struct level *level)
{
    lua_State *L = writer->L;
    int64_t count = 0, most = 0, index = 1;
    for (lua_pushnil(L); index && lua_next(L, level->table); count++) {
        lua_pop(L, 1);
        index = to_index(L);
        most = index > most ? index : most;
    }
    lua_pop(L, index ? 0 : 1);
    if (!index || most != count)
        return refuse_list(L, level->table);
    level->count = (size_t)count;
    write_char(writer, '[');
    return NULL;
}

/* ---- objects ---- */

/* Keeps the name on top of the stack. Returns its place in the table. */
static int keep_name(struct writer *writer)
{
    lua_State *L = writer->L;
    if (lua_isnil(L, KEPT)) {
        lua_createtable(L, MAX_TOP / 4, 0); /* there are more than those on the stack */
        lua_replace(L, KEPT);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, KEPT, ++writer->kept);
    return writer->kept;
}

/* Reads the members of the level's table, and leaves their names and values on the stack, as far as
 * they may be there. A tag is the index of the value; or minus that of the name in the table KEPT.
 * False: a name is not a string, and is on top. */
static bool read_members(struct writer *writer, struct level *level)
{
    lua_State *L = writer->L;
    int top = level->top, limit = top + (MAX_TOP - top) / 2;
    for (lua_pushnil(L); lua_next(L, level->table); level->count++) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lua_pop(L, 1);
            return false;
        }
        struct name *name = reserve(L, &writer->names, sizeof *name);
        writer->names.used += sizeof *name;
        name->text = lua_tolstring(L, -2, &name->length);
        if (top < limit && has_stack(writer, top + 2)) {
            top += 2;
            name->tag = top;
            lua_pushvalue(L, -2);
        } else {
            lua_pop(L, 1);
            name->tag = -keep_name(writer);
        }
    }
    level->top = top;
    return true;
}

static const char *open_object(struct writer *writer, struct level *level)
{
    level->is_object = true;
    level->first = writer->names.used / sizeof(struct name);
    level->kept = writer->kept;
    if (!read_members(writer, level))
        return "an object with the key %s";
    struct name *scratch = reserve(writer->L, &writer->names, level->count * sizeof *scratch);
    names_sort(names_of(writer, level), level->count, scratch);
    write_char(writer, '{');
    return NULL;
}

/* ---- tables ---- */

static const char *open_table(struct writer *writer, int index)
{
    if (writer->depth == JSON_MAX_DEPTH)
        return "nested too deeply, or in itself";
    struct level *level = &writer->levels[writer->depth];
    *level = (struct level){.table = index, .top = lua_gettop(writer->L)};
    if (!has_stack(writer, level->top))
        luaL_error(writer->L, "not enough memory");
    bool list = is_list(writer->L, index);
    const char *fault = list ? open_list(writer, level) : open_object(writer, level);
    writer->depth += !fault;
    return fault;
}

/* Ends the innermost table, all of which is written. */
static void close_table(struct writer *writer)
{
    const struct level *level = &writer->levels[--writer->depth];
    write_char(writer, level->is_object ? '}' : ']');
    if (level->is_object) {
        writer->names.used = level->first * sizeof(struct name);
        writer->kept = level->kept;
    }
}

/* Finds the next value of the innermost table, after writing its name. *index is the place of the
 * value before on the Lua stack, and becomes that of the next one. */
static const char *open_next(struct writer *writer, int *index)
{
    lua_State *L = writer->L;
    struct level *level = &writer->levels[writer->depth - 1];
    if (*index > level->top)
        lua_settop(L, level->top);
    *index = level->top + 1;
    if (level->done++)
        write_char(writer, ',');
    if (!level->is_object) {
        lua_rawgeti(L, level->table, (int)level->done);
        return NULL;
    }
    const struct name *name = names_of(writer, level) + level->done - 1;
    int tag = name->tag;
    const char *fault = write_string(writer, name->text, name->length, "\":");
    if (tag > 0) {
        *index = tag;
    } else {
        lua_rawgeti(L, KEPT, -tag);
        lua_rawget(L, level->table);
    }
    return fault;
}

/* ---- values ---- */

/* Writes the value at `index`, which is no table. */
static const char *write_scalar(struct writer *writer, int index, int type)
{
    lua_State *L = writer->L;
    size_t length;
    switch (type) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &length);
        return write_string(writer, text, length, "\"");
    }
    case LUA_TNUMBER:
        return write_number(writer, index);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, index))
            write_bytes(writer, "true", 4);
        else
            write_bytes(writer, "false", 5);
        return NULL;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, index)) { /* cekura.null */
            write_bytes(writer, "null", 4);
            return NULL;
        }
        break;
    }
    if (!is_mark(L, index, "empty_array")) {
        lua_pushstring(L, luaL_typename(L, index));
        return "JSON has no %s";
    }
    write_bytes(writer, "[]", 2);
    return NULL;
}

/* Writes the value at `index`. Returns NULL, or why it cannot be written: a format for the value
 * that is then on top. */
static const char *write_value(struct writer *writer, int index)
{
    const char *fault = NULL;
    while (!fault) {
        int type = lua_type(writer->L, index);
        if (type == LUA_TTABLE)
            fault = open_table(writer, index);
        else
            fault = write_scalar(writer, index, type);
        while (!fault && writer->depth) {
            const struct level *level = &writer->levels[writer->depth - 1];
            if (level->done < level->count)
                break;
            close_table(writer);
        }
        if (!writer->depth)
            break;
        if (!fault)
            fault = open_next(writer, &index);
    }
    return fault;
}

/* Pushes the place of the value that cannot be written, such as "body.calls[2].id". */
static void push_path(struct writer *writer)
{
    lua_State *L = writer->L;
    luaL_Buffer buffer;
    size_t length;
    const char *name = lua_tolstring(L, PATH, &length);
    luaL_buffinit(L, &buffer);
    luaL_addlstring(&buffer, name, length);
    for (unsigned depth = 0; depth < writer->depth; depth++) {
        const struct level *level = &writer->levels[depth];
        if (level->is_object) {
            const struct name *member = names_of(writer, level) + level->done - 1;
            luaL_addchar(&buffer, '.');
            luaL_addlstring(&buffer, member->text, member->length);
        } else {
            char index[32];
            int written = snprintf(index, sizeof index, "[%zu]", level->done);
            luaL_addlstring(&buffer, index, (size_t)written);
        }
    }
    luaL_pushresult(&buffer);
}

/* encode(value, path) -> text | nil, path, fault, what. `fault` is a format for `what`. */
static int encode(lua_State *L)
{
    char text[2048];
    struct name names[512];
    struct writer writer; /* not initialized, since it has many levels */
    luaL_checkstring(L, PATH);
    lua_settop(L, PATH);
    lua_settop(L, NAMES);
    writer.L = L;
    writer.text = (struct room){text, 0, sizeof text, TEXT};
    writer.names = (struct room){(char *)names, 0, sizeof names, NAMES};
    writer.checked_top = writer.kept = 0;
    writer.depth = 0;
    const char *fault = write_value(&writer, VALUE);
    if (!fault) {
        lua_pushlstring(L, writer.text.bytes, writer.text.used);
        return 1;
    }
    lua_pushnil(L);
    push_path(&writer);
    lua_pushstring(L, fault);
    lua_pushvalue(L, -4);
    return 4;
}

/* core.new_encoder(marks) -> encode. The table has lua-cjson's marks of lists, if there are any:
 * array_mt, the metatable of a list; empty_array_mt, the metatable of a table that is a list if it
 * is empty; and empty_array, a value that means []. */
static int core_new_encoder(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    json_push_array_mt(L);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, encode, 2);
    return 1;
}

/* Adds core.new_encoder. */
void encode_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new_encoder", core_new_encoder}, {NULL, NULL}};
    compat_set_functions(L, functions);
}
