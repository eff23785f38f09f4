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

static bool to_int64(const char *digits, size_t length, int64_t *value)
{
    bool negative = *digits == '-';
    uint64_t magnitude = 0, limit = (uint64_t)INT64_MAX + negative;
    for (size_t i = negative; i < length; i++) {
        unsigned digit = (unsigned)(digits[i] - '0');
        if (magnitude > (limit - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static void push_integer(lua_State *L, const char *digits, size_t length)
{
    int64_t value;
    if (!to_int64(digits, length, &value) || !compat_push_exact(L, value))
        lua_pushlstring(L, digits, length);
}

static void push_real(lua_State *L, const char *digits, size_t length)
{
    char text[64];
    double value = HUGE_VAL;
    if (length < sizeof text) {
        memcpy(text, digits, length);
        text[length] = '\0';
        value = number_read(text);
    } else { /* more digits than a double has */
        lua_pushlstring(L, digits, length);
        value = number_read(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    if (isinf(value))
        lua_pushlstring(L, digits, length); /* too large for a number */
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

/* Pushes the value of a token that does not open a container. */
static void push_scalar(lua_State *L, const char *text, const struct json_token *token)
{
    switch (token->type) {
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, token->type == JSON_TRUE);
        break;
    case JSON_INTEGER:
        push_integer(L, text + token->start, token->length);
        break;
    case JSON_REAL:
        push_real(L, text + token->start, token->length);
        break;
    case JSON_STRING:
        json_push_string(L, text, token);
        break;
    default:
        lua_pushlightuserdata(L, NULL); /* cjson.null */
    }
}

/* A container that is being filled. Its table is on the Lua stack, and for an object the key of the
 * next member. */
struct level {
    bool object;
    int count;
};

/* Pops a value, and appends it to the list below or, with the key below, sets it in the object. */
static void put_value(lua_State *L, struct level *level, bool absent)
{
    if (!level->object) {
        lua_rawseti(L, -2, ++level->count);
        return;
    }
    if (absent) { /* a null removes an earlier member of that name, since the last one counts */
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_rawset(L, -3);
}

static void open_table(lua_State *L, int array_mt, bool object)
{
    lua_newtable(L);
    if (object)
        return;
    lua_pushvalue(L, array_mt);
    lua_setmetatable(L, -2);
}

bool json_push_value(lua_State *L, struct json_reader *reader, bool keep_nulls)
{
    struct level levels[JSON_MAX_DEPTH + 1]; /* only the open ones are initialized */
    int base = lua_gettop(L);
    unsigned depth = 0;
    compat_check_stack(L, 6);
    luaL_getmetatable(L, JSON_ARRAY_TYPE);
    lua_createtable(L, 1, 0); /* level 0: a list that receives the value */
    levels[0] = (struct level){.object = false};
    for (;;) {
        struct json_token token = json_next(reader);
        compat_check_stack(L, 6);
        switch (token.type) {
        case JSON_ERROR:
            lua_settop(L, base);
            return false;
        case JSON_END:
            lua_rawgeti(L, base + 2, 1);
            lua_replace(L, base + 1);
            lua_settop(L, base + 1);
            return true;
        case JSON_KEY:
            json_push_string(L, reader->text, &token);
            break;
        case JSON_OBJECT:
        case JSON_ARRAY:
            open_table(L, base + 1, token.type == JSON_OBJECT);
            levels[++depth] = (struct level){.object = token.type == JSON_OBJECT};
            break;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END:
            put_value(L, &levels[--depth], false);
            break;
        default:
            push_scalar(L, reader->text, &token);
            put_value(L, &levels[depth], token.type == JSON_NULL && !keep_nulls);
        }
    }
}

int json_push_fault(lua_State *L, const char *fault, const struct json_reader *reader)
{
    lua_pushnil(L);
    lua_pushstring(L, fault);
    lua_pushinteger(L, (lua_Integer)reader->offset);
    return 3;
}

/* core.decode(text) -> value | nil, fault, offset. */
static int core_decode(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct json_reader reader;
    json_begin(&reader, text, length);
    return json_push_value(L, &reader, false) ? 1 : json_push_fault(L, reader.fault, &reader);
}

/* core.array_mt: the metatable of a list. */
void json_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"decode", core_decode}, {NULL, NULL}};
    compat_set_functions(L, functions);
    luaL_newmetatable(L, JSON_ARRAY_TYPE);
    lua_pushliteral(L, JSON_ARRAY_TYPE);
    lua_setfield(L, -2, "__name");
    lua_setfield(L, -2, "array_mt");
}
