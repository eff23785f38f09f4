/* record.c - a call log as a userdata: its text, and where each member stands in it.
 *
 * A field is decoded when it is read, and kept in the record's own table, which also holds the text
 * and the client that the record came by. What the fields mean is the library's to say. */
#include "text/record.h"

#include "json.h"
#include "parts.h"

#include <string.h>

/* Places in a record's own table; its other keys are names of fields. */
enum { TEXT = 1, OWNER = 2 };

/* A call log has 33 members. One of more than these is read twice. */
#define USUAL_MEMBERS 64

const struct type call_log_type = {"cekura.call_log"};

struct record_object {
    size_t length; /* of the text */
    size_t count;
    struct member members[];
};

static struct record_object *check_record(lua_State *L, int index)
{
    return object_check(L, index, &call_log_type);
}

/* ---- making ---- */

/* Pushes the record of the object that the reader has just opened at `start`; its text is the
 * string at `text`, or if `slice` the object's part of it, its owner is at 2. NULL, or what is
 * wrong. */
static const char *push_record(
    lua_State *L, struct json_reader *reader, int text, size_t start, bool slice)
{
    struct member usual[USUAL_MEMBERS];
    struct json_reader again = *reader;
    size_t count, base = slice ? start : 0;
    const char *fault = record_read(reader, base, usual, USUAL_MEMBERS, &count);
    if (fault)
        return fault;
    luaL_checkstack(L, 6, NULL);
    struct record_object *record =
        object_new(L, &call_log_type, sizeof *record + count * sizeof *record->members);
    record->count = count;
    if (count <= USUAL_MEMBERS)
        memcpy(record->members, usual, count * sizeof *usual);
    else
        record_read(&again, base, record->members, count, &count);
    lua_createtable(L, OWNER, 0);
    if (slice)
        lua_pushlstring(L, reader->text + start, reader->offset - start);
    else
        lua_pushvalue(L, text);
    record->length = lua_rawlen(L, -1);
    lua_rawseti(L, -2, TEXT);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, OWNER);
    compat_set_table(L, -2);
    return NULL;
}

/* core.new_record(text, owner) -> record | nil, fault, offset. */
static int core_new_record(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct json_reader reader;
    lua_settop(L, 2);
    json_begin(&reader, text, length);
    struct json_token first = json_next(&reader);
    if (first.type == JSON_ERROR)
        return json_push_fault(L, reader.fault, &reader);
    if (first.type != JSON_OBJECT)
        return json_push_fault(L, "no object", &reader);
    const char *fault = push_record(L, &reader, 1, first.start, false);
    if (fault)
        return json_push_fault(L, fault, &reader);
    if (json_next(&reader).type != JSON_END)
        return json_push_fault(L, reader.fault, &reader);
    return 1;
}

/* core.new_records(text, owner) -> list of records, for a list of objects | nil, fault, offset. */
static int core_new_records(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct json_reader reader;
    lua_settop(L, 2);
    lua_newtable(L);
    json_begin(&reader, text, length);
    struct json_token token = json_next(&reader);
    if (token.type == JSON_ERROR)
        return json_push_fault(L, reader.fault, &reader);
    if (token.type != JSON_ARRAY)
        return json_push_fault(L, "no list", &reader);
    for (int place = 1;; place++) {
        token = json_next(&reader);
        if (token.type == JSON_ARRAY_END)
            break;
        if (token.type == JSON_ERROR)
            return json_push_fault(L, reader.fault, &reader);
        if (token.type != JSON_OBJECT)
            return json_push_fault(L, "no object in the list", &reader);
        const char *fault = push_record(L, &reader, 1, token.start, true);
        if (fault)
            return json_push_fault(L, fault, &reader);
        lua_rawseti(L, 3, place);
    }
    if (json_next(&reader).type != JSON_END)
        return json_push_fault(L, reader.fault, &reader);
    return 1;
}

/* ---- reading ---- */

