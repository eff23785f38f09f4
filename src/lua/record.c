/* record.c - a JSON object as a userdata: its text, and an index of its members.
 *
 * A field is decoded when it is first read, and cached in the record's table, which also holds the
 * text, the client of the record, and its class: the table of its methods. The library decides what
 * the fields mean. */
#include "text/record.h"

#include "json.h"
#include "parts.h"

#include <string.h>

/* Keys of a record's table. Its other keys are the names of fields. */
enum { TEXT = 1, OWNER = 2, CLASS = 3 };

/* Key of a class, whose other keys are the names of its methods: its own name. */
enum { NAME = 1 };

/* A call log has 33 members. A record with more members than this is scanned twice. */
#define USUAL_MEMBERS 64

const struct type record_type = {"cekura.record"};

struct record_object {
    size_t length; /* of the text */
    size_t count;
    struct member members[];
};

static struct record_object *check_record(lua_State *L, int index)
{
    return object_check(L, index, &record_type);
}

/* ---- making ---- */

/* Pushes the record of the object whose opening brace the reader has just returned. Its text is the
 * string at 1, or the part of it from `base` on if that is not 0. Its owner is at 2, its class at
 * 3. Returns NULL, or the fault. */
static const char *push_record(lua_State *L, struct json_reader *reader, size_t base)
{
    struct member usual[USUAL_MEMBERS];
    struct json_reader again = *reader;
    size_t count;
    const char *fault = record_read(reader, base, usual, USUAL_MEMBERS, &count);
    if (fault)
        return fault;
    compat_check_stack(L, 6);
    struct record_object *record =
        object_new(L, &record_type, sizeof *record + count * sizeof *record->members);
    record->count = count;
    if (count <= USUAL_MEMBERS)
        memcpy(record->members, usual, count * sizeof *usual);
    else
        record_read(&again, base, record->members, count, &count);
    lua_createtable(L, CLASS, 0);
    if (base > 0)
        lua_pushlstring(L, reader->text + base, reader->offset - base);
    else
        lua_pushvalue(L, 1);
    record->length = lua_rawlen(L, -1);
    lua_rawseti(L, -2, TEXT);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, OWNER);
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, CLASS);
    compat_set_table(L, -2);
    return NULL;
}

static void begin_text(lua_State *L, struct json_reader *reader)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    json_begin(reader, text, length);
}

/* Reads a token. Returns NULL if it has that type, the reader's fault if it is an error, and
 * `otherwise` if it has another type. */
static const char *expect(struct json_reader *reader, enum json_type type, const char *otherwise)
{
    enum json_type found = json_next(reader).type;
    return found == JSON_ERROR ? reader->fault : found == type ? NULL : otherwise;
}

/* core.new_record(text, owner, class) -> record | nil, fault, offset. */
static int core_new_record(lua_State *L)
{
    struct json_reader reader;
    begin_text(L, &reader);
    const char *fault = expect(&reader, JSON_OBJECT, "not an object");
    if (!fault)
        fault = push_record(L, &reader, 0);
    if (!fault)
        fault = expect(&reader, JSON_END, NULL);
    return fault ? json_push_fault(L, fault, &reader) : 1;
}

/* core.new_records(text, owner, class) -> list of records, for a list of objects | nil, fault,
 * offset. */
static int core_new_records(lua_State *L)
{
    struct json_reader reader;
    begin_text(L, &reader);
    lua_newtable(L);
    const char *fault = expect(&reader, JSON_ARRAY, "not a list");
    for (int place = 1; !fault; place++) {
        struct json_token token = json_next(&reader);
        if (token.type == JSON_ARRAY_END)
            break;
        if (token.type == JSON_OBJECT)
            fault = push_record(L, &reader, token.start);
        else
            fault = token.type == JSON_ERROR ? reader.fault : "an item is not an object";
        if (!fault)
            lua_rawseti(L, 4, place);
    }
    if (!fault)
        fault = expect(&reader, JSON_END, NULL);
    return fault ? json_push_fault(L, fault, &reader) : 1;
}

/* ---- reading ---- */

/* Pushes the table of the record at 1, and the text, which it returns. */
static const char *push_table(lua_State *L, const struct record_object *record)
{
    size_t length;
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, TEXT);
    const char *text = lua_tolstring(L, -1, &length);
    if (!text || length != record->length)
        luaL_error(L, "the record has lost its text"); /* through the debug library */
    return text;
}

/* Pushes the value of a text that has been validated. */
static void push_value(lua_State *L, const char *text, size_t length, bool keep_nulls)
{
    struct json_reader reader;
    json_begin(&reader, text, length);
    if (!json_push_value(L, &reader, keep_nulls))
        luaL_error(L, "the record's text has changed"); /* through the debug library */
}

/* Pushes the value of a member that is not null, and caches it in the record's table at `table`
 * under the name at `name`. */
static void push_member(
    lua_State *L, int table, int name, const char *text, const struct member *member)
{
    push_value(L, text + member->value, member->value_length, false);
    lua_pushvalue(L, name);
    lua_pushvalue(L, -2);
    lua_rawset(L, table);
}

