/* record_test.c - the index of an object's members.
 *
 * Every text, and the array of its members, is in memory of exactly its size, so that
 * AddressSanitizer detects an access outside it. */
#include "text/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct text {
    const char *bytes;
    size_t length;
};

/* A literal with its length, since a text may hold NUL. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

/* ---- a record in separate memory ---- */

struct record {
    char *text;
    struct json_reader reader; /* after the record, or at the fault */
    const char *fault;
    struct member *members; /* as many as there was room for */
    size_t room, count;
};

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    assert_true(memory || !size);
    return memory;
}

/* Reads the record at the start of the text, after any space, with that much room for members. */
static struct record read_with_room(struct text text, size_t room)
{
    struct record record = {.room = room};
    record.text = allocate(text.length);
    memcpy(record.text, text.bytes, text.length);
    record.members = allocate(room * sizeof *record.members);
    json_begin(&record.reader, record.text, text.length);
    if (json_next(&record.reader).type == JSON_OBJECT)
        record.fault = record_read(&record.reader, 0, record.members, room, &record.count);
    else
        record.fault = record.reader.fault ? record.reader.fault : "no object";
    return record;
}

static void free_record(struct record *record)
{
    free(record->members);
    free(record->text);
}

/* Reads it with exactly the room that it needs. */
static struct record read_record(struct text text)
{
    struct record first = read_with_room(text, 0);
    size_t count = first.fault ? 0 : first.count;
    free_record(&first);
    return read_with_room(text, count);
}

static struct record read_whole(struct text text)
{
    struct record record = read_record(text);
    if (record.fault)
        fail_msg("%.60s: %s at %zu", text.bytes, record.fault, record.reader.offset);
    assert_int_equal(json_next(&record.reader).type, JSON_END);
    return record;
}

static const struct member *find(const struct record *record, struct text name)
{
    char *wanted = allocate(name.length);
    memcpy(wanted, name.bytes, name.length);
    const struct member *found =
        record_find(record->text, record->members, record->count, wanted, name.length);
    free(wanted);
    return found;
}

struct expected {
    const char *name, *value; /* as they are written */
    enum json_type type;
    bool escaped;
};

static void assert_members(
    const struct record *record, const struct expected *expected, size_t count)
{
    const char *text = record->text;
    assert_int_equal(record->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &record->members[i];
        assert_int_equal(member->name_length, strlen(expected[i].name));
        assert_memory_equal(text + member->name, expected[i].name, member->name_length);
        assert_int_equal(member->value_length, strlen(expected[i].value));
        assert_memory_equal(text + member->value, expected[i].value, member->value_length);
        assert_int_equal(member->type, expected[i].type);
        assert_int_equal(member->name_escaped, expected[i].escaped);
    }
}

static void assert_reads_as(struct text text, const struct expected *expected, size_t count)
{
    struct record record = read_whole(text);
    assert_members(&record, expected, count);
    free_record(&record);
}

/* Whether a value is a valid JSON text by itself. */
static bool is_json(const char *bytes, size_t length)
{
    char *alone = allocate(length);
    struct json_reader reader;
    memcpy(alone, bytes, length);
    json_begin(&reader, alone, length);
    enum json_type type = json_next(&reader).type;
    while (type != JSON_END && type != JSON_ERROR)
        type = json_next(&reader).type;
    free(alone);
    return type == JSON_END;
}

/* ---- where things stand ---- */

static void each_kind_of_value_has_its_position(void **state)
{
    (void)state;
    const struct text text =
        TEXT("{\"id\":2142,\"r\":-1.5e3,\"s\":\"a\\nb\",\"t\":true,\"f\":false,"
             "\"n\":null,\"o\":{\"id\":1},\"l\":[1,2],\"e\":\"\",\"eo\":{},\"el\":[]}");
    const struct member expected[] = {
        {2, 6, 4, 2, JSON_INTEGER, false},
        {12, 15, 6, 1, JSON_REAL, false},
        {23, 26, 6, 1, JSON_STRING, false},
        {34, 37, 4, 1, JSON_TRUE, false},
        {43, 46, 5, 1, JSON_FALSE, false},
        {53, 56, 4, 1, JSON_NULL, false},
        {62, 65, 8, 1, JSON_OBJECT, false},
        {75, 78, 5, 1, JSON_ARRAY, false},
        {85, 88, 2, 1, JSON_STRING, false},
        {92, 96, 2, 2, JSON_OBJECT, false},
        {100, 104, 2, 2, JSON_ARRAY, false},
    };
    struct record record = read_whole(text);
    assert_int_equal(record.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct member *member = &record.members[i];
        assert_int_equal(member->name, expected[i].name);
        assert_int_equal(member->name_length, expected[i].name_length);
        assert_int_equal(member->value, expected[i].value);
        assert_int_equal(member->value_length, expected[i].value_length);
        assert_int_equal(member->type, expected[i].type);
        assert_false(member->name_escaped);
    }
    free_record(&record);
}

