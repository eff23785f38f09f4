/* core.c - the module cekura.core: the functions of the binding's other files, clocks and URLs.
 *
 * The module is private to the library; programs use `require "cekura"`. */
#include "client.h"
#include "engine/clock.h"
#include "engine/jitter.h"
#include "parts.h"
#include "text/json_string.h"
#include "text/url.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* ---- objects ---- */

/* core.fields(client | job) -> the object's own table. */
static int core_fields(lua_State *L)
{
    if (!object_test(L, 1, &job_type))
        client_check(L, 1);
    compat_get_table(L, 1);
    return 1;
}

/* core.is_client(value), core.is_job(value) -> boolean */
static int core_is_client(lua_State *L)
{
    lua_pushboolean(L, object_test(L, 1, &client_type) != NULL);
    return 1;
}

static int core_is_job(lua_State *L)
{
    lua_pushboolean(L, object_test(L, 1, &job_type) != NULL);
    return 1;
}

/* core.type(value) -> "client", "job", the name of a record's class, or nil. */
static int core_type(lua_State *L)
{
    if (object_test(L, 1, &client_type))
        lua_pushliteral(L, "client");
    else if (object_test(L, 1, &job_type))
        lua_pushliteral(L, "job");
    else if (!record_push_class_name(L))
        lua_pushnil(L);
    return 1;
}

/* ---- clocks ---- */

/* core.now() -> seconds on the monotonic clock. */
static int core_now(lua_State *L)
{
    lua_pushnumber(L, clock_to_seconds(clock_monotonic_us()));
    return 1;
}

/* core.random_hex() -> 24 random hexadecimal digits, not fit for secrets. */
static int core_random_hex(lua_State *L)
{
    unsigned char bytes[12];
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes) {
        struct jitter jitter = {.state = (uint64_t)clock_monotonic_us()};
        uint64_t first = jitter_next(&jitter), second = jitter_next(&jitter);
        memcpy(bytes, &first, sizeof first);
        memcpy(bytes + sizeof first, &second, sizeof bytes - sizeof first);
    }
    char digits[2 * sizeof bytes + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    lua_pushlstring(L, digits, 2 * sizeof bytes);
    return 1;
}

/* core.date() -> seconds since the epoch. */
static int core_date(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_date_s());
    return 1;
}

/* ---- the process ---- */

/* core.pid() -> the number of this process. */
static int core_pid(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)getpid());
    return 1;
}

/* core.serial() -> 1, 2, …: no two states of this process get the same number. */
static int core_serial(lua_State *L)
{
    static atomic_llong last;
    lua_pushinteger(L, (lua_Integer)atomic_fetch_add(&last, 1) + 1);
    return 1;
}

/* ---- texts ---- */

/* core.parse_url(text) -> origin, path, secure, loopback | nil, fault. */
static int core_parse_url(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct url url;
    const char *fault = strlen(text) != length ? "holds a NUL byte" : url_parse(&url, text);
    if (fault)
        return object_push_failure(L, fault);
    /* Copied to the C stack before url_free(): pushing a string may longjmp. */
    char origin[300], path[1000];
    bool secure = url.secure, loopback = url.loopback;
    bool fits = strlen(url.origin) < sizeof origin && strlen(url.path) < sizeof path;
    if (fits) {
        strcpy(origin, url.origin);
        strcpy(path, url.path);
    }
    url_free(&url);
    if (!fits)
        return object_push_failure(L, "is too long");
    lua_pushstring(L, origin);
    lua_pushstring(L, path);
    lua_pushboolean(L, secure);
    lua_pushboolean(L, loopback);
    return 4;
}

/* core.parse_proxy(text) -> secure, loopback | nil, fault. */
static int core_parse_proxy(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct proxy proxy;
    const char *fault = strlen(text) != length ? "holds a NUL byte" : url_parse_proxy(&proxy, text);
    if (fault)
        return object_push_failure(L, fault);
    bool secure = proxy.secure, loopback = proxy.loopback;
    url_free_proxy(&proxy);
    lua_pushboolean(L, secure);
    lua_pushboolean(L, loopback);
    return 2;
}

/* core.is_utf8(text) -> boolean. */
static int core_is_utf8(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_pushboolean(L, json_is_utf8(text, length));
    return 1;
}

/* Whether a path or query may contain the character: pchar, "/" and "?" (RFC 3986, 3.3 and 3.4),
 * and "%", which begins an escape. */
static bool is_of_path(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '@' && c <= 'Z') || (c >= '$' && c <= ';') || c == '?' ||
           c == '_' || c == '~' || c == '=' || c == '!';
}

/* core.encode_path(path) -> the path, with an escape for each character that it cannot contain; nil
 * for a value that is not a path. */
static int core_encode_path(lua_State *L)
{
    size_t length, at = 0;
    lua_settop(L, 1);
    const char *path = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : NULL;
    if (!path || *path != '/')
        return 0;
    while (at < length && is_of_path((unsigned char)path[at]))
        at++;
    if (at == length)
        return 1;
    luaL_Buffer encoded;
    luaL_buffinit(L, &encoded);
    for (size_t i = 0; i < length; i++) {
        char escape[4];
        if (is_of_path((unsigned char)path[i])) {
            luaL_addchar(&encoded, path[i]);
        } else {
            snprintf(escape, sizeof escape, "%%%02X", (unsigned char)path[i]);
            luaL_addlstring(&encoded, escape, 3);
        }
    }
    luaL_pushresult(&encoded);
    return 1;
}

/* ---- opening ---- */

/* Keeps this library, and so libcurl, mapped after the Lua state has closed. libcurl's resolver
 * threads may outlive the state, and would return into unmapped code. */
static void stay_mapped(void)
{
    Dl_info self;
    if (dladdr((void *)(intptr_t)stay_mapped, &self) && self.dli_fname)
        (void)dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static const luaL_Reg functions[] = {
    {"fields", core_fields},
    {"is_client", core_is_client},
    {"is_job", core_is_job},
    {"type", core_type},
    {"now", core_now},
    {"date", core_date},
    {"random_hex", core_random_hex},
    {"pid", core_pid},
    {"serial", core_serial},
    {"parse_url", core_parse_url},
    {"parse_proxy", core_parse_proxy},
    {"is_utf8", core_is_utf8},
    {"encode_path", core_encode_path},
    {NULL, NULL},
};

/* The only visible symbol, so that no other clashes with one of the host. */
__attribute__((visibility("default"))) int luaopen_cekura_core(lua_State *L);

/* Creates the module once for each state. If a program loads it again, existing objects keep the
 * methods that the library has added. */
int luaopen_cekura_core(lua_State *L)
{
    static char place;
    version_check(L);
    lua_pushlightuserdata(L, &place);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1))
        return 1;
    stay_mapped();
    lua_newtable(L);
    compat_set_functions(L, functions);
    client_open(L);
    holds_open(L);
    operation_open(L);
    job_open(L);
    json_open(L);
    encode_open(L);
    record_open(L);
    guard_open(L);
    notice_open(L);
    bridge_open(L);
    file_open(L);
    host_open(L);
    secret_open(L);
    lock_open(L);
    spools_open(L);
    terminal_open(L);
    interface_open(L);
    library_open(L);
    lua_pushlightuserdata(L, &place);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
