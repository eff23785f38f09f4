/* json_fuzzer.c - reads any bytes as JSON text, as a record, as a list of records, and as a string,
 * writes them as a string, and checks what json.h, record.h and number.h promise. */
#include "check.h"
#include "grammar.h"
#include "text/number.h"
#include "text/record.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct bytes {
    char *at;
    size_t length;
};

/* Memory of exactly that size, so that AddressSanitizer detects an access outside it. */
static struct bytes room_for(size_t length)
{
    struct bytes room = {malloc(length), length};
    if (!room.at && length)
        abort();
    return room;
}

static struct bytes copy_of(const char *text, size_t length)
{
    struct bytes copy = room_for(length);
    if (length)
        memcpy(copy.at, text, length);
    return copy;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.length == b.length && (!a.length || memcmp(a.at, b.at, a.length) == 0);
}

/* ---- strings ---- */

static struct bytes unescaped(const char *text, size_t length)
{
    struct bytes room = room_for(length);
    room.length = json_unescape(text, length, room.at);
    CHECK(room.length <= length);
    return room;
}

/* A string token decodes to UTF-8, which equals the token; similar bytes do not. */
static void check_string(const char *text, const struct json_token *token)
{
    const char *own = text + token->start;
    struct bytes meant = unescaped(own, token->length);
    struct bytes exact = copy_of(meant.at, meant.length);
    free(meant.at);
    CHECK(token->escaped == (token->length && memchr(own, '\\', token->length)));
    CHECK(token->escaped ? exact.length < token->length : exact.length == token->length);
    CHECK(json_is_utf8(own, token->length));
    CHECK(json_is_utf8(exact.at, exact.length));
    CHECK(json_equals(own, token->length, exact.at, exact.length));
    if (exact.length) {
        size_t place = token->start % exact.length;
        CHECK(!json_equals(own, token->length, exact.at, exact.length - 1));
        exact.at[place] = (char)(exact.at[place] ^ 1);
        CHECK(!json_equals(own, token->length, exact.at, exact.length));
    }
    free(exact.at);
}

/* Bytes that were not validated: there is no access outside them, and json_equals() agrees with
 * json_unescape(). */
static void check_any_bytes(const char *text, size_t size)
{
    struct bytes whole = unescaped(text, size), half = unescaped(text, size / 2);
    struct bytes rest = copy_of(text + size / 2, size - size / 2);
    if (json_equals(text, size / 2, rest.at, rest.length))
        CHECK(same(half, rest));
    if (!size || !memchr(text, '\\', size))
        CHECK(whole.length == size && json_equals(text, size, whole.at, whole.length));
    if (json_is_utf8(text, size / 2) && json_is_utf8(rest.at, rest.length))
        CHECK(json_is_utf8(text, size));
    free(whole.at);
    free(half.at);
    free(rest.at);
}

/* The text as a string is all of the text, if that is UTF-8, and reads back. Otherwise it ends
 * before the first invalid byte. */
static void check_written(const char *text, size_t size)
{
    struct bytes room = room_for(6 * size + 2 + JSON_WRITE_ROOM);
    const char *at = text;
    room.at[0] = '"';
    char *end = json_write(&at, text + size, room.at + 1, room.at + room.length - 1);
    CHECK((at == text + size) == json_is_utf8(text, size));
    *end++ = '"';
    struct bytes string = copy_of(room.at, (size_t)(end - room.at));
    free(room.at);
    struct json_reader reader;
    json_begin(&reader, string.at, string.length);
    struct json_token token = json_next(&reader);
    CHECK(token.type == JSON_STRING && json_next(&reader).type == JSON_END);
    CHECK(json_equals(string.at + 1, string.length - 2, text, (size_t)(at - text)));
    free(string.at);
}

/* ---- numbers ---- */

