/* json.c - JSON text as exact Lua values.
 *
 * From Lua 5.3 on an integer becomes an integer; one that this Lua cannot represent becomes a
 * string of its digits. A null is left out of an object, and becomes cekura.null in a list. A list
 * gets a metatable, which distinguishes it from an object when it is sent back, even if it is
 * empty. */
#include "json.h"

#include "parts.h"
#include "text/number.h"

#include <math.h>
#include <string.h>

/* What this Lua has no number for becomes a string of its digits. */
static void push_integer(lua_State *L, const char *digits, size_t length)
{
    int64_t value;
    if (!number_read_integer(digits, length, &value) || !compat_push_exact(L, value))
        lua_pushlstring(L, digits, length);
}

/* The digits are in a Lua string, which ends with NUL. */
static void push_real(lua_State *L, const char *digits, size_t length)
{
    double value = number_read(digits);
    if (isinf(value))
        lua_pushlstring(L, digits, length);
    else
        lua_pushnumber(L, value);
}

void json_push_string(lua_State *L, const char *text, const struct json_token *token)
{
    if (!token->escaped) {
        lua_pushlstring(L, text + token->start, token->length);
        return;
    }
    char small[512];
    bool fits = token->length <= sizeof small;
    char *room = fits ? small : lua_newuserdata(L, token->length);
    lua_pushlstring(L, room, json_unescape(text + token->start, token->length, room));
    if (!fits)
        lua_remove(L, -2);
}

/* The values of a container stay on the Lua stack until all are read, so that its table is made in
 * the right size. If they are many, or if the stack is nearly as deep as Lua 5.1 and LuaJIT allow
 * (8,000), the table is made before, and the other values are put into it one by one. */
#define MAX_STACKED 128
#define MAX_TOP 4000

/* A container that is being read. Its values are at `first` of the Lua stack and above it, those of
 * an object each behind its name; or else its table is there. */
struct level {
    bool is_object, is_made;
    int first;
    int count; /* of the elements in the table of a list */
};

struct builder {
    lua_State *L;
    bool keep_nulls, has_array_mt;
    int base, top, checked_top; /* of the Lua stack */
    unsigned depth;
    struct level levels[JSON_MAX_DEPTH];
};

static inline void make_list(struct builder *builder, const struct level *level)
{
    lua_State *L = builder->L;
    lua_createtable(L, level->count, 0);
    lua_pushvalue(L, builder->base);
    lua_setmetatable(L, -2);
    if (level->count)
        lua_insert(L, level->first);
    for (int index = level->count; index > 0; index--)
        lua_rawseti(L, level->first, index);
}

/* In order, since of two members of one name the last one counts. */
static inline void make_object(struct builder *builder, const struct level *level)
{
    lua_State *L = builder->L;
    lua_createtable(L, 0, level->count);
    for (int name = level->first; name < builder->top; name += 2) {
        lua_pushvalue(L, name);
        lua_pushvalue(L, name + 1);
        lua_rawset(L, -3);
    }
    if (level->count) {
        lua_replace(L, level->first);
        lua_settop(L, level->first);
    }
}

static inline void make_table(struct builder *builder, struct level *level)
{
    if (level->is_object)
        make_object(builder, level);
    else
        make_list(builder, level);
    builder->top = level->first;
}

/* Makes the table of a container that has not ended, and whose values are too many. */
__attribute__((noinline)) static void make_early(struct builder *builder, struct level *level)
{
    make_table(builder, level);
    level->is_made = true;
}

/* Keeps the metatable of lists below all values. Many texts have no list. */
static void insert_array_mt(struct builder *builder)
{
    json_push_array_mt(builder->L);
    lua_insert(builder->L, builder->base);
    builder->has_array_mt = true;
    builder->top++;
    for (unsigned i = 0; i < builder->depth; i++)
        builder->levels[i].first++;
}

static void open_level(struct builder *builder, bool is_object)
{
    if (!is_object && !builder->has_array_mt)
        insert_array_mt(builder);
    struct level *level = &builder->levels[builder->depth++];
    *level = (struct level){.is_object = is_object, .first = builder->top + 1};
    if (builder->top > MAX_TOP)
        make_early(builder, level);
}

/* Leaves the table on the stack. */
static void close_level(struct builder *builder)
{
    struct level *level = &builder->levels[--builder->depth];
    if (!level->is_made)
        make_table(builder, level);
}

