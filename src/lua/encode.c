/* encode.c - Lua values as JSON text: exact, or refused.
 *
 * Members are written in the order of their names, so equal tables have equal texts. No metamethod
 * runs. Memory is the Lua state's, so an error that Lua raises leaks nothing. While it grows, a
 * finalizer may run and change the tables; what is remembered of a table is kept alive by the Lua
 * stack, or by the table in the slot NAMES. */
#include "json.h"
#include "parts.h"
#include "text/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The Lua stack, below the tables that are being written. */
enum {
    VALUE = 1,
    PATH,           /* what the value is called in errors */
    EMPTY_ARRAY,    /* a value that means [] */
    EMPTY_ARRAY_MT, /* the metatable of a table that is a list if it is empty */
    ARRAY_MT,       /* a metatable of lists */
    OWN_ARRAY_MT,   /* the other one */
    NAMES,
    TEXT,
    MEMBERS
};

/* The members of an object are kept on the Lua stack, unless they are many, or the stack is nearly
 * as deep as Lua 5.1 and LuaJIT allow (8,000): then only their names are kept, in a table. */
#define MAX_STACKED 64
#define MAX_TOP 4000

/* Bytes on the C stack at first, and later in a userdata in a slot of the Lua stack. */
struct room {
    char *bytes;
    size_t used, capacity;
    int slot;
};

struct member {
    const char *name;
    size_t length;
    int value; /* its index on the Lua stack, or minus that of the name in the table NAMES */
};

/* A table that is being written. */
struct level {
    bool is_object;
    int table; /* its index on the Lua stack */
    size_t count, done;
    size_t first; /* of its members, for an object */
};

struct writer {
    lua_State *L;
    struct room text, members;
    unsigned depth;
    struct level levels[JSON_MAX_DEPTH];
};

/* ---- memory ---- */

__attribute__((noinline, cold)) static void grow(lua_State *L, struct room *room, size_t more)
{
    size_t capacity = room->capacity;
    while (capacity - room->used < more)
        capacity *= 2;
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

static struct member *members_of(struct writer *writer, const struct level *level)
{
    return (struct member *)(void *)writer->members.bytes + level->first;
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

/* False: the text is not UTF-8. */
static bool write_string(struct writer *writer, const char *text, size_t length)
{
    char *to = reserve(writer->L, &writer->text, length + 2);
    const char *end = text + length;
    *to++ = '"';
    for (;;) {
        size_t plain = json_plain_length(text, (size_t)(end - text));
        memcpy(to, text, plain);
        to += plain;
        text += plain;
        if (text == end)
            break;
        if ((unsigned char)*text >= 0x80)
            return false;
        writer->text.used = (size_t)(to - writer->text.bytes);
        to = reserve(writer->L, &writer->text, (size_t)(end - text) + JSON_MAX_ESCAPE);
        to += json_escape(*text++, to);
    }
    *to++ = '"';
    writer->text.used = (size_t)(to - writer->text.bytes);
    return true;
}

/* Writes the number on top of the stack. */
static const char *write_number(struct writer *writer)
{
    lua_State *L = writer->L;
    char *to = reserve(L, &writer->text, NUMBER_MAX_LENGTH);
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, -1)) {
        writer->text.used += number_write_integer(lua_tointeger(L, -1), to);
        return NULL;
    }
#endif
    double value = lua_tonumber(L, -1);
    if (!isfinite(value))
        return "JSON has no %s";
    writer->text.used += number_write(value, to);
    return NULL;
}

/* ---- tables ---- */

/* Whether the table on top of the stack is written as a list. */
static bool is_list(lua_State *L)
{
    bool is_marked = false;
    if (lua_getmetatable(L, -1)) {
        is_marked = lua_rawequal(L, -1, OWN_ARRAY_MT) || lua_rawequal(L, -1, ARRAY_MT);
        bool is_if_empty = lua_rawequal(L, -1, EMPTY_ARRAY_MT);
        lua_pop(L, 1);
        if (is_if_empty) {
            lua_pushnil(L);
            is_marked = !lua_next(L, -2);
            lua_pop(L, is_marked ? 0 : 2);
        }
    }
    return is_marked || lua_rawlen(L, -1) > 0;
}