static void integers_are_distinguished_from_other_numbers(void **state)
{
    (void)state;
    const struct expected expected[] = {
        {"a", "0", JSON_INTEGER, false},
        {"b", "-0", JSON_INTEGER, false},
        {"c", "9007199254740993", JSON_INTEGER, false},
        {"d", "0.0", JSON_REAL, false},
        {"e", "1E5", JSON_REAL, false},
        {"f", "123456789012345678901234567890", JSON_INTEGER, false},
    };
    assert_reads_as(text_of("{\"a\":0,\"b\":-0,\"c\":9007199254740993,\"d\":0.0,\"e\":1E5,\"f\":"
                            "123456789012345678901234567890}"),
        expected, COUNT(expected));
}

/* Whatever a value contains. */
static void nested_values_are_skipped_whole(void **state)
{
    (void)state;
    const struct expected expected[] = {
        {"a", "{\"b\":{\"c\":[{\"d\":[[]]}]},\"id\":7}", JSON_OBJECT, false},
        {"b", "[\"]\",\"}\",\"\\\"\",{\"]\":\"{\"}]", JSON_ARRAY, false},
        {"c", "\"{\\\"id\\\":8,[\"", JSON_STRING, false},
        {"id", "9", JSON_INTEGER, false},
    };
    const struct text text =
        TEXT("{\"a\":{\"b\":{\"c\":[{\"d\":[[]]}]},\"id\":7},\"b\":[\"]\",\"}\",\"\\\"\",{\"]\":"
             "\"{\"}],\"c\":\"{\\\"id\\\":8,[\",\"id\":9}");
    assert_reads_as(text, expected, COUNT(expected));
    struct record record = read_whole(text);
    assert_ptr_equal(find(&record, text_of("id")), &record.members[3]);
    assert_null(find(&record, text_of("d")));
    free_record(&record);
}

/* Space around a value is not part of it; space inside it is. */
static void space_is_not_part_of_a_member(void **state)
{
    (void)state;
    const struct text spaces[] = {
        TEXT(""), TEXT(" "), TEXT("\t"), TEXT("\n"), TEXT("\r"), TEXT(" \t\r\n \t\r\n ")};
    const char *const parts[] = {"", "{", "\"a\"", ":", "12", ",", "\"b\"", ":", "[1, {\n}\t]", ",",
        "\"c\"", ":", "\" c \"", ",", "\"d\"", ":", "{ }", ",", "\"e\"", ":", "null", "}", ""};
    const struct expected expected[] = {
        {"a", "12", JSON_INTEGER, false},
        {"b", "[1, {\n}\t]", JSON_ARRAY, false},
        {"c", "\" c \"", JSON_STRING, false},
        {"d", "{ }", JSON_OBJECT, false},
        {"e", "null", JSON_NULL, false},
    };
    for (size_t i = 0; i < COUNT(spaces); i++) {
        char bytes[512];
        size_t length = 0;
        for (size_t k = 0; k < COUNT(parts); k++) {
            size_t part = strlen(parts[k]);
            memcpy(bytes + length, parts[k], part);
            length += part;
            if (k + 1 == COUNT(parts))
                break;
            memcpy(bytes + length, spaces[i].bytes, spaces[i].length);
            length += spaces[i].length;
        }
        assert_reads_as((struct text){bytes, length}, expected, COUNT(expected));
    }
}

static void an_object_may_be_empty(void **state)
{
    (void)state;
    const char *const texts[] = {"{}", " { } ", "{\n\t\r}"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct record record = read_whole(text_of(texts[i]));
        assert_int_equal(record.count, 0);
        assert_null(find(&record, text_of("")));
        assert_null(find(&record, text_of("a")));
        free_record(&record);
    }
}