/* Takes the value on top of the stack into the innermost container. */
static inline void add_value(struct builder *builder)
{
    if (builder->depth == 0)
        return;
    struct level *level = &builder->levels[builder->depth - 1];
    level->count++;
    if (!level->is_made) {
        if (builder->top - level->first + 1 >= MAX_STACKED)
            make_early(builder, level);
        return;
    }
    if (level->is_object)
        lua_rawset(builder->L, level->first);
    else
        lua_rawseti(builder->L, level->first, level->count);
    builder->top = level->first;
}

/* A nil in an object removes an earlier member of that name. */
static void push_null(const struct builder *builder)
{
    bool is_member = builder->depth && builder->levels[builder->depth - 1].is_object;
    if (is_member && !builder->keep_nulls)
        lua_pushnil(builder->L);
    else
        lua_pushlightuserdata(builder->L, NULL); /* cjson.null */
}

static void check_room(struct builder *builder)
{
    if (builder->top + 8 > builder->checked_top) {
        compat_check_stack(builder->L, 32);
        builder->checked_top = builder->top + 32;
    }
}

bool json_push_value(lua_State *L, struct json_reader *reader, bool keep_nulls)
{
    struct builder builder; /* not initialized, since it has many levels */
    int base = lua_gettop(L);
    builder.L = L;
    builder.keep_nulls = keep_nulls;
    builder.has_array_mt = false;
    builder.base = base + 1;
    builder.top = base;
    builder.checked_top = LUA_MINSTACK; /* what every C function has */
    builder.depth = 0;
    for (;;) {
        struct json_token token = json_next(reader);
        check_room(&builder);
        switch (token.type) {
        case JSON_ERROR:
            lua_settop(L, base);
            return false;
        case JSON_END:
            if (builder.has_array_mt)
                lua_remove(L, builder.base);
            return true;
        case JSON_OBJECT:
        case JSON_ARRAY:
            open_level(&builder, token.type == JSON_OBJECT);
            continue;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END:
            close_level(&builder);
            break;
        case JSON_KEY:
            json_push_string(L, reader->text, &token);
            builder.top++;
            continue;
        case JSON_STRING:
            json_push_string(L, reader->text, &token);
            builder.top++;
            break;
        case JSON_INTEGER:
            push_integer(L, reader->text + token.start, token.length);
            builder.top++;
            break;
        case JSON_REAL:
            push_real(L, reader->text + token.start, token.length);
            builder.top++;
            break;
        case JSON_TRUE:
        case JSON_FALSE:
            lua_pushboolean(L, token.type == JSON_TRUE);
            builder.top++;
            break;
        case JSON_NULL:
            push_null(&builder);
            builder.top++;
            break;
        }
        add_value(&builder);
    }
}

int json_push_fault(lua_State *L, const char *fault, const struct json_reader *reader)
{
    lua_pushnil(L);
    lua_pushstring(L, fault);
    lua_pushinteger(L, (lua_Integer)reader->offset);
    return 3;
}

int json_decode(lua_State *L, const char *text, size_t length, bool keep_nulls)
{
    struct json_reader reader;
    json_begin(&reader, text, length);
    return json_push_value(L, &reader, keep_nulls) ? 1 : json_push_fault(L, reader.fault, &reader);
}

/* core.decode(text, keep_nulls) -> value | nil, fault, offset. A null in an object is left out, and
 * with `keep_nulls`, which is true then, it is cekura.null. */
static int core_decode(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    return json_decode(L, text, length, lua_isboolean(L, 2) && lua_toboolean(L, 2));
}

#define ARRAY_TYPE "cekura.array" /* the name of the metatable of a list, in the registry */

static char array_mt_key;

void json_push_array_mt(lua_State *L)
{
    lua_pushlightuserdata(L, &array_mt_key); /* it is found sooner than by its name */
    lua_rawget(L, LUA_REGISTRYINDEX);
}

/* core.array_mt: the metatable of a list. */
void json_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"decode", core_decode}, {NULL, NULL}};
    compat_set_functions(L, functions);
    lua_pushlightuserdata(L, &array_mt_key);
    luaL_newmetatable(L, ARRAY_TYPE);
    lua_rawset(L, LUA_REGISTRYINDEX);
    json_push_array_mt(L);
    lua_pushliteral(L, ARRAY_TYPE);
    lua_setfield(L, -2, "__name");
    lua_setfield(L, -2, "array_mt");
}
