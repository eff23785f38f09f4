/* secret.c - secrets as userdata: Lua can pass them on and compare them, but not read them.
 *
 * Lua frees strings without wiping them, and interns short ones. So a secret stays in a userdata,
 * which is wiped when it is collected, unless it has to be a string. */
#include "secret.h"

#include "file/private_file.h"
#include "parts.h"
#include "text/secret.h"
#include "text/toml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct type secret_type = {"cekura.secret"};

const char *secret_bytes(lua_State *L, int index, size_t *length)
{
    struct secret *secret = object_test(L, index, &secret_type);
    if (!secret)
        return luaL_checklstring(L, index, length);
    *length = secret->length;
    return secret->bytes ? secret->bytes : "";
}

const char *secret_element_bytes(lua_State *L, size_t *length)
{
    if (lua_type(L, -1) == LUA_TNUMBER)
        luaL_error(L, "a list of strings expected, got number");
    return secret_bytes(L, -1, length);
}

static struct secret *push_secret(lua_State *L)
{
    return object_new(L, &secret_type, sizeof(struct secret));
}

static void reserve(lua_State *L, struct secret *secret, size_t length)
{
    if (!secret_reserve(secret, length))
        luaL_error(L, "not enough memory");
}

/* core.secret(text | secret, ...) -> a secret, the concatenation of the arguments. */
static int core_secret(lua_State *L)
{
    int count = lua_gettop(L);
    size_t length = 0, part;
    for (int i = 1; i <= count; i++) {
        (void)secret_bytes(L, i, &part);
        length += part;
    }
    struct secret *secret = push_secret(L);
    reserve(L, secret, length);
    char *end = secret->bytes;
    for (int i = 1; i <= count; i++) {
        const char *bytes = secret_bytes(L, i, &part);
        memcpy(end, bytes, part);
        end += part;
    }
    return 1;
}

/* core.equal_secrets(a, b) -> boolean. The time depends on the lengths only. */
static int core_equal_secrets(lua_State *L)
{
    size_t length, other_length;
    const char *text = secret_bytes(L, 1, &length);
    const char *other = secret_bytes(L, 2, &other_length);
    volatile unsigned char different = length != other_length;
    for (size_t i = 0; i < length && other_length > 0; i++)
        different |= (unsigned char)(text[i] ^ other[i % other_length]);
    lua_pushboolean(L, !different);
    return 1;
}

static int secret_gc(lua_State *L)
{
    secret_wipe(object_check(L, 1, &secret_type));
    return 0;
}

static int secret_tostring(lua_State *L)
{
    object_check(L, 1, &secret_type);
    lua_pushstring(L, secret_type.name);
    return 1;
}

/* ---- files ---- */

/* Pushes the mark of the secret that equals the value. If the table at `secrets` has none, adds a
 * new one. */
static void push_mark(lua_State *L, int secrets, const char *value, size_t value_length)
{
    char digits[24];
    for (int number = 1;; number++) {
        lua_pushlstring(L, digits, (size_t)sprintf(digits, "%d", number));
        lua_pushvalue(L, -1);
        lua_rawget(L, secrets);
        struct secret *known = object_test(L, -1, &secret_type);
        if (!known) {
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            known = push_secret(L);
            reserve(L, known, value_length);
            memcpy(known->bytes, value, value_length);
            lua_rawset(L, secrets);
            return;
        }
        lua_pop(L, 1);
        if (known->length == value_length && memcmp(known->bytes, value, value_length) == 0)
            return;
        lua_pop(L, 1);
    }
}

/* Moves the values of `name` from the text to the table at `secrets`, and leaves marks in their
 * place, which are shorter. Returns the new length of the text. */
static size_t extract(lua_State *L, struct secret *text, const char *name, int secrets)
{
    struct toml_finder finder = {.text = text->bytes, .length = text->length, .name = name};
    struct toml_string value;
    size_t from = 0, to = 0;
    while (toml_find(&finder, &value)) {
        if (value.length < SECRET_MIN_LENGTH)
            continue;
        size_t length;
        push_mark(L, secrets, text->bytes + value.start, value.length);
        const char *mark = lua_tolstring(L, -1, &length);
        memmove(text->bytes + to, text->bytes + from, value.start - from);
        to += value.start - from;
        memcpy(text->bytes + to, mark, length);
        to += length;
        from = value.start + value.length;
        lua_pop(L, 1);
    }
    memmove(text->bytes + to, text->bytes + from, text->length - from);
    return to + text->length - from;
}

/* core.read_private(path, name) -> text, secrets, mode | nil, fault, errno. The values that the
 * file assigns to `name` are in `secrets`, by the marks that replace them in the text. */
static int core_read_private(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2), *fault;
    struct private_file file;
    lua_settop(L, 2);
    struct secret *text = push_secret(L);
    lua_newtable(L);
    if (!private_file_read(&file, path, &fault)) {
        int code = errno;
        lua_pushnil(L);
        lua_pushstring(L, fault);
        lua_pushinteger(L, code);
        return 3;
    }
    *text = file.text;
    size_t length = extract(L, text, name, 4);
    lua_pushlstring(L, text->bytes, length);
    lua_pushvalue(L, 4);
    lua_pushinteger(L, (lua_Integer)file.mode);
    secret_wipe(text);
    return 3;
}

void secret_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", secret_gc}, {"__tostring", secret_tostring}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"secret", core_secret},
        {"equal_secrets", core_equal_secrets},
        {"read_private", core_read_private},
        {NULL, NULL},
    };
    object_open_type(L, &secret_type, metamethods, functions);
}