/* The caller reads what follows the object. */
static void the_reader_stops_after_the_object(void **state)
{
    (void)state;
    struct record record = read_with_room(text_of("{\"a\":{}} x"), 1);
    assert_null(record.fault);
    assert_int_equal(record.reader.offset, 8);
    assert_int_equal(json_next(&record.reader).type, JSON_ERROR);
    assert_int_equal(record.reader.offset, 9);
    free_record(&record);
}

/* ---- records in a list ---- */

/* A record within a text has the same index as its part of the text alone. */
static void a_record_in_a_list_counts_from_its_own_start(void **state)
{
    (void)state;
    const char *const slices[] = {
        "{}", "{\"a\":1}", "{ \"a\\u0062\" : [1, {\"a\": 2}], \"a\":\"\"}", "{\"x\":{\"y\":[]}\n}"};
    char bytes[256] = "  [ ";
    for (size_t i = 0; i < COUNT(slices); i++) {
        strcat(bytes, i ? ",\n " : "");
        strcat(bytes, slices[i]);
    }
    strcat(bytes, " ]");
    struct json_reader reader;
    json_begin(&reader, bytes, strlen(bytes));
    assert_int_equal(json_next(&reader).type, JSON_ARRAY);
    for (size_t i = 0; i < COUNT(slices); i++) {
        struct member members[2] = {{0}};
        size_t count;
        struct json_token token = json_next(&reader);
        assert_int_equal(token.type, JSON_OBJECT);
        assert_null(record_read(&reader, token.start, members, COUNT(members), &count));
        struct text slice = {bytes + token.start, reader.offset - token.start};
        assert_int_equal(slice.length, strlen(slices[i]));
        assert_memory_equal(slice.bytes, slices[i], slice.length);
        struct record alone = read_whole(slice);
        assert_int_equal(alone.count, count);
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(members[k].name, alone.members[k].name);
            assert_int_equal(members[k].name_length, alone.members[k].name_length);
            assert_int_equal(members[k].value, alone.members[k].value);
            assert_int_equal(members[k].value_length, alone.members[k].value_length);
            assert_int_equal(members[k].type, alone.members[k].type);
            assert_int_equal(members[k].name_escaped, alone.members[k].name_escaped);
        }
        free_record(&alone);
    }
    assert_int_equal(json_next(&reader).type, JSON_ARRAY_END);
    assert_int_equal(json_next(&reader).type, JSON_END);
}

/* ---- room ---- */

static struct text with_members(char *room, size_t size, size_t count)
{
    size_t length = 1;
    room[0] = '{';
    for (size_t i = 0; i < count; i++)
        length +=
            (size_t)snprintf(room + length, size - length, "%s\"m%zu\":[%zu]", i ? "," : "", i, i);
    room[length++] = '}';
    return (struct text){room, length};
}

static void members_beyond_the_room_are_counted(void **state)
{
    (void)state;
    char bytes[4096];
    const size_t counts[] = {0, 1, 2, 63, 64, 65, 200};
    for (size_t c = 0; c < COUNT(counts); c++) {
        struct text text = with_members(bytes, sizeof bytes, counts[c]);
        struct record all = read_whole(text);
        assert_int_equal(all.count, counts[c]);
        for (size_t room = 0; room <= counts[c] + 1; room++) {
            struct record some = read_with_room(text, room);
            size_t kept = room < counts[c] ? room : counts[c];
            assert_null(some.fault);
            assert_int_equal(some.count, counts[c]);
            assert_int_equal(some.reader.offset, text.length);
            for (size_t i = 0; i < kept; i++) {
                assert_int_equal(some.members[i].name, all.members[i].name);
                assert_int_equal(some.members[i].value, all.members[i].value);
            }
            free_record(&some);
        }
        free_record(&all);
    }
}

static void a_copy_of_the_reader_reads_the_same_again(void **state)
{
    (void)state;
    char bytes[4096];
    struct text text = with_members(bytes, sizeof bytes, 100);
    struct json_reader reader, again;
    size_t count, count_again;
    json_begin(&reader, text.bytes, text.length);
    assert_int_equal(json_next(&reader).type, JSON_OBJECT);
    again = reader;
    assert_null(record_read(&reader, 0, NULL, 0, &count));
    assert_int_equal(count, 100);
    struct member *members = allocate(count * sizeof *members);
    assert_null(record_read(&again, 0, members, count, &count_again));
    assert_int_equal(count_again, count);
    assert_int_equal(again.offset, reader.offset);
    for (size_t i = 0; i < count; i++) {
        char name[8];
        size_t length = (size_t)snprintf(name, sizeof name, "m%zu", i);
        assert_ptr_equal(record_find(text.bytes, members, count, name, length), &members[i]);
    }
    free(members);
}