/* Pushes the value of the member whose name is at `name`; nil if it is absent or null. */
static void push_field(lua_State *L, int name)
{
    const struct record_object *record = check_record(L, 1);
    size_t length;
    const char *wanted = lua_tolstring(L, name, &length);
    const char *text = push_table(L, record);
    int table = lua_gettop(L) - 1;
    lua_pushvalue(L, name);
    lua_rawget(L, table);
    if (lua_isnil(L, -1)) {
        const struct member *member =
            record_find(text, record->members, record->count, wanted, length);
        if (member && member->type != JSON_NULL) {
            lua_pop(L, 1);
            push_member(L, table, name, text, member);
        }
    }
    lua_replace(L, table);
    lua_settop(L, table);
}

/* core.get(record, name) -> value of the field. */
static int core_get(lua_State *L)
{
    check_record(L, 1);
    luaL_checktype(L, 2, LUA_TSTRING);
    push_field(L, 2);
    return 1;
}

/* call:json(): the text that came, byte for byte.
 * ---@return string text */
static int record_json(lua_State *L)
{
    check_record(L, 1);
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, TEXT);
    return 1;
}

/* core.slice(record, name) -> the JSON text of a member; nil: none. */
static int core_slice(lua_State *L)
{
    const struct record_object *record = check_record(L, 1);
    size_t length;
    const char *name = luaL_checklstring(L, 2, &length);
    const char *text = push_table(L, record);
    const struct member *member = record_find(text, record->members, record->count, name, length);
    if (!member)
        return 0;
    lua_pushlstring(L, text + member->value, member->value_length);
    return 1;
}

/* call:totable(): the whole record, decoded; nulls are cekura.null.
 * ---@return table<string, any> record */
static int record_totable(lua_State *L)
{
    const struct record_object *record = check_record(L, 1);
    push_value(L, push_table(L, record), record->length, true);
    return 1;
}

/* core.record_fields(record [, except]) -> a table of all fields that are not null, except for the
 * one of that name. */
static int core_record_fields(lua_State *L)
{
    struct record_object *record = check_record(L, 1);
    lua_settop(L, 2);
    const char *text = push_table(L, record); /* at 3 and 4 */
    lua_newtable(L); /* at 5: first maps each name to the index of its last member */
    for (size_t i = 0; i < record->count; i++) {
        const struct member *member = &record->members[i];
        struct json_token name = {
            .start = member->name, .length = member->name_length, .escaped = member->name_escaped};
        json_push_string(L, text, &name);
        lua_pushinteger(L, (lua_Integer)i);
        lua_rawset(L, 5);
    }
    lua_pushnil(L);
    while (lua_next(L, 5)) {
        const struct member *member = &record->members[lua_tointeger(L, -1)];
        lua_pop(L, 1);
        int name = lua_gettop(L);
        lua_pushvalue(L, name);
        lua_pushvalue(L, name);
        lua_rawget(L, 3);
        if (member->type == JSON_NULL || lua_rawequal(L, name, 2)) {
            lua_pop(L, 1);
            lua_pushnil(L);
        } else if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            push_member(L, 3, name, text, member);
        }
        lua_rawset(L, 5); /* an existing key: the traversal stays valid */
    }
    return 1;
}

/* core.owner(record) -> the owner that it was made with. */
static int core_owner(lua_State *L)
{
    check_record(L, 1);
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, OWNER);
    return 1;
}

/* ---- classes ---- */

/* Pushes the class of the record at 1. */
static void push_class(lua_State *L)
{
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, CLASS);
    lua_replace(L, -2);
    if (!lua_istable(L, -1))
        luaL_error(L, "the record has lost its class"); /* by the debug library */
}

bool record_push_class_name(lua_State *L)
{
    if (!object_test(L, 1, &record_type))
        return false;
    push_class(L);
    lua_rawgeti(L, -1, NAME);
    lua_remove(L, -2);
    return true;
}

/* core.record_class(name) -> a class without methods but json and totable. */
static int core_record_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"json", record_json},
        {"totable", record_totable},
        {NULL, NULL},
    };
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_newtable(L);
    compat_set_functions(L, methods);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, NAME);
    return 1;
}

/* ---- metamethods ---- */

/* A method, else a field. */
static int record_index(lua_State *L)
{
    check_record(L, 1);
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    lua_settop(L, 2);
    push_class(L);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1))
        push_field(L, 2);
    return 1;
}

static int record_newindex(lua_State *L)
{
    check_record(L, 1);
    return luaL_error(L, "the fields of a record are read only");
}

static int record_pairs(lua_State *L)
{
    check_record(L, 1);
    lua_settop(L, 1);
    push_class(L);
    lua_getfield(L, -1, "fields");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
}

static int record_tostring(lua_State *L)
{
    check_record(L, 1);
    lua_settop(L, 1);
    lua_pushliteral(L, "id");
    push_field(L, 2);
    lua_pushliteral(L, "status");
    push_field(L, 4);
    const char *id = lua_tostring(L, 3), *status = lua_tostring(L, 5);
    record_push_class_name(L);
    const char *class = lua_tostring(L, -1);
    if (status)
        lua_pushfstring(L, "cekura.%s (%s: %s)", class, id ? id : "-", status);
    else
        lua_pushfstring(L, "cekura.%s (%s)", class, id ? id : "-");
    return 1;
}

void record_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", record_index},
        {"__newindex", record_newindex},
        {"__pairs", record_pairs},
        {"__tostring", record_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"record_class", core_record_class},
        {"new_record", core_new_record},
        {"new_records", core_new_records},
        {"get", core_get},
        {"slice", core_slice},
        {"record_fields", core_record_fields},
        {"owner", core_owner},
        {NULL, NULL},
    };
    object_open_type(L, &record_type, metamethods, functions);
}