/* A number is read as by the C library, and what is written for it reads back. */
static void check_number(const char *text, const struct json_token *token)
{
    struct bytes number = room_for(token->length + 1);
    memcpy(number.at, text + token->start, token->length);
    number.at[token->length] = '\0';
    double value = number_read(number.at), expected = strtod(number.at, NULL);
    CHECK(memcmp(&value, &expected, sizeof value) == 0);
    if (isfinite(value)) {
        char written[NUMBER_MAX_LENGTH + 1];
        size_t length = number_write(value, written);
        CHECK(length <= NUMBER_MAX_LENGTH);
        written[length] = '\0';
        expected = strtod(written, NULL);
        CHECK(memcmp(&value, &expected, sizeof value) == 0);
    }
    if (token->type == JSON_INTEGER) {
        int64_t integer;
        errno = 0;
        long long wanted = strtoll(number.at, NULL, 10);
        bool fits = number_read_integer(number.at, token->length, &integer);
        CHECK(fits == (errno == 0) && (!fits || integer == wanted));
    }
    free(number.at);
}

/* ---- the whole text ---- */

/* Reads to the end. Tokens advance, stay in the text, and the last one repeats. */
static bool check_text(const char *text, size_t size)
{
    struct json_reader reader;
    struct json_token token;
    size_t reached = 0, tokens = 0;
    unsigned open = 0;
    json_begin(&reader, text, size);
    for (;;) {
        token = json_next(&reader);
        CHECK(token.start >= reached && token.length <= size && token.start <= size - token.length);
        CHECK(reader.offset <= size);
        reached = token.start + token.length;
        if (token.type == JSON_END || token.type == JSON_ERROR)
            break;
        CHECK(++tokens <= size);
        open += token.type == JSON_OBJECT || token.type == JSON_ARRAY;
        open -= token.type == JSON_OBJECT_END || token.type == JSON_ARRAY_END;
        CHECK(open == reader.depth && open <= JSON_MAX_DEPTH);
        if (token.type == JSON_STRING || token.type == JSON_KEY)
            check_string(text, &token);
        if (token.type == JSON_INTEGER || token.type == JSON_REAL)
            check_number(text, &token);
    }
    struct json_reader before = reader;
    CHECK(json_next(&reader).type == token.type && reader.offset == before.offset);
    CHECK(reader.fault == before.fault && (reader.fault == NULL) == (token.type == JSON_END));
    CHECK(token.type == JSON_ERROR || (reader.offset == size && !open));
    return token.type == JSON_END;
}

/* ---- records ---- */

/* A value by itself is a valid text of the same type. */
static void check_alone(const char *text, size_t length, uint8_t type)
{
    struct bytes alone = copy_of(text, length);
    struct json_reader reader;
    json_begin(&reader, alone.at, alone.length);
    struct json_token token = json_next(&reader);
    CHECK(token.type == type);
    CHECK(token.start == (type == JSON_STRING)); /* no space before it */
    size_t end = token.start + token.length;
    for (;;) {
        token = json_next(&reader);
        CHECK(token.type != JSON_ERROR);
        if (token.type == JSON_END)
            break;
        end = token.start + token.length;
    }
    CHECK(end + (type == JSON_STRING) == length); /* nor after it */
    free(alone.at);
}

static struct bytes meaning(const char *text, const struct member *member)
{
    return unescaped(text + member->name, member->name_length);
}

/* record_find() returns the last member of that name. */
static void check_find(
    const char *text, const struct member *members, size_t count, struct bytes name)
{
    const struct member *last = NULL;
    for (size_t i = 0; i < count; i++) {
        struct bytes own = meaning(text, &members[i]);
        if (same(own, name))
            last = &members[i];
        free(own.at);
    }
    CHECK(record_find(text, members, count, name.at, name.length) == last);
}