/* ---- names ---- */

struct search {
    struct text text, name;
    int found; /* which member, from 0; -1: none */
};

static void assert_found(const struct search *searches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct record record = read_whole(searches[i].text);
        const struct member *member = find(&record, searches[i].name);
        int found = member ? (int)(member - record.members) : -1;
        if (found != searches[i].found)
            fail_msg("search %zu, in %s: member %d", i, searches[i].text.bytes, found);
        free_record(&record);
    }
}

static void a_name_is_found_whole_or_not_at_all(void **state)
{
    (void)state;
    const struct search searches[] = {
        {TEXT("{\"status\":1}"), TEXT("status"), 0},
        {TEXT("{\"status\":1}"), TEXT("statu"), -1},
        {TEXT("{\"status\":1}"), TEXT("status "), -1},
        {TEXT("{\"status\":1}"), TEXT("Status"), -1},
        {TEXT("{\"status\":1}"), TEXT(""), -1},
        {TEXT("{\"status\":1}"), TEXT("status\0"), -1},
        {TEXT("{\"status\":\"other\"}"), TEXT("other"), -1},
        {TEXT("{\"ab\":1,\"abc\":2,\"a\":3}"), TEXT("a"), 2},
        {TEXT("{\"ab\":1,\"abc\":2,\"a\":3}"), TEXT("abc"), 1},
        {TEXT("{\"\":1}"), TEXT(""), 0},
        {TEXT("{\"a\":1,\"\":2,\"b\":3}"), TEXT(""), 1},
        {TEXT("{\"\":1}"), TEXT("a"), -1},
        {TEXT("{\"\xc3\xa4\":1}"), TEXT("\xc3\xa4"), 0},
        {TEXT("{\"\xc3\xa4\":1}"), TEXT("\xc3"), -1},
    };
    assert_found(searches, COUNT(searches));
}

static void the_last_member_of_a_name_counts(void **state)
{
    (void)state;
    const struct search searches[] = {
        {TEXT("{\"a\":1,\"b\":2,\"a\":3}"), TEXT("a"), 2},
        {TEXT("{\"a\":1,\"b\":2,\"a\":null}"), TEXT("a"), 2},
        {TEXT("{\"a\":1,\"a\":2,\"b\":3}"), TEXT("a"), 1},
        {TEXT("{\"a\":1,\"\\u0061\":2}"), TEXT("a"), 1},
        {TEXT("{\"\\u0061\":1,\"a\":2}"), TEXT("a"), 1},
        {TEXT("{\"\\u0061\":1,\"b\":2,\"\\u0061\":3}"), TEXT("a"), 2},
        {TEXT("{\"\":1,\"\":2}"), TEXT(""), 1},
    };
    assert_found(searches, COUNT(searches));
    const struct expected expected[] = {
        {"a", "1", JSON_INTEGER, false},
        {"\\u0061", "[]", JSON_ARRAY, true},
        {"a", "3", JSON_INTEGER, false},
    };
    assert_reads_as(text_of("{\"a\":1,\"\\u0061\":[],\"a\":3}"), expected,
        COUNT(expected)); /* all are indexed */
}