/* The text of the record at 1. Pushes its own table, which holds it. */
static const char *push_table(lua_State *L, const struct record_object *record)
{
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, TEXT);
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) != record->length)
        luaL_error(L, "the record has lost its text"); /* by the debug library */
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

/* Pushes the value of a text that was read before. */
static void push_value(lua_State *L, const char *text, size_t length, bool keep_nulls)
{
    struct json_reader reader;
    json_begin(&reader, text, length);
    if (!json_push_value(L, &reader, keep_nulls))
        luaL_error(L, "the record's text is another now"); /* by the debug library */
}

/* Pushes the value of a member that is not null, and keeps it in the own table at `table`; its name
 * is at `name`. */
static void push_member(
    lua_State *L, int table, int name, const char *text, const struct member *member)
{
    push_value(L, text + member->value, member->value_length, false);
    lua_pushvalue(L, name);
    lua_pushvalue(L, -2);
    lua_rawset(L, table);
}

/* Pushes the value of the member whose name is at `name`; nil for none, and for null. */
static void push_field(lua_State *L, int name)
{
    const struct record_object *record = check_record(L, 1);
    size_t length;
    const char *wanted = lua_tolstring(L, name, &length);
    const char *text = push_table(L, record);
    int table = lua_gettop(L);
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
    lua_remove(L, table);
}

/* call:get(name) -> value of the field. */
static int record_get(lua_State *L)
{
    check_record(L, 1);
    luaL_argcheck(L, lua_type(L, 2) == LUA_TSTRING, 2, "the name of a field expected");
    push_field(L, 2);
    return 1;
}

/* call:json() -> the text that came. */
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

/* call:totable() -> all of it, nulls as cekura.null. */
static int record_totable(lua_State *L)
{
    const struct record_object *record = check_record(L, 1);
    push_value(L, push_table(L, record), record->length, true);
    return 1;
}

/* core.core_record_fields(record [, except]) -> table of all fields that are not null, but that
 * one. */
static int core_record_fields(lua_State *L)
{
    struct record_object *record = check_record(L, 1);
    lua_settop(L, 2);
    const char *text = push_table(L, record); /* at 3 */
    lua_newtable(L);                          /* at 4: first the place of each name's last member */
    for (size_t i = 0; i < record->count; i++) {
        const struct member *member = &record->members[i];
        struct json_token name = {
            .start = member->name, .length = member->name_length, .escaped = member->name_escaped};
        json_push_string(L, text, &name);
        lua_pushinteger(L, (lua_Integer)i);
        lua_rawset(L, 4);
    }
    lua_pushnil(L);
    while (lua_next(L, 4)) {
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
        lua_rawset(L, 4); /* of a name that is there: the traversal goes on */
    }
    return 1;
}

/* core.owner(record) -> what it was made with. */
static int core_owner(lua_State *L)
{
    check_record(L, 1);
    compat_get_table(L, 1);
    lua_rawgeti(L, -1, OWNER);
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
    object_push_method(L, &call_log_type, 2);
    if (lua_isnil(L, -1))
        push_field(L, 2);
    return 1;
}

static int record_newindex(lua_State *L)
{
    check_record(L, 1);
    return luaL_error(L, "the fields of a call log are read only");
}

static int record_pairs(lua_State *L)
{
    check_record(L, 1);
    return object_call_method(L, &call_log_type, "fields", 3);
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
    lua_pushfstring(L, "cekura.call_log (%s: %s)", id ? id : "-", status ? status : "-");
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
    static const luaL_Reg methods[] = {
        {"get", record_get},
        {"json", record_json},
        {"totable", record_totable},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"new_record", core_new_record},
        {"new_records", core_new_records},
        {"slice", core_slice},
        {"record_fields", core_record_fields},
        {"owner", core_owner},
        {NULL, NULL},
    };
    object_open_type(L, &call_log_type, metamethods, functions);
    object_open_methods(L, &call_log_type, methods, "call_log_methods");
}