/* The key on top of the stack as the index of an element; 0 if it is none. */
static int64_t to_index(lua_State *L)
{
    double key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    bool is_index = key >= 1 && key < 0x1p53 && key == (double)(int64_t)key;
    return is_index ? (int64_t)key : 0;
}

/* Pushes the first key of the table on top of the stack that a list does not have. */
static const char *refuse_list(lua_State *L)
{
    int64_t count = 0;
    for (bool is_end = false; !is_end; count += !is_end) {
        lua_rawgeti(L, -1, (int)count + 1);
        is_end = lua_isnil(L, -1);
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) {
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
    for (lua_pushnil(L); index && lua_next(L, -2); count++) {
        lua_pop(L, 1);
        index = to_index(L);
        most = index > most ? index : most;
    }
    lua_pop(L, index ? 0 : 1);
    if (!index || most != count)
        return refuse_list(L);
    level->count = (size_t)count;
    write_char(writer, '[');
    return NULL;
}

static int compare_members(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int order = memcmp(a->name, b->name, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Most objects have few members. */
static void sort_members(struct member *members, size_t count)
{
    if (count > 16) {
        qsort(members, count, sizeof *members, compare_members);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct member member = members[i];
        size_t at = i;
        for (; at && compare_members(&members[at - 1], &member) > 0; at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

/* Adds the key at `name` on the Lua stack to the members of the level. */
static void add_member(struct writer *writer, struct level *level, int name, int value)
{
    struct member *member = reserve(writer->L, &writer->members, sizeof *member);
    writer->members.used += sizeof *member;
    member->name = lua_tolstring(writer->L, name, &member->length);
    member->value = value;
    level->count++;
}

enum end { ALL, TOO_MANY, ODD_NAME };

/* Reads the members of the table on top of the stack, and leaves their names and values above it.
 * Stops where there are too many, or where a name is not a string: then the key is on top. */
static enum end stack_members(struct writer *writer, struct level *level)
{
    lua_State *L = writer->L;
    int top = level->table;
    if (top + 2 * MAX_STACKED > MAX_TOP || !lua_checkstack(L, 2 * MAX_STACKED + 8))
        return TOO_MANY;
    for (lua_pushnil(L); lua_next(L, level->table); lua_pushvalue(L, -2)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lua_pop(L, 1);
            return ODD_NAME;
        }
        if (level->count == MAX_STACKED)
            return TOO_MANY;
        add_member(writer, level, -2, level->table + 2 * (int)level->count + 2);
    }
    return ALL;
}

/* The same, but keeps only the names, in the table NAMES. */
static enum end name_members(struct writer *writer, struct level *level)
{
    lua_State *L = writer->L;
    for (lua_pushnil(L); lua_next(L, level->table);) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            return ODD_NAME;
        int place = (int)(level->first + level->count + 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, NAMES, place);
        add_member(writer, level, -1, -place);
    }
    return ALL;
}

static const char *open_object(struct writer *writer, struct level *level)
{
    level->is_object = true;
    level->first = writer->members.used / sizeof(struct member);
    enum end end = stack_members(writer, level);
    if (end == TOO_MANY) {
        lua_settop(writer->L, level->table);
        writer->members.used = level->first * sizeof(struct member);
        level->count = 0;
        end = name_members(writer, level);
    }
    if (end == ODD_NAME)
        return "an object with the key %s";
    sort_members(members_of(writer, level), level->count);
    write_char(writer, '{');
    return NULL;
}

static const char *open_table(struct writer *writer)
{
    if (writer->depth == JSON_MAX_DEPTH)
        return "nested too deeply, or in itself";
    compat_check_stack(writer->L, 8);
    struct level *level = &writer->levels[writer->depth];
    *level = (struct level){.table = lua_gettop(writer->L)};
    const char *fault = is_list(writer->L) ? open_list(writer, level) : open_object(writer, level);
    writer->depth += !fault;
    return fault;
}

/* Pops the innermost table, all of which is written. */
static void close_table(struct writer *writer)
{
    const struct level *level = &writer->levels[--writer->depth];
    write_char(writer, level->is_object ? '}' : ']');
    if (level->is_object)
        writer->members.used = level->first * sizeof(struct member);
    lua_settop(writer->L, level->table - 1);
}

/* Pushes the next value of the innermost table, after writing its name. */
static const char *open_next(struct writer *writer, struct level *level)
{
    lua_State *L = writer->L;
    if (level->done)
        write_char(writer, ',');
    size_t index = level->done++;
    if (!level->is_object) {
        lua_rawgeti(L, level->table, (int)index + 1);
        return NULL;
    }
    const struct member *member = members_of(writer, level) + index;
    if (!write_string(writer, member->name, member->length))
        return "the text is not valid UTF-8";
    write_char(writer, ':');
    if (member->value > 0) {
        lua_pushvalue(L, member->value);
        return NULL;
    }
    lua_rawgeti(L, NAMES, -member->value);
    lua_rawget(L, level->table);
    return NULL;
}

/* ---- values ---- */

static const char *refuse_type(lua_State *L)
{
    lua_pushstring(L, luaL_typename(L, -1));
    return "JSON has no %s";
}

/* Writes the value on top of the stack, which is no table. */
static const char *write_scalar(struct writer *writer, int type)
{
    lua_State *L = writer->L;
    size_t length;
    switch (type) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &length);
        return write_string(writer, text, length) ? NULL : "the text is not valid UTF-8";
    }
    case LUA_TNUMBER:
        return write_number(writer);
    case LUA_TBOOLEAN:
        lua_toboolean(L, -1) ? write_bytes(writer, "true", 4) : write_bytes(writer, "false", 5);
        return NULL;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, -1)) { /* cekura.null */
            write_bytes(writer, "null", 4);
            return NULL;
        }
        break;
    }
    if (lua_isnil(L, EMPTY_ARRAY) || !lua_rawequal(L, -1, EMPTY_ARRAY))
        return refuse_type(L);
    write_bytes(writer, "[]", 2);
    return NULL;
}