static void an_escaped_name_is_found_decoded(void **state)
{
    (void)state;
    const struct search searches[] = {
        {TEXT("{\"\\u0073tatu\\u0073\":1}"), TEXT("status"), 0},
        {TEXT("{\"\\u0073tatu\\u0073\":1}"), TEXT("statu"), -1},
        {TEXT("{\"\\u0073tatu\\u0073\":1}"), TEXT("statusx"), -1},
        {TEXT("{\"\\u0073tatu\\u0073\":1}"), TEXT("\\u0073tatu\\u0073"), -1},
        {TEXT("{\"\\u0073tatu\\u0073\":1}"), TEXT(""), -1},
        {TEXT("{\"a\\\"b\":1}"), TEXT("a\"b"), 0},
        {TEXT("{\"a\\\\\":1}"), TEXT("a\\"), 0},
        {TEXT("{\"a\\/b\":1,\"a/b\":2}"), TEXT("a/b"), 1},
        {TEXT("{\"a/b\":1,\"a\\/b\":2}"), TEXT("a/b"), 1},
        {TEXT("{\"\\b\\f\\n\\r\\t\":1}"), TEXT("\b\f\n\r\t"), 0},
        {TEXT("{\"\\n\":1}"), TEXT("n"), -1},
        {TEXT("{\"\\u0000\":1}"), TEXT("\0"), 0},
        {TEXT("{\"\\u0000\":1}"), TEXT(""), -1},
        {TEXT("{\"a\\u0000b\":1}"), TEXT("a\0b"), 0},
        {TEXT("{\"a\\u0000b\":1}"), TEXT("a"), -1},
        {TEXT("{\"a\\u0000b\":1}"), TEXT("a\0c"), -1},
        {TEXT("{\"\\u00e4\":1}"), TEXT("\xc3\xa4"), 0},
        {TEXT("{\"\\u00E4\":1}"), TEXT("\xe4"), -1},
        {TEXT("{\"\\u20ac\":1}"), TEXT("\xe2\x82\xac"), 0},
        {TEXT("{\"\\ud83d\\ude00\":1}"), TEXT("\xf0\x9f\x98\x80"), 0},
        {TEXT("{\"\\ud83d\\ude00\":1}"), TEXT("\xf0\x9f\x98"), -1},
        {TEXT("{\"x\\ud83d\\ude00y\":1}"), TEXT("x\xf0\x9f\x98\x80y"), 0},
        {TEXT("{\"\\ud83d\\ude00\":1}"), TEXT("\xf0\x9f\x98\x81"), -1},
        {TEXT("{\"\\udbff\\udfff\":1}"), TEXT("\xf4\x8f\xbf\xbf"), 0},
        {TEXT("{\"a\\ud83d\":1}"), TEXT("a\xef\xbf\xbd"), 0},
        {TEXT("{\"\\ud83d\":1,\"\\ude00\":2}"), TEXT("\xef\xbf\xbd"), 1},
        {TEXT("{\"\\ud83d\":1}"), TEXT("\\ud83d"), -1},
    };
    assert_found(searches, COUNT(searches));
}

/* ---- what is wrong ---- */

#define RICH                                                                                       \
    " {\"id\" : 2142,\"duration\":\"01:10\",\"tr\\u0061nscript\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t"    \
    "\\u00e9\\ud83d\\ude00\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 and plain enough for eight\","      \
    "\"success\":true,\"is_reviewed\":false,\"rubric\":null,\t\"score\":-0.5e+3,"                  \
    "\"evaluation\":{\"metrics\":[{\"id\":1,\"explanation\":[\"\"]},{}]},\r\n\"\":[],\"id\":1}"

/* The memory ends where the text does. */
static void a_truncated_text_is_a_fault_at_every_length(void **state)
{
    (void)state;
    const struct text text = TEXT(RICH);
    struct record whole = read_whole(text);
    assert_int_equal(whole.count, 10);
    for (size_t length = 0; length < text.length; length++) {
        struct record part = read_with_room((struct text){text.bytes, length}, whole.count);
        assert_non_null(part.fault);
        assert_in_range(part.reader.offset, 0, length);
        assert_in_range(part.count, 0, whole.count);
        free_record(&part);
    }
    free_record(&whole);
}

/* The index accepts the same texts as the reader, and every value in it is a valid text by
 * itself. */
static void any_wrong_byte_is_judged_as_by_the_reader(void **state)
{
    (void)state;
    char bytes[] = RICH;
    const struct text text = {bytes, sizeof bytes - 1};
    unsigned accepted = 0;
    for (size_t i = 0; i < text.length; i++) {
        char right = bytes[i];
        for (int c = 0; c < 256; c++) {
            bytes[i] = (char)c;
            struct record record = read_with_room(text, 16);
            bool whole = !record.fault && json_next(&record.reader).type == JSON_END;
            if (whole != is_json(text.bytes, text.length))
                fail_msg("byte %zu as %02x is judged otherwise", i, (unsigned)c);
            accepted += whole;
            for (size_t k = 0; whole && k < record.count; k++) {
                const struct member *member = &record.members[k];
                assert_in_range(member->value + member->value_length, 0, text.length);
                assert_true(is_json(record.text + member->value, member->value_length));
                assert_true(is_json(record.text + member->name - 1, member->name_length + 2));
            }
            free_record(&record);
        }
        bytes[i] = right;
    }
    assert_true(accepted > text.length);
}