/* The members match the tokens of the record, in order. */
static void check_members(
    const char *text, size_t length, const struct member *members, size_t count)
{
    struct json_reader reader;
    size_t reached = 0, at = 0;
    json_begin(&reader, text, length);
    for (;;) {
        struct json_token token = json_next(&reader);
        CHECK(token.type != JSON_ERROR);
        if (token.type == JSON_END)
            break;
        if (token.type != JSON_KEY || reader.depth != 1)
            continue;
        CHECK(at < count);
        const struct member *member = &members[at++];
        CHECK(member->name > reached && member->name == token.start);
        CHECK(member->name_length == token.length && member->name_escaped == token.escaped);
        CHECK(member->value > member->name + member->name_length);
        reached = (size_t)member->value + member->value_length;
        CHECK(reached < length);
    }
    CHECK(at == count);
    for (size_t i = 0; i < count; i++)
        check_alone(text + members[i].value, members[i].value_length, members[i].type);
}

/* Reads the object whose opening brace the reader has just returned, at `base`: with no room, with
 * too little, with exactly enough, and from its text alone. The results must agree. */
static const char *check_record(struct json_reader *reader, size_t base)
{
    struct json_reader short_of_room = *reader, enough = *reader;
    struct member few[3], none = {.type = JSON_END}, *members;
    size_t count, count_few, count_all;
    const char *fault = record_read(reader, base, NULL, 0, &count);
    memset(few, 0xa5, sizeof few);
    few[2] = none;
    CHECK(record_read(&short_of_room, base, few, 2, &count_few) == fault);
    CHECK(few[2].type == JSON_END); /* nothing is written beyond the room */
    members = malloc(count * sizeof *members);
    CHECK(members || !count);
    CHECK(record_read(&enough, base, members, count, &count_all) == fault);
    CHECK(count_few == count && count_all == count);
    CHECK(short_of_room.offset == reader->offset && enough.offset == reader->offset);
    CHECK(fault == reader->fault);
    for (size_t i = 0; i < count && i < 2; i++)
        CHECK(few[i].name == members[i].name && few[i].value == members[i].value);
    if (!fault) {
        size_t length = reader->offset - base;
        struct bytes alone = copy_of(reader->text + base, length);
        CHECK(alone.at[0] == '{' && alone.at[length - 1] == '}');
        check_members(alone.at, alone.length, members, count);
        for (size_t i = 0; i < count && count <= 32; i++) {
            struct bytes name = meaning(alone.at, &members[i]);
            check_find(alone.at, members, count, name);
            free(name.at);
        }
        check_find(alone.at, members, count, (struct bytes){alone.at, 1});
        check_find(alone.at, members, count, (struct bytes){alone.at, 0});
        free(alone.at);
    }
    free(members);
    return fault;
}

/* Reads a record or a list of records, as the binding does. Returns false if the text is
 * neither. */
static bool check_records(const char *text, size_t size, bool *has_records)
{
    struct json_reader reader;
    json_begin(&reader, text, size);
    struct json_token token = json_next(&reader);
    *has_records = token.type == JSON_OBJECT || token.type == JSON_ARRAY;
    if (token.type == JSON_OBJECT && check_record(&reader, token.start))
        return false;
    if (token.type == JSON_ARRAY) {
        for (token = json_next(&reader); token.type == JSON_OBJECT; token = json_next(&reader))
            if (check_record(&reader, token.start))
                return false;
        *has_records = token.type == JSON_ARRAY_END || token.type == JSON_ERROR;
        if (token.type != JSON_ARRAY_END)
            return false;
    }
    return *has_records && json_next(&reader).type == JSON_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct bytes text = copy_of((const char *)input, size);
    bool has_records, accepted = check_text(text.at, size);
    CHECK(accepted == grammar_accepts((const unsigned char *)text.at, size, JSON_MAX_DEPTH));
    bool read = check_records(text.at, size, &has_records);
    CHECK(!has_records || read == accepted);
    CHECK(check_text(text.at, size) == accepted);
    check_any_bytes(text.at, size);
    check_written(text.at, size);
    CHECK(!size || memcmp(text.at, input, size) == 0); /* the input is unchanged */
    free(text.at);
    return 0;
}