/* Writes the value on top of the stack, and pops it. Returns NULL, or why it cannot be written: a
 * format for the value that is then on top. */
static const char *write_value(struct writer *writer)
{
    unsigned outside = writer->depth;
    const char *fault = NULL;
    do {
        int type = lua_type(writer->L, -1);
        if (type == LUA_TTABLE) {
            fault = open_table(writer);
        } else {
            fault = write_scalar(writer, type);
            lua_pop(writer->L, fault ? 0 : 1);
        }
        if (fault)
            return fault;
        while (writer->depth > outside) {
            struct level *level = &writer->levels[writer->depth - 1];
            if (level->done < level->count) {
                fault = open_next(writer, level);
                break;
            }
            close_table(writer);
        }
    } while (!fault && writer->depth > outside);
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
            const struct member *member = members_of(writer, level) + level->done - 1;
            luaL_addchar(&buffer, '.');
            luaL_addlstring(&buffer, member->name, member->length);
        } else {
            char index[32];
            int written = snprintf(index, sizeof index, "[%zu]", level->done);
            luaL_addlstring(&buffer, index, (size_t)written);
        }
    }
    luaL_pushresult(&buffer);
}

/* core.encode(value, path, empty_array, empty_array_mt, array_mt) -> text | nil, path, fault, what.
 * `fault` is a format for `what`. The last three arguments are the marks of lua-cjson, or nil. */
static int core_encode(lua_State *L)
{
    char text[2048];
    struct member members[64];
    struct writer writer; /* not initialized, since it has many levels */
    writer.L = L;
    writer.text = (struct room){text, 0, sizeof text, TEXT};
    writer.members = (struct room){(char *)members, 0, sizeof members, MEMBERS};
    writer.depth = 0;
    luaL_checkstring(L, PATH);
    lua_settop(L, ARRAY_MT);
    luaL_getmetatable(L, JSON_ARRAY_TYPE);
    lua_createtable(L, 0, 0);
    lua_settop(L, MEMBERS);
    lua_pushvalue(L, VALUE);
    const char *fault = write_value(&writer);
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

/* Adds core.encode. */
void encode_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"encode", core_encode}, {NULL, NULL}};
    compat_set_functions(L, functions);
}