static void a_fault_has_its_offset(void **state)
{
    (void)state;
    const struct {
        struct text text;
        size_t offset;
        const char *words;
    } faults[] = {
        {TEXT("{"), 1, "unfinished"},
        {TEXT("{\"a"), 3, "unfinished"},
        {TEXT("{\"a\":"), 5, "unfinished"},
        {TEXT("{\"a\":1"), 6, "unfinished"},
        {TEXT("{\"a\":1,"), 7, "unfinished"},
        {TEXT("{\"a\":[1"), 7, "unfinished"},
        {TEXT("{\"a\":{\"b\":1"), 11, "unfinished"},
        {TEXT("{1:2}"), 1, "missing name"},
        {TEXT("{a:2}"), 1, "missing name"},
        {TEXT("{\"a\":1,}"), 7, "missing name"},
        {TEXT("{\"a\":1,,}"), 7, "missing name"},
        {TEXT("{\"a\" 1}"), 5, "colon"},
        {TEXT("{\"a\":1 \"b\":2}"), 7, "comma"},
        {TEXT("{\"a\":1]"), 6, "comma"},
        {TEXT("{\"a\":}"), 5, "not a JSON value"},
        {TEXT("{\"a\":x}"), 5, "not a JSON value"},
        {TEXT("{\"a\":nul}"), 5, "unknown word"},
        {TEXT("{\"a\":01}"), 6, "comma"},
        {TEXT("{\"a\":1.}"), 7, "digit"},
        {TEXT("{\"a\\x\":1}"), 3, "escape"},
        {TEXT("{\"\\ud83\":1}"), 2, "escape"},
        {TEXT("{\"a\x1f\":1}"), 3, "control"},
        {TEXT("{\"a\xff\":1}"), 3, "UTF-8"},
        {TEXT("{\"a\":\"b\xc3\"}"), 7, "UTF-8"},
        {TEXT("{\"a\":\"b\nc\"}"), 7, "control"},
        {TEXT("{\"a\":[1 2]}"), 8, "comma"},
        {TEXT("{\"a\":[}]}"), 6, "not a JSON value"},
        {TEXT("{\"a\":{\"b\":[1,{\"c\":\"\\q\"}]}}"), 19, "escape"},
        {TEXT("{\"a\":1\0}"), 6, "comma"},
    };
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct record record = read_with_room(faults[i].text, 4);
        if (!record.fault || !strstr(record.fault, faults[i].words) ||
            record.reader.offset != faults[i].offset)
            fail_msg("%s: '%s' at %zu", faults[i].text.bytes,
                record.fault ? record.fault : "no fault", record.reader.offset);
        assert_ptr_equal(record.fault, record.reader.fault);
        free_record(&record);
    }
}

/* The record itself is one level, and so is each container around it. */
static void a_member_nests_511_deep_and_no_deeper(void **state)
{
    (void)state;
    char bytes[8 * JSON_MAX_DEPTH];
    for (size_t around = 0; around < 2; around++) {
        for (size_t depth = JSON_MAX_DEPTH - 1; depth <= JSON_MAX_DEPTH + 1; depth++) {
            size_t inside = depth - 1 - around, length = 0;
            struct member member;
            struct json_reader reader;
            size_t count;
            if (around)
                bytes[length++] = '[';
            memcpy(bytes + length, "{\"a\":", 5);
            length += 5;
            memset(bytes + length, '[', inside);
            memset(bytes + length + inside, ']', inside);
            length += 2 * inside;
            bytes[length++] = '}';
            if (around)
                bytes[length++] = ']';
            json_begin(&reader, bytes, length);
            if (around)
                assert_int_equal(json_next(&reader).type, JSON_ARRAY);
            assert_int_equal(json_next(&reader).type, JSON_OBJECT);
            const char *fault = record_read(&reader, around, &member, 1, &count);
            if (depth > JSON_MAX_DEPTH) {
                assert_string_equal(fault, "nested too deeply");
                assert_int_equal(reader.offset, 5 + JSON_MAX_DEPTH - 1);
                continue;
            }
            assert_null(fault);
            assert_int_equal(count, 1);
            assert_int_equal(member.value_length, 2 * inside);
            assert_int_equal(reader.offset, length - around);
        }
    }
}

/* ---- the largest record ---- */

/* Any amount of memory full of 'x', by mapping the same pages repeatedly. */
static char *endless_x(size_t size, size_t piece)
{
    int file = memfd_create("x", 0);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, (off_t)piece), 0);
    char *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(memory != MAP_FAILED);
    for (size_t at = 0; at < size; at += piece)
        assert_true(mmap(memory + at, piece, PROT_READ | PROT_WRITE,
                        (at ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED, file, 0) == memory + at);
    memset(memory, 'x', piece);
    close(file);
    return memory;
}

/* Offsets have 32 bits, so with one byte more an offset would be wrong. */
static void an_object_of_4_gib_is_refused(void **state)
{
    (void)state;
    if (SIZE_MAX == UINT32_MAX)
        skip();
    const size_t piece = (size_t)4 << 20, size = ((size_t)UINT32_MAX + 1) + piece;
    char *memory = endless_x(size, piece);
    for (size_t length = UINT32_MAX; length <= (size_t)UINT32_MAX + 1; length++) {
        struct json_reader reader;
        struct member members[2];
        size_t count, last = 10;
        char *text = memory + piece; /* a changed page becomes private */
        memcpy(text, "{\"a\":\"x", 7);
        memcpy(text + length - last, "\",\"b\":999}", last);
        json_begin(&reader, text, length);
        assert_int_equal(json_next(&reader).type, JSON_OBJECT);
        const char *fault = record_read(&reader, 0, members, COUNT(members), &count);
        if (length > UINT32_MAX) {
            assert_string_equal(fault, "too large");
            continue;
        }
        assert_null(fault);
        assert_int_equal(count, 2);
        assert_int_equal(members[0].value_length, length - last - 4);
        assert_int_equal(members[1].value, length - 4);
        assert_int_equal(members[1].value_length, 3);
        memcpy(text + length - last, "xxxxxxxxxx", last);
    }
    munmap(memory, size);
}

/* The length of a name has 27 bits. */
static void a_name_of_128_mib_is_refused(void **state)
{
    (void)state;
    const size_t piece = (size_t)4 << 20, most = ((size_t)1 << 27) - 1;
    char *memory = endless_x(most + 2 * piece, piece);
    for (size_t length = most; length <= most + 1; length++) {
        struct json_reader reader;
        struct member member;
        size_t count;
        char *text = memory + piece;
        memcpy(text, "{\"", 2);
        memcpy(text + 2 + length, "\":1}", 4);
        json_begin(&reader, text, length + 6);
        assert_int_equal(json_next(&reader).type, JSON_OBJECT);
        const char *fault = record_read(&reader, 0, &member, 1, &count);
        if (length > most) {
            assert_string_equal(fault, "too large");
            continue;
        }
        assert_null(fault);
        assert_int_equal(member.name_length, length);
        memcpy(text + 2 + length, "xxxx", 4);
    }
    munmap(memory, most + 2 * piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_value_has_its_position),
        cmocka_unit_test(integers_are_distinguished_from_other_numbers),
        cmocka_unit_test(nested_values_are_skipped_whole),
        cmocka_unit_test(space_is_not_part_of_a_member),
        cmocka_unit_test(an_object_may_be_empty),
        cmocka_unit_test(the_reader_stops_after_the_object),
        cmocka_unit_test(a_record_in_a_list_counts_from_its_own_start),
        cmocka_unit_test(members_beyond_the_room_are_counted),
        cmocka_unit_test(a_copy_of_the_reader_reads_the_same_again),
        cmocka_unit_test(a_name_is_found_whole_or_not_at_all),
        cmocka_unit_test(the_last_member_of_a_name_counts),
        cmocka_unit_test(an_escaped_name_is_found_decoded),
        cmocka_unit_test(a_truncated_text_is_a_fault_at_every_length),
        cmocka_unit_test(any_wrong_byte_is_judged_as_by_the_reader),
        cmocka_unit_test(a_fault_has_its_offset),
        cmocka_unit_test(a_member_nests_511_deep_and_no_deeper),
        cmocka_unit_test(an_object_of_4_gib_is_refused),
        cmocka_unit_test(a_name_of_128_mib_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
