/* json_test.c - the strict reader of JSON text.
 *
 * Every text is read twice, from memory that ends where the text ends and from memory that begins
 * where it begins. A read outside it is a segmentation fault, which fails the test. */
#include "text/json.h"

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

/* ---- memory with guard pages ---- */

#define ROOM ((size_t)1 << 16) /* whole pages on every machine */

struct room {
    char *start, *end;
};

static struct room source, target;

static void make_room(struct room *room)
{
    char *pages =
        mmap(NULL, 3 * ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + ROOM, ROOM, PROT_READ | PROT_WRITE), 0);
    *room = (struct room){.start = pages + ROOM, .end = pages + 2 * ROOM};
}

static int make_rooms(void **state)
{
    (void)state;
    assert_int_equal(ROOM % (size_t)sysconf(_SC_PAGESIZE), 0);
    make_room(&source);
    make_room(&target);
    return 0;
}

static int free_rooms(void **state)
{
    (void)state;
    munmap(source.start - ROOM, 3 * ROOM);
    munmap(target.start - ROOM, 3 * ROOM);
    return 0;
}

/* A copy of the text directly before inaccessible memory. */
static const char *at_end(struct text text)
{
    assert_true(text.length <= ROOM);
    return memcpy(source.end - text.length, text.bytes, text.length);
}

/* A copy of the text directly after inaccessible memory. */
static const char *at_start(struct text text)
{
    assert_true(text.length <= ROOM);
    return memcpy(source.start, text.bytes, text.length);
}

/* ---- reading a whole text ---- */

struct reading {
    bool accepted;
    size_t offset, tokens;
};

/* Reads to the end or to a fault, and asserts that the offset never decreases. */
static struct reading read_placed(const char *text, size_t length)
{
    struct json_reader reader;
    struct json_token token;
    struct reading reading = {0};
    size_t reached = 0;
    json_begin(&reader, text, length);
    for (;;) {
        token = json_next(&reader);
        if (token.start < reached || token.start + token.length > length)
            fail_msg("a token stands at %zu + %zu, after %zu of %zu bytes", token.start,
                token.length, reached, length);
        reached = token.start + token.length;
        if (token.type == JSON_END || token.type == JSON_ERROR)
            break;
        if (++reading.tokens > length)
            fail_msg("more tokens than the %zu bytes of the text", length);
    }
    reading.accepted = token.type == JSON_END;
    reading.offset = reader.offset;
    if (reading.accepted ? reader.offset != length : !reader.fault || reader.offset > length)
        fail_msg("ended at %zu of %zu bytes with fault '%s'", reader.offset, length,
            reader.fault ? reader.fault : "none");
    if (json_next(&reader).type != token.type || reader.offset != reading.offset)
        fail_msg("the end does not stay");
    return reading;
}

static struct reading read_text(struct text text)
{
    struct reading reading = read_placed(at_end(text), text.length);
    struct reading again = read_placed(at_start(text), text.length);
    if (reading.accepted != again.accepted || reading.offset != again.offset ||
        reading.tokens != again.tokens)
        fail_msg("what lies around a text changes how it is read");
    return reading;
}

/* The text in printable form. */
static const char *shown(struct text text)
{
    static char line[400];
    size_t at = 0;
    for (size_t i = 0; i < text.length && at < sizeof line - 8; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        at += (size_t)snprintf(
            line + at, sizeof line - at, c >= ' ' && c < 0x7f ? "%c" : "<%02x>", c);
    }
    snprintf(line + at, sizeof line - at, "%s", at < sizeof line - 8 ? "" : "...");
    return line;
}

static void assert_accepted(struct text text)
{
    struct reading reading = read_text(text);
    if (!reading.accepted)
        fail_msg("rejected at byte %zu: %s", reading.offset, text.length ? shown(text) : "nothing");
}

static void assert_rejected(struct text text)
{
    if (read_text(text).accepted)
        fail_msg("accepted: %s", shown(text));
}

static void assert_all_accepted(const struct text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_accepted(texts[i]);
}

static void assert_all_rejected(const struct text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_rejected(texts[i]);
}

static struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

/* ---- values and structure ---- */

static void every_kind_of_value_may_be_the_whole_text(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("null"), TEXT("true"), TEXT("false"), TEXT("0"), TEXT("-1.5"),
        TEXT("\"\""), TEXT("\"text\""), TEXT("[]"), TEXT("{}")};
    assert_all_accepted(texts, COUNT(texts));
}

static void lists_and_objects_hold_any_values(void **state)
{
    (void)state;
    const struct text texts[] = {
        TEXT("[null]"),
        TEXT("[1,2,3]"),
        TEXT("[[],[[]],{}]"),
        TEXT("[true,false,null,1,\"a\",[],{}]"),
        TEXT("[\"]\"]"),
        TEXT("{\"a\":null}"),
        TEXT("{\"a\":1,\"b\":[],\"c\":{},\"d\":\"e\"}"),
        TEXT("{\"\":0}"),                    /* a name may be empty */
        TEXT("{\"a\":1,\"a\":2}"),           /* and may come twice: RFC 8259 leaves it open */
        TEXT("{\"a:b,}\":{\"]\":[\"{\"]}}"), /* and contain syntax */
        TEXT("{\"\\u0061\":1}"),
        TEXT("{\"a\\u0000b\":1}"),
    };
    assert_all_accepted(texts, COUNT(texts));
}

static void commas_colons_and_brackets_stand_where_they_must(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("["), TEXT("]"), TEXT("{"), TEXT("}"), TEXT("[}"), TEXT("{]"),
        TEXT("[1}"), TEXT("{\"a\":1]"), TEXT(","), TEXT(":"), TEXT("[,]"), TEXT("[1,]"),
        TEXT("[,1]"), TEXT("[1,,2]"), TEXT("[1 2]"), TEXT("[1:2]"), TEXT("[\"a\":1]"),
        TEXT("[\"a\" \"b\"]"), TEXT("[[] []]"), TEXT("[1,"), TEXT("[[1]"), TEXT("[1]]"),
        TEXT("{,}"), TEXT("{\"a\"}"), TEXT("{\"a\":}"), TEXT("{\"a\":1,}"), TEXT("{,\"a\":1}"),
        TEXT("{\"a\":1,,\"b\":2}"), TEXT("{\"a\":1 \"b\":2}"), TEXT("{\"a\" 1}"), TEXT("{\"a\",1}"),
        TEXT("{\"a\"::1}"), TEXT("{\"a\":1:2}"), TEXT("{:1}"), TEXT("{\"a\":1"), TEXT("{\"a\":"),
        TEXT("{\"a\""), TEXT("{\"a\":{}"), TEXT("{}}"), TEXT("{{}}"), TEXT("{[]:1}"),
        TEXT("{\"a\":[}"), TEXT("[{]}"), TEXT("{\"a\":1}}")};
    assert_all_rejected(texts, COUNT(texts));
}

static void the_name_of_a_member_is_a_string(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("{1:2}"), TEXT("{null:1}"), TEXT("{true:1}"), TEXT("{a:1}"),
        TEXT("{'a':1}"), TEXT("{\"a\":1,b:2}"), TEXT("{\"a\":1,1:2}"), TEXT("{-:1}")};
    assert_all_rejected(texts, COUNT(texts));
}

static void only_three_literals_are_known_and_their_case_matters(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("n"), TEXT("nul"), TEXT("nulL"), TEXT("NULL"), TEXT("Null"),
        TEXT("nullx"), TEXT("null0"), TEXT("nil"), TEXT("none"), TEXT("t"), TEXT("tru"),
        TEXT("True"), TEXT("truefalse"), TEXT("f"), TEXT("fals"), TEXT("FALSE"), TEXT("undefined"),
        TEXT("NaN"), TEXT("nan"), TEXT("Infinity"), TEXT("-Infinity"), TEXT("inf"), TEXT("[nul]"),
        TEXT("[t]"), TEXT("[true1]"), TEXT("[nullnull]"), TEXT("[NaN]"), TEXT("{\"a\":nul}"),
        TEXT("yes"), TEXT("a"), TEXT("null\"\""), TEXT("nu ll")};
    assert_all_rejected(texts, COUNT(texts));
}

static void what_only_javascript_knows_is_rejected(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("'a'"), TEXT("['a']"), TEXT("`a`"), TEXT("/* */1"),
        TEXT("1/* */"), TEXT("1//"), TEXT("#\n1"), TEXT("[1]//x"), TEXT("[1/**/,2]"), TEXT("(1)"),
        TEXT("1;"), TEXT("a=1"), TEXT("{a}"), TEXT("[...1]"), TEXT("\"a\"+\"b\""), TEXT("\\u0031"),
        TEXT("[\\n]"), TEXT("\"a\\\nb\""), TEXT("<a>"), TEXT("*"), TEXT("$"), TEXT("@")};
    assert_all_rejected(texts, COUNT(texts));
}

static void an_empty_text_is_rejected(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT(""), TEXT(" "), TEXT("\n\n\t \r")};
    assert_all_rejected(texts, COUNT(texts));
    struct json_reader reader;
    json_begin(&reader, NULL, 0);
    assert_int_equal(json_next(&reader).type, JSON_ERROR);
}

static void only_space_may_follow_the_value(void **state)
{
    (void)state;
    const struct text accepted[] = {TEXT("1 "), TEXT("1\n"), TEXT("{} \t\r\n"), TEXT("\"a\" ")};
    const struct text rejected[] = {TEXT("1 2"), TEXT("1,"), TEXT("[],"), TEXT("[][]"), TEXT("{}x"),
        TEXT("{} {}"), TEXT("\"a\"\"b\""), TEXT("null null"), TEXT("1\0"), TEXT("[]\0"),
        TEXT("{}\n\0"), TEXT("[] ]"), TEXT("1 \xef\xbb\xbf"), TEXT("\"a\"b")};
    assert_all_accepted(accepted, COUNT(accepted));
    assert_all_rejected(rejected, COUNT(rejected));
}

/* Exactly four of all bytes are space, wherever space is allowed. */
static void space_is_blank_tab_line_feed_and_carriage_return(void **state)
{
    (void)state;
    const char *const forms[] = {"~[]", "[]~", "[~]", "{~}", "[~1]", "[\"a\"~]", "[[]~,2]",
        "[[],~[]]", "{~\"a\":\"b\"}", "{\"a\"~:\"b\"}", "{\"a\":~\"b\"}", "{\"a\":\"b\"~}",
        "{\"a\":\"b\"~,\"c\":[]}", "{\"a\":\"b\",~\"c\":[]}"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        for (int c = 0; c < 256; c++) {
            if (c == '-' || (c >= '0' && c <= '9'))
                continue; /* could form a different number */
            char bytes[32];
            struct text text = {bytes, strlen(forms[i])};
            memcpy(bytes, forms[i], text.length);
            *(char *)memchr(bytes, '~', text.length) = (char)c;
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
                assert_accepted(text);
            else
                assert_rejected(text);
        }
    }
}

/* Some Windows programs begin every text with one; RFC 8259 forbids sending it. */
static void a_byte_order_mark_is_rejected(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("\xef\xbb\xbf{}"), TEXT("\xef\xbb\xbf"), TEXT("\xef\xbb{}"),
        TEXT("\xef{}"), TEXT("[\xef\xbb\xbf]"), TEXT("\xfe\xff\0{\0}"), TEXT("\xff\xfe{\0}\0"),
        TEXT("[\xc2\xa0]"),     /* no-break space */
        TEXT("[\xe2\x80\xa8]"), /* line separator */
        TEXT("[\xe2\x81\xa0]"), /* word joiner */
        TEXT("\0[\0]")};
    assert_all_rejected(texts, COUNT(texts));
}

/* A parser of C strings would stop there. */
static void a_nul_byte_does_not_end_the_text(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("\0"), TEXT("\0001"), TEXT("1\0002"), TEXT("[1\0]"),
        TEXT("[\0]"), TEXT("[1,\0]"), TEXT("{\0}"), TEXT("{\"a\"\0:1}"), TEXT("{\"a\":\0}"),
        TEXT("\"\0\""), TEXT("\"a\0b\""), TEXT("\"\\\0\""), TEXT("\"\\u000\0\""), TEXT("tru\0"),
        TEXT("1.\0"), TEXT("-\0"), TEXT("1e\0"), TEXT("{\"a\0\":1}")};
    assert_all_rejected(texts, COUNT(texts));
}

/* ---- numbers ---- */

struct number {
    struct text text;
    enum json_type type;
};

static void numbers_are_read_whole_and_classified_by_their_form(void **state)
{
    (void)state;
    const struct number numbers[] = {
        {TEXT("0"), JSON_INTEGER},
        {TEXT("-0"), JSON_INTEGER},
        {TEXT("7"), JSON_INTEGER},
        {TEXT("-7"), JSON_INTEGER},
        {TEXT("10"), JSON_INTEGER},
        {TEXT("1234567890"), JSON_INTEGER},
        {TEXT("9007199254740993"), JSON_INTEGER},
        {TEXT("9223372036854775808"), JSON_INTEGER},
        {TEXT("-123456789012345678901234567890123456789012345678901234567890"), JSON_INTEGER},
        {TEXT("0.0"), JSON_REAL},
        {TEXT("-0.0"), JSON_REAL},
        {TEXT("0.10"), JSON_REAL},
        {TEXT("1.5"), JSON_REAL},
        {TEXT("-123.000456"), JSON_REAL},
        {TEXT("0.00000000000000000000000000000000000000000000000000001"), JSON_REAL},
        {TEXT("1e1"), JSON_REAL},
        {TEXT("1E1"), JSON_REAL},
        {TEXT("1e+1"), JSON_REAL},
        {TEXT("1e-1"), JSON_REAL},
        {TEXT("1E+00"), JSON_REAL}, /* leading zeros are forbidden only in the integer part */
        {TEXT("0e0"), JSON_REAL},
        {TEXT("-0e-0"), JSON_REAL},
        {TEXT("1.5e10"), JSON_REAL},
        {TEXT("1e400"), JSON_REAL}, /* the caller limits the range of numbers */
        {TEXT("-1e-99999999999999999999"), JSON_REAL},
    };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct text text = numbers[i].text;
        struct json_reader reader;
        assert_accepted(text);
        json_begin(&reader, at_end(text), text.length);
        struct json_token token = json_next(&reader);
        assert_int_equal(token.type, numbers[i].type);
        assert_int_equal(token.start, 0);
        assert_int_equal(token.length, text.length);
        assert_false(token.escaped);
    }
}

static void malformed_numbers_are_rejected(void **state)
{
    (void)state;
    const char *const texts[] = {"01", "-01", "00", "-00", "000", "012", "00.5", "1.", "-1.", "0.",
        ".5", "-.5", ".", "-", "--1", "+1", "+", "+0", "1+1", "1-1", "-+1", "1e", "1E", "1e+",
        "1e-", "1e1.5", "1e1e1", "1ee1", "1.e1", "0.e1", ".e1", "e1", "1e++1", "1e+-1", "1.2.3",
        "1..2", "1.-2", "0x10", "0X1", "0b1", "0o7", "1_000", "1,5", "1 000", "1f", "1L", "1n",
        "- 1", "1 .5", "1. 5", "1 e1", "1e 1", "1a", "-a", "NaN", "-NaN", "Infinity", "-Infinity",
        "1#", "1/2", "\xef\xbc\x91", /* a full-width one */
        "\xd9\xa1",                  /* an Arabic one */
        "1\xe2\x82\x82"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        char wrapped[40];
        assert_rejected(text_of(texts[i]));
        snprintf(wrapped, sizeof wrapped, "{\"a\":%s}", texts[i]);
        assert_rejected(text_of(wrapped));
        if (strcmp(texts[i], "1,5") == 0) /* in a list these are two numbers */
            continue;
        snprintf(wrapped, sizeof wrapped, "[%s]", texts[i]);
        assert_rejected(text_of(wrapped));
    }
}

/* ---- strings ---- */

static void strings_hold_any_character_of_unicode(void **state)
{
    (void)state;
    const struct text texts[] = {
        TEXT("\"a\""),
        TEXT("\" \""),
        TEXT("\"/\""),
        TEXT("\"'\""),
        TEXT("\"\x7f\""),             /* DEL is not a control character here */
        TEXT("\"\xc2\x80\""),         /* U+0080, the first of two bytes, neither */
        TEXT("\"\xdf\xbf\""),         /* U+07FF, the last of them */
        TEXT("\"\xe0\xa0\x80\""),     /* U+0800, the first of three */
        TEXT("\"\xed\x9f\xbf\""),     /* U+D7FF, before the surrogates */
        TEXT("\"\xee\x80\x80\""),     /* U+E000, after them */
        TEXT("\"\xef\xbf\xbd\""),     /* U+FFFD */
        TEXT("\"\xef\xbf\xbf\""),     /* U+FFFF: a noncharacter, and well-formed */
        TEXT("\"\xf0\x90\x80\x80\""), /* U+10000, the first of four */
        TEXT("\"\xf4\x8f\xbf\xbf\""), /* U+10FFFF, the last */
        TEXT("\"\xef\xbb\xbf\""),     /* the byte order mark */
        TEXT("\"\xe2\x80\xa8\""),     /* the line separator, which JavaScript forbade */
        TEXT("\"\xcc\x81\""),         /* an accent with nothing below it */
        TEXT("\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z\""),
    };
    assert_all_accepted(texts, COUNT(texts));
}

static void an_unfinished_string_is_rejected(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("\""), TEXT("\"a"), TEXT("\"\\\""), TEXT("\"a\\\\\\\""),
        TEXT("[\"a]"), TEXT("{\"a:1}"), TEXT("\"\\"), TEXT("\"\\u"), TEXT("\"\\u00"),
        TEXT("\"\\u0061"), TEXT("\"\\ud83d"), TEXT("\"\\ud83d\\"), TEXT("\"\\ud83d\\u"),
        TEXT("\"\\ud83d\\ude0"), TEXT("\"\\ud83d\\ude00"), TEXT("\"\xc3"), TEXT("\"\xe2\x82"),
        TEXT("\"\xf0\x9f\x98")};
    assert_all_rejected(texts, COUNT(texts));
}

static void control_characters_in_strings_must_be_escaped(void **state)
{
    (void)state;
    for (int c = 0; c < 0x20; c++) {
        char text[16] = "\"a?b\"";
        text[2] = (char)c;
        assert_rejected((struct text){text, 5});
        memcpy(text, "{\"?\":0}", 7);
        text[2] = (char)c;
        assert_rejected((struct text){text, 7});
        snprintf(text, sizeof text, "\"a\\u%04xb\"", (unsigned)c);
        assert_accepted(text_of(text));
    }
}

/* Every byte after a backslash, followed by enough digits for \u. */
static void nine_escapes_are_known(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = "\"\\?0061\"";
        text[2] = (char)c;
        struct text escape = {text, sizeof text - 1};
        if (c != 0 && strchr("\"\\/bfnrtu", c)) {
            if (c == '"') /* the quote is escaped, the next one ends the string */
                assert_int_equal(read_text(escape).tokens, 1);
            assert_accepted(escape);
        } else {
            assert_rejected(escape);
        }
    }
}

static void an_escape_of_unicode_has_four_hex_digits(void **state)
{
    (void)state;
    const struct text rejected[] = {TEXT("\"\\u\""), TEXT("\"\\u1\""), TEXT("\"\\u12\""),
        TEXT("\"\\u123\""), TEXT("\"\\u 123\""), TEXT("\"\\u+123\""), TEXT("\"\\u-123\""),
        TEXT("\"\\u{61}\""), TEXT("\"\\U0061\""), TEXT("\"\\x61\""), TEXT("\"\\061\""),
        TEXT("\"\\u00\\u0061\"")};
    assert_all_rejected(rejected, COUNT(rejected));
    for (size_t place = 3; place < 7; place++) {
        for (int c = 0; c < 256; c++) {
            char text[] = "\"\\u1111\"";
            text[place] = (char)c;
            bool hex = c != 0 && strchr("0123456789abcdefABCDEF", c);
            if (hex)
                assert_accepted((struct text){text, sizeof text - 1});
            else
                assert_rejected((struct text){text, sizeof text - 1});
        }
    }
}

/* ---- surrogates ---- */

/* U+FFFD, as which half of a pair is read. */
#define HALF "\xef\xbf\xbd"

static bool is_surrogate(unsigned unit)
{
    return unit >= 0xd800 && unit <= 0xdfff;
}

static void every_unit_is_accepted_even_half_of_a_pair(void **state)
{
    (void)state;
    for (unsigned unit = 0; unit <= 0xffff; unit++) {
        char text[32];
        snprintf(text, sizeof text, unit % 2 ? "\"\\u%04x\"" : "\"\\u%04X\"", unit);
        assert_accepted(text_of(text));
        snprintf(text, sizeof text, "\"\\ud83d\\u%04x\"", unit);
        assert_accepted(text_of(text));
    }
    const struct text accepted[] = {
        TEXT("{\"\\ud83d\":1}"), TEXT("[\"\\udead\"]"), TEXT("\"\\ud83d\\ude00\\uD83D\\uDE00\"")};
    assert_all_accepted(accepted, COUNT(accepted));
}

static void after_half_of_a_pair_the_rules_are_the_same(void **state)
{
    (void)state;
    const struct text rejected[] = {TEXT("\"\\ud83d\\ude0\""), TEXT("\"\\ud83d\\ude0x\""),
        TEXT("\"\\ud83d\\Ude00\""), TEXT("\"\\ud83d\\u\""), TEXT("\"\\ud83d\\x\""),
        TEXT("\"\\ud83d\\\""), TEXT("\"\\ud83d\n\""), TEXT("\"\\ud83d\xed\xb8\x80\""),
        TEXT("\"\\ud83\"")};
    assert_all_rejected(rejected, COUNT(rejected));
}

/* ---- UTF-8 ---- */

/* Whether the reader accepts the bytes in a string. */
static bool is_string(const char *bytes, size_t length)
{
    char text[16] = "\"";
    memcpy(text + 1, bytes, length);
    text[1 + length] = '"';
    return read_text((struct text){text, length + 2}).accepted;
}

static bool is_utf8(const char *bytes, size_t length)
{
    return json_is_utf8(at_end((struct text){bytes, length}), length);
}

static void malformed_utf8_is_rejected(void **state)
{
    (void)state;
    const struct text texts[] = {
        TEXT("\x80"), /* the middle of a character, alone */
        TEXT("\xbf"),
        TEXT("\x80\x80\x80"),
        TEXT("\xc3"), /* its beginning, alone */
        TEXT("\xe2\x82"),
        TEXT("\xf0\x9f\x98"),
        TEXT("\xc3(") /* and with something else behind it */,
        TEXT("\xe2(\xac"),
        TEXT("\xe2\x82("),
        TEXT("\xf0(\x98\x80"),
        TEXT("\xf0\x9f(\x80"),
        TEXT("\xf0\x9f\x98("),
        TEXT("\xc3\xc3\xa4"),
        TEXT("\xc0\x80"), /* NUL, overlong in two bytes, three and four */
        TEXT("\xe0\x80\x80"),
        TEXT("\xf0\x80\x80\x80"),
        TEXT("\xc0\xaf"), /* a slash, likewise */
        TEXT("\xe0\x80\xaf"),
        TEXT("\xf0\x80\x80\xaf"),
        TEXT("\xc1\xbf"),         /* the largest that fits into one byte less */
        TEXT("\xe0\x9f\xbf"),     /* into two */
        TEXT("\xf0\x8f\xbf\xbf"), /* into three */
        TEXT("\xed\xa0\x80"),     /* surrogates: the first, the last, a pair */
        TEXT("\xed\xbf\xbf"),
        TEXT("\xed\xa0\xbd\xed\xb8\x80"),
        TEXT("\xf4\x90\x80\x80"), /* U+110000 */
        TEXT("\xf5\x80\x80\x80"),
        TEXT("\xf7\xbf\xbf\xbf"),
        TEXT("\xf8\x88\x80\x80\x80"), /* five bytes and six, from before RFC 3629 */
        TEXT("\xfc\x84\x80\x80\x80\x80"),
        TEXT("\xfe"),
        TEXT("\xff"),
        TEXT("\xe4"), /* Latin-1 */
        TEXT("\xe4h\xf6"),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char key[16] = "{\"";
        memcpy(key + 2, texts[i].bytes, texts[i].length);
        memcpy(key + 2 + texts[i].length, "\":1}", 4);
        assert_false(is_utf8(texts[i].bytes, texts[i].length));
        assert_false(is_string(texts[i].bytes, texts[i].length));
        assert_rejected((struct text){key, texts[i].length + 6});
        assert_rejected(texts[i]); /* outside of a string it is invalid, too */
    }
}

/* A reference encoder after the table of RFC 3629. */
static size_t encode(unsigned point, char *to)
{
    static const unsigned char first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)(first[length] | point);
    return length;
}

static void every_character_is_utf8_and_no_surrogate_is(void **state)
{
    (void)state;
    for (unsigned point = 0; point <= 0x10ffff; point++) {
        char bytes[4];
        size_t length = encode(point, bytes);
        bool character = !is_surrogate(point);
        if (is_utf8(bytes, length) != character)
            fail_msg("U+%04X is %staken for a character", point, character ? "not " : "");
        bool plain = point >= 0x20 && point != '"' && point != '\\';
        if (plain && point % 17 == 0 && is_string(bytes, length) != character)
            fail_msg("U+%04X is %saccepted in a string", point, character ? "not " : "");
    }
}

/* The test above shows that all characters are accepted. So if the number of accepted sequences of
 * a length equals the number of characters of that length, nothing else is accepted. */
static void nothing_else_of_up_to_three_bytes_is_utf8(void **state)
{
    (void)state;
    const unsigned one = 0x80, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
    unsigned count[4] = {0};
    char *bytes = source.end - 3;
    for (unsigned i = 0; i < 1 << 24; i++) {
        bytes[0] = (char)(i >> 16);
        bytes[1] = (char)(i >> 8 & 0xff);
        bytes[2] = (char)(i & 0xff);
        count[3] += json_is_utf8(bytes, 3);
        if (i < 1 << 16)
            count[2] += json_is_utf8(bytes + 1, 2);
        if (i < 1 << 8)
            count[1] += json_is_utf8(bytes + 2, 1);
    }
    assert_int_equal(count[1], one);
    assert_int_equal(count[2], one * one + two);
    assert_int_equal(count[3], one * one * one + 2 * one * two + three);
}

/* All sequences of four bytes are too many. For the last two bytes, the limits of their range are
 * enough. */
static void nothing_else_of_four_bytes_is_utf8(void **state)
{
    (void)state;
    static const unsigned char borders[] = {0x00, 0x22, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    unsigned count = 0;
    for (unsigned i = 0; i < 16 << 8; i++) {
        for (size_t k = 0; k < COUNT(borders) * COUNT(borders); k++) {
            char bytes[4] = {(char)(0xf0 | i >> 8), (char)(i & 0xff),
                (char)borders[k / COUNT(borders)], (char)borders[k % COUNT(borders)]};
            count += is_utf8(bytes, 4);
        }
    }
    /* One pair of first bytes for each block of 4096 characters, with 80 and BF for each of the two
     * others. */
    assert_int_equal(count, (0x110000 - 0x10000) / 0x1000 * 4);
}

static void a_string_and_json_is_utf8_agree(void **state)
{
    (void)state;
    static const unsigned char borders[] = {0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xed};
    for (unsigned i = 0; i < 1 << 16; i++) {
        for (size_t k = 0; k < COUNT(borders); k++) {
            char bytes[4] = {(char)(i >> 8), (char)(i & 0xff), (char)borders[k], (char)0x80};
            if (memchr(bytes, '"', 4) || memchr(bytes, '\\', 4) || (i >> 8) < 0x20 ||
                (i & 0xff) < 0x20)
                continue;
            for (size_t length = 1; length <= 4; length++)
                if (is_string(bytes, length) != is_utf8(bytes, length))
                    fail_msg("they differ about %s", shown((struct text){bytes, length}));
        }
    }
}

static void text_of_any_length_is_utf8_if_each_character_is(void **state)
{
    (void)state;
    assert_true(is_utf8("", 0));
    assert_true(json_is_utf8(NULL, 0));
    assert_true(is_utf8("a\0b", 3));
    const char good[] = "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 plain";
    assert_true(is_utf8(good, sizeof good - 1));
    for (size_t i = 0; i < sizeof good - 1; i++) {
        bool whole = (good[i] & 0xc0) != 0x80; /* a character begins here, so none is cut */
        assert_int_equal(is_utf8(good, i), whole);
        char broken[sizeof good];
        memcpy(broken, good, sizeof good);
        broken[i] = (char)0xff;
        assert_false(is_utf8(broken, sizeof good - 1));
    }
}

/* ---- depth ---- */

/* A value within that many levels, each an object or a list. */
static struct text nested(char *room, size_t levels, const bool *objects)
{
    char *to = room;
    for (size_t i = 0; i < levels; i++) {
        const char *opening = objects[i] ? "{\"\":" : "[";
        size_t length = strlen(opening);
        memcpy(to, opening, length);
        to += length;
    }
    *to++ = '0';
    for (size_t i = levels; i-- > 0;)
        *to++ = objects[i] ? '}' : ']';
    return (struct text){room, (size_t)(to - room)};
}

static void lists_and_objects_nest_512_deep_and_no_deeper(void **state)
{
    (void)state;
    char room[8 * JSON_MAX_DEPTH];
    bool objects[JSON_MAX_DEPTH + 1];
    assert_int_equal(JSON_MAX_DEPTH, 512);
    for (unsigned period = 0; period < 10; period++) {
        for (size_t i = 0; i <= JSON_MAX_DEPTH; i++) /* all lists, all objects, and mixed */
            objects[i] = period && i % period == 0;
        assert_accepted(nested(room, JSON_MAX_DEPTH, objects));
        assert_rejected(nested(room, JSON_MAX_DEPTH + 1, objects));
    }
}

static void empty_lists_and_objects_count_as_a_level(void **state)
{
    (void)state;
    char room[2 * JSON_MAX_DEPTH + 2];
    for (size_t depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
        memset(room, '[', depth);
        memset(room + depth, ']', depth);
        struct text text = {room, 2 * depth};
        bool fits = depth == JSON_MAX_DEPTH;
        assert_int_equal(read_text(text).accepted, fits);
        memcpy(room + depth - 1, "{}", 2);
        assert_int_equal(read_text(text).accepted, fits);
    }
}

/* A hostile text: it must end in a fault, not in a stack overflow. */
static void a_text_of_openings_is_rejected_where_it_gets_too_deep(void **state)
{
    (void)state;
    static char text[ROOM];
    memset(text, '[', sizeof text);
    struct reading reading = read_text((struct text){text, sizeof text});
    assert_false(reading.accepted);
    assert_int_equal(reading.offset, JSON_MAX_DEPTH);
    for (size_t i = 0; i + 4 < sizeof text; i += 4)
        memcpy(text + i, "{\"\":", 4);
    reading = read_text((struct text){text, sizeof text});
    assert_false(reading.accepted);
    assert_int_equal(reading.offset, 4 * JSON_MAX_DEPTH);
}

/* The limit is on open containers, not on all of them. */
static void any_number_of_lists_may_follow_each_other(void **state)
{
    (void)state;
    static char text[ROOM];
    size_t length = 1;
    text[0] = '[';
    while (length + 9 < sizeof text) {
        memcpy(text + length, "[{\"\":[]}],", 10);
        length += 10;
    }
    text[length - 1] = ']';
    assert_accepted((struct text){text, length});
}

/* The reader keeps one bit for each open container. Each is closed by the wrong bracket once, at
 * every depth, and once after other containers have used the same bits. */
static void each_opening_is_closed_by_the_matching_bracket(void **state)
{
    (void)state;
    char room[8 * 64];
    bool objects[64];
    uint32_t mix = 1;
    for (size_t i = 0; i < 64; i++) {
        mix = mix * 1664525 + 1013904223;
        objects[i] = mix >> 31;
    }
    struct text text = nested(room, 64, objects);
    assert_accepted(text);
    for (size_t i = text.length - 64; i < text.length; i++) {
        char right = room[i];
        room[i] = right == ']' ? '}' : ']';
        assert_rejected(text);
        room[i] = right;
    }
    const struct text again[] = {TEXT("[{\"a\":{}},[[]]]"), TEXT("[[[]],{\"a\":{}},[[]]]")};
    const struct text wrong[] = {TEXT("[{\"a\":{}},[[}]]"), TEXT("[{\"a\":{}},[[]}]"),
        TEXT("[[[]],{\"a\":{]}]"), TEXT("[[[]],{\"a\":{}]]")};
    assert_all_accepted(again, COUNT(again));
    assert_all_rejected(wrong, COUNT(wrong));
}

/* ---- whole documents ---- */

#define DOCUMENT                                                                                   \
    "{\"id\":2142,\"ok\":true,\"no\":false,\"none\":null,\"score\":-0.5e+3 "                       \
    ",\r\n\t\"list\":[1,[],{},"                                                                    \
    "\"\"],\"text\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\xc3\xa4\xe2\x82\xac"        \
    "\xf0\x9f\x98\x80\",\"k\\u0065y\":{\"a\":[{\"b\":0}]}}"

/* No proper prefix of the document is accepted. */
static void a_truncated_document_is_rejected_at_every_length(void **state)
{
    (void)state;
    const struct text document = TEXT(DOCUMENT);
    assert_accepted(document);
    for (size_t length = 0; length < document.length; length++)
        assert_rejected((struct text){document.bytes, length});
}

/* No wrong byte makes the reader read outside the text, or fail to end. */
static void a_document_with_any_wrong_byte_is_read_to_an_end(void **state)
{
    (void)state;
    char document[] = DOCUMENT;
    struct text text = {document, sizeof document - 1};
    unsigned accepted = 0;
    for (size_t i = 0; i < text.length; i++) {
        char right = document[i];
        for (int c = 0; c < 256; c++) {
            document[i] = (char)c;
            accepted += read_text(text).accepted;
            accepted += read_text((struct text){document, i + 1}).accepted;
        }
        document[i] = right;
    }
    assert_true(accepted > text.length); /* such as a digit in place of a digit */
}

/* A reference recognizer after the grammar of RFC 8259. Each function returns the end of its part,
 * or NULL. It lacks literals and escapes, which do not occur in the texts below. */
static const char *past(const char *at, const char *end, const char *set)
{
    while (at < end && strchr(set, *at))
        at++;
    return at;
}

static const char *past_digits(const char *at, const char *end)
{
    const char *after = past(at, end, "0123456789");
    return after > at ? after : NULL;
}

static const char *past_number(const char *at, const char *end)
{
    at += at < end && *at == '-';
    const char *after = past_digits(at, end);
    if (!after || (*at == '0' && after > at + 1))
        return NULL;
    if (after < end && *after == '.')
        after = past_digits(after + 1, end);
    if (after && after < end && *after == 'e') {
        after++;
        after = past_digits(after + (after < end && *after == '-'), end);
    }
    return after;
}

static const char *past_string(const char *at, const char *end)
{
    const char *quote = at < end && *at == '"' ? memchr(at + 1, '"', (size_t)(end - at) - 1) : NULL;
    return quote ? quote + 1 : NULL;
}

static const char *past_value(const char *at, const char *end);

static const char *past_member(const char *at, const char *end)
{
    at = past_string(past(at, end, " "), end);
    if (at)
        at = past(at, end, " ");
    return at && at < end && *at == ':' ? past_value(at + 1, end) : NULL;
}

static const char *past_container(const char *at, const char *end)
{
    bool object = *at++ == '{';
    char closing = object ? '}' : ']';
    const char *inside = past(at, end, " ");
    if (inside < end && *inside == closing)
        return inside + 1;
    for (;; at++) {
        at = object ? past_member(at, end) : past_value(at, end);
        if (!at || at == end)
            return NULL;
        if (*at == closing)
            return at + 1;
        if (*at != ',')
            return NULL;
    }
}

/* The value with the space around it. */
static const char *past_value(const char *at, const char *end)
{
    at = past(at, end, " ");
    if (at == end)
        return NULL;
    if (*at == '{' || *at == '[')
        at = past_container(at, end);
    else
        at = *at == '"' ? past_string(at, end) : past_number(at, end);
    return at ? past(at, end, " ") : NULL;
}

/* There are three million of them. */
static void every_text_of_up_to_six_signs_is_read_by_the_grammar(void **state)
{
    (void)state;
    static const char signs[] = "[]{},:\"0-.e ";
    const size_t base = sizeof signs - 1;
    size_t texts = 1;
    for (size_t length = 0; length <= 6; length++, texts *= base) {
        for (size_t n = 0; n < texts; n++) {
            char bytes[6];
            size_t left = n;
            for (size_t i = 0; i < length; i++, left /= base)
                bytes[i] = signs[left % base];
            struct text text = {bytes, length};
            bool expected = past_value(bytes, bytes + length) == bytes + length;
            if (read_text(text).accepted != expected)
                fail_msg("%s is %s", shown(text), expected ? "rejected" : "accepted");
        }
    }
}

/* ---- hard cases ---- */

/* Cases in which known JSON parsers fail, beyond those of the tests above. Most have a fault in the
 * middle of a text that begins and ends well, or several faults. */
static void hard_cases_follow_the_grammar(void **state)
{
    (void)state;
    const struct {
        struct text text;
        bool accepted;
    } cases[] = {
        /* structure */
        {TEXT("[\"a\",\n7\n,2,"), false},
        {TEXT("[0,,]"), false},
        {TEXT("[  , \"\"]"), false},
        {TEXT("[\"\"],"), false},
        {TEXT("[5[6]]"), false},
        {TEXT("[1;2]"), false},
        {TEXT("[1 true]"), false},
        {TEXT("[{}"), false},
        {TEXT("[{"), false},
        {TEXT("[,"), false},
        {TEXT("[["), false},
        {TEXT("{["), false},
        {TEXT("{,"), false},
        {TEXT("{\"a"), false},
        {TEXT("{'a'"), false},
        {TEXT("[\"a\""), false},
        {TEXT("['"), false},
        {TEXT("{\"a\":true,"), false},
        {TEXT("{\"a\",null}"), false},
        {TEXT("{[:\"a\"}"), false},
        {TEXT("{\"a\" b}"), false},
        {TEXT("{\"a\" \"b\"}"), false},
        {TEXT("{\"a\":\"b\" 77}"), false},
        {TEXT("{\"a\":1,,,,,}"), false},
        {TEXT("{\"a\":1,\"b\"}"), false},
        {TEXT("{\"a\":\"b"), false},
        {TEXT("{null:null,null:null}"), false},
        {TEXT("{8E8888:1}"), false},
        {TEXT("{\xf0\x9f\x8f\x94}"), false},
        {TEXT("[*]"), false},
        {TEXT("{}[]"), false},
        {TEXT("[]{}"), false},
        {TEXT("[[],[],[[]],{},{\"a\":[]}]"), true},
        {TEXT("{\"a\":1,\"a\":1,\"b\":{\"a\":1}}"), true},
        {TEXT("{\"a\":{},\"b\":[],\"c\":{\"\":{}}}"), true},
        {TEXT("[null, 5, \"5\", {}]"), true},
        {TEXT("[5,null,null,null,5]"), true},
        /* numbers */
        {TEXT("[-]"), false},
        {TEXT("[-,1]"), false},
        {TEXT("[-1.0.]"), false},
        {TEXT("[0.1.2]"), false},
        {TEXT("[0.5e+]"), false},
        {TEXT("[0e]"), false},
        {TEXT("[0E+]"), false},
        {TEXT("[0e+-1]"), false},
        {TEXT("[1eE2]"), false},
        {TEXT("[5.e+]"), false},
        {TEXT("[5.e5]"), false},
        {TEXT("[.-1]"), false},
        {TEXT("[.5e-5]"), false},
        {TEXT("[+Inf]"), false},
        {TEXT("[Inf]"), false},
        {TEXT("[-NaN]"), false},
        {TEXT("[-foo]"), false},
        {TEXT("[1ea]"), false},
        {TEXT("[1.2a-3]"), false},
        {TEXT("[1.5E-200H]"), false},
        {TEXT("[-012]"), false},
        {TEXT("[- 1]"), false},
        {TEXT("[1 000.0]"), false},
        {TEXT("[\xef\xbc\x91]"), false},
        {TEXT("[77\xe5]"), false},
        {TEXT("[0\xe5]"), false},
        {TEXT("[1e1\xe5]"), false},
        {TEXT("5@"), false},
        {TEXT("77\0"), false},
        {TEXT("-"), false},
        {TEXT("[0e+1]"), true},
        {TEXT("[0E1,0e-0,-0.0e+0]"), true},
        {TEXT("[-0]"), true},
        {TEXT("[1.5e0005]"), true},
        {TEXT("[7E77,-7e-77,77.777e7]"), true},
        {TEXT("[0.00000000000000000000000000000000000001e-99999999999999999999999]"), true},
        {TEXT("[ 4 ]"), true},
        /* literals */
        {TEXT("[nul"), false},
        {TEXT("[ true, fals"), false},
        {TEXT("[false, tru"), false},
        {TEXT("[\"a\", truth]"), false},
        {TEXT("[True]"), false},
        {TEXT("[nulltrue]"), false},
        {TEXT("[true\0]"), false},
        {TEXT("<null>"), false},
        {TEXT("\xc3\xa5"), false},
        {TEXT("a\xc3\xa5"), false},
        {TEXT("[\xc3\xa9]"), false},
        {TEXT("[null,true,false]"), true},
        /* strings and escapes */
        {TEXT("[\"\\\"]"), false},
        {TEXT("[\"\\\\\\\"]"), false},
        {TEXT("[\"\\"), false},
        {TEXT("[\"\\u00A\"]"), false},
        {TEXT("[\"\\uqqqq\"]"), false},
        {TEXT("[\"\\u\xe5\"]"), false},
        {TEXT("[\"\\\xe5\"]"), false},
        {TEXT("[\"\\\xf0\x9f\x98\x80\"]"), false},
        {TEXT("[\"\\\t\"]"), false},
        {TEXT("[\"\\a\"]"), false},
        {TEXT("[\"\\v\"]"), false},
        {TEXT("[\"\\0\"]"), false},
        {TEXT("[\"\\N\"]"), false},
        {TEXT("[\"\\'\"]"), false},
        {TEXT("[\\u0020\"a\"]"), false},
        {TEXT("[\\u000a\"\"]"), false},
        {TEXT("[a\\u0022]"), false},
        {TEXT("\"\"x"), false},
        {TEXT("\"a\\u0022"), false},
        {TEXT("[\"a\tb\"]"), false},
        {TEXT("[\"a\nb\"]"), false},
        {TEXT("[\"a\0a\"]"), false},
        {TEXT("[\"\x1f\"]"), false},
        {TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), true},
        {TEXT("[\"\\\\u0000\"]"), true},
        {TEXT("[\"\\\\\\\\\\\\\\\"\"]"), true},
        {TEXT("[\"\\u0022\\u005c\\u002F\\u0000\\u001f\\u007F\"]"), true},
        {TEXT("[\"/* no comment */ // this neither\"]"), true},
        {TEXT("[\"\x7f\"]"), true},
        /* surrogates */
        {TEXT("[\"\\uD800\\\"]"), false},
        {TEXT("[\"\\uD800\\u\"]"), false},
        {TEXT("[\"\\uD800\\u1\"]"), false},
        {TEXT("[\"\\uD800\\u1x\"]"), false},
        {TEXT("[\"\\uD800\\uD800\\x\"]"), false},
        {TEXT("[\"\\uD834\\uDd\"]"), false},
        {TEXT("[\"\\uDBFF\"]"), true},
        {TEXT("[\"\\uDfaa\"]"), true},
        {TEXT("[\"\\uD800\\n\"]"), true},
        {TEXT("[\"\\uD888\\u1234\"]"), true},
        {TEXT("[\"\\ud800abc\"]"), true},
        {TEXT("[\"\\uDd1e\\uD834\"]"), true},
        {TEXT("[\"a\\udc00\"]"), true},
        {TEXT("[\"\xed\xa0\x80\\udc00\"]"), false},
        {TEXT("[\"\\uDBFF\\uDFFE\\ud83f\\udffe\"]"), true}, /* noncharacters are characters here */
        {TEXT("[\"\\uFFFE\\uFDD0\\u2064\\u2028\"]"), true},
        /* UTF-8 */
        {TEXT("[\"\xff\"]"), false},
        {TEXT("[\"\xc0\xaf\"]"), false},
        {TEXT("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"), false},
        {TEXT("[\"\xe6\x97\xa5\xd1\x88\xfa\"]"), false},
        {TEXT("[\"\xf4\xbf\xbf\xbf\"]"), false},
        {TEXT("[\"\xe0\xff\"]"), false},
        {TEXT("[\"\x81\"]"), false},
        {TEXT("[\xff]"), false},
        {TEXT("[a\xe5]"), false},
        {TEXT("\xe5"), false},
        {TEXT("{\"\xb9\":\"0\",}"), false},
        {TEXT("\xef\xbb\xbf[]"), false},
        {TEXT("[]\xef\xbb\xbf"), false},
        {TEXT("\xff\xfe[\0\"\0\xe9\0\"\0]\0"), false}, /* UTF-16 of either order */
        {TEXT("\0[\0\"\0\xe9\0\"\0]"), false},
        {TEXT("[\"\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82\"]"), true},
        {TEXT("[\"\xef\xbf\xbf\xf0\x9b\xbf\xbf\xef\xbb\xbf\"]"), true},
        {TEXT("{\"\xd0\xb8\":\"\xd1\x8f\"}"), true},
        /* space */
        {TEXT("[\"\va\"\\f]"), false},
        {TEXT("[\f]"), false},
        {TEXT("[\v1]"), false},
        {TEXT("[\xc2\x85]"), false},     /* next line */
        {TEXT("[\xe3\x80\x80]"), false}, /* ideographic space */
        {TEXT("\xe2\x80\x8b[]"), false}, /* zero-width space */
        {TEXT("\t[\r\n]\n"), true},
        {TEXT(" {\"a\"\n:\r1\t} "), true},
        /* text after the value */
        {TEXT("{\"a\":1}#"), false},
        {TEXT("{\"a\":1}#{}"), false},
        {TEXT("{\"a\":1}/"), false},
        {TEXT("{\"a\":1}//"), false},
        {TEXT("{\"a\":1}/**/"), false},
        {TEXT("{\"a\":/*b*/1}"), false},
        {TEXT("{\"a\":true} \"b\""), false},
        {TEXT("[1]x"), false},
        {TEXT("1]"), false},
        {TEXT("[]]"), false},
        {TEXT("\"a\"]"), false},
        {TEXT("null\0"), false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].accepted)
            assert_accepted(cases[i].text);
        else
            assert_rejected(cases[i].text);
    }
}

/* ---- many bytes at once ---- */

/* Checks a string byte by byte, while the reader checks eight bytes at a time. Returns the offset
 * of its end or fault. The string must be ASCII without \u escapes. */
static size_t end_by_bytes(const char *text, size_t length, bool *whole, bool *escaped)
{
    *whole = *escaped = false;
    for (size_t at = 1; at < length; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c == '"') {
            *whole = true;
            return at;
        }
        if (c < 0x20 || c >= 0x80)
            return at;
        if (c != '\\')
            continue;
        if (at + 1 == length || !text[at + 1] || !strchr("\"\\/bfnrt", text[at + 1]))
            return at;
        *escaped = true;
        at++;
    }
    return length;
}

static void assert_read_as_by_bytes(struct text text)
{
    bool whole, escaped;
    size_t end = end_by_bytes(text.bytes, text.length, &whole, &escaped);
    const char *const places[] = {at_end(text), at_start(text)};
    for (size_t i = 0; i < COUNT(places); i++) {
        struct json_reader reader;
        json_begin(&reader, places[i], text.length);
        struct json_token token = json_next(&reader);
        if (token.type != (whole ? JSON_STRING : JSON_ERROR) || reader.offset != end + whole ||
            (whole && (token.start != 1 || token.length != end - 1 || token.escaped != escaped)))
            fail_msg("%s is read to %zu, by bytes to %zu", shown(text), reader.offset, end);
    }
}

/* Among bytes that differ by one bit from special ones, and the nearest ordinary ones. */
static const char fillers[] = "a #![]\x7f/";

static void special_bytes_are_found_anywhere_in_a_string(void **state)
{
    (void)state;
    for (size_t f = 0; f + 1 < sizeof fillers; f++) {
        for (size_t length = 1; length <= 41; length++) {
            char text[48] = "\"";
            memset(text + 1, fillers[f], length);
            text[1 + length] = '"';
            for (size_t place = 0; place < length; place++) {
                for (int c = 0; c < 256; c++) {
                    text[1 + place] = (char)c;
                    assert_read_as_by_bytes((struct text){text, length + 2});
                }
                text[1 + place] = fillers[f];
            }
        }
    }
}

/* The same without the closing quote. */
static void special_bytes_are_found_anywhere_in_an_unfinished_string(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 41; length++) {
        char text[48] = "\"";
        memset(text + 1, 'a', length);
        for (size_t place = 0; place < length; place++) {
            for (int c = 0; c < 256; c++) {
                text[1 + place] = (char)c;
                assert_read_as_by_bytes((struct text){text, length + 1});
            }
            text[1 + place] = 'a';
        }
    }
}

/* Even if both are in one word of eight bytes. */
static void the_first_of_two_special_bytes_counts(void **state)
{
    (void)state;
    static const unsigned char special[] = {
        0x00, 0x01, 0x1f, 0x20, 0x21, '"', 0x23, 0x5b, '\\', 0x5d, 0x7f, 0x80, 0xa2, 0xff};
    for (size_t first = 0; first < 20; first++) {
        for (size_t second = first + 1; second < 20; second++) {
            for (size_t k = 0; k < COUNT(special) * COUNT(special); k++) {
                char text[] = "\"aaaaaaaaaaaaaaaaaaaa\"";
                text[1 + first] = (char)special[k / COUNT(special)];
                text[1 + second] = (char)special[k % COUNT(special)];
                assert_read_as_by_bytes((struct text){text, sizeof text - 1});
            }
        }
    }
}

/* They may begin anywhere in a word, and end in the next. */
static void long_characters_and_escapes_may_begin_anywhere(void **state)
{
    (void)state;
    const struct text good[] = {TEXT("\xc3\xa4"), TEXT("\xe2\x82\xac"), TEXT("\xf0\x9f\x98\x80"),
        TEXT("\\\""), TEXT("\\\\"), TEXT("\\u0022"), TEXT("\\ud83d\\ude00")};
    const struct text bad[] = {TEXT("\xc3"), TEXT("\xe2\x82"), TEXT("\xf0\x9f\x98"),
        TEXT("\xf0\x9f\x98\\u0080"), TEXT("\\u002"), TEXT("\\ud83d\\ude0"), TEXT("\\ud83\"")};
    for (size_t before = 0; before < 18; before++) {
        for (size_t after = 0; after < 18; after++) {
            for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
                bool right = i < COUNT(good);
                struct text part = right ? good[i] : bad[i - COUNT(good)];
                char bytes[64] = "\"";
                size_t length = 1 + before + part.length + after;
                memset(bytes + 1, 'x', before + part.length + after);
                memcpy(bytes + 1 + before, part.bytes, part.length);
                bytes[length++] = '"';
                if (right)
                    assert_accepted((struct text){bytes, length});
                else
                    assert_rejected((struct text){bytes, length});
            }
        }
    }
}

/* ---- tokens ---- */

struct expected {
    enum json_type type;
    size_t start, length;
    bool escaped;
};

static void assert_tokens(struct text text, const struct expected *expected, size_t count)
{
    struct json_reader reader;
    json_begin(&reader, at_end(text), text.length);
    for (size_t i = 0; i < count; i++) {
        struct json_token token = json_next(&reader);
        if (token.type != expected[i].type || token.start != expected[i].start ||
            token.length != expected[i].length || token.escaped != expected[i].escaped)
            fail_msg("token %zu of %s is of type %d at %zu + %zu, escaped %d", i, shown(text),
                (int)token.type, token.start, token.length, token.escaped);
    }
}

static void tokens_give_type_and_position(void **state)
{
    (void)state;
    const struct expected tokens[] = {
        {JSON_OBJECT, 1, 1, false},
        {JSON_KEY, 4, 2, false},
        {JSON_INTEGER, 10, 2, false},
        {JSON_KEY, 14, 4, true},
        {JSON_ARRAY, 20, 1, false},
        {JSON_NULL, 21, 4, false},
        {JSON_TRUE, 26, 4, false},
        {JSON_FALSE, 31, 5, false},
        {JSON_ARRAY_END, 36, 1, false},
        {JSON_KEY, 39, 0, false},
        {JSON_STRING, 42, 4, false},
        {JSON_KEY, 49, 1, false},
        {JSON_REAL, 52, 4, false},
        {JSON_OBJECT_END, 56, 1, false},
        {JSON_END, 58, 0, false},
        {JSON_END, 58, 0, false},
    };
    assert_tokens(
        (struct text)TEXT(" { \"id\" : 42,\"a\\nb\":[null,true,false],\"\":\"\xf0\x9f\x98\x80"
                          "\",\"r\":-1.0} "),
        tokens, COUNT(tokens));
}

static void names_are_distinguished_from_strings_at_every_depth(void **state)
{
    (void)state;
    const struct expected tokens[] = {
        {JSON_OBJECT, 0, 1, false},
        {JSON_KEY, 2, 1, false},
        {JSON_ARRAY, 5, 1, false},
        {JSON_STRING, 7, 1, false},
        {JSON_OBJECT, 10, 1, false},
        {JSON_KEY, 12, 1, false},
        {JSON_STRING, 16, 1, false},
        {JSON_OBJECT_END, 18, 1, false},
        {JSON_STRING, 21, 1, false},
        {JSON_ARRAY_END, 23, 1, false},
        {JSON_KEY, 26, 1, false},
        {JSON_STRING, 30, 1, false},
        {JSON_OBJECT_END, 32, 1, false},
        {JSON_END, 33, 0, false},
    };
    assert_tokens((struct text)TEXT("{\"a\":[\"b\",{\"c\":\"d\"},\"e\"],\"f\":\"g\"}"), tokens,
        COUNT(tokens));
}

static void a_string_with_a_backslash_is_marked_as_escaped(void **state)
{
    (void)state;
    const struct expected tokens[] = {
        {JSON_ARRAY, 0, 1, false},
        {JSON_STRING, 2, 1, false},
        {JSON_STRING, 6, 2, true},
        {JSON_STRING, 11, 1, false}, /* a new token, without the flag */
        {JSON_STRING, 15, 12, true},
        {JSON_ARRAY_END, 28, 1, false},
        {JSON_END, 29, 0, false},
    };
    assert_tokens(
        (struct text)TEXT("[\"/\",\"\\/\",\"a\",\"\\ud83d\\ude00\"]"), tokens, COUNT(tokens));
}

/* A caller can report which part of a document is wrong. */
static void a_fault_has_its_offset(void **state)
{
    (void)state;
    const struct {
        struct text text;
        size_t offset;
    } faults[] = {
        {TEXT(""), 0},
        {TEXT("  "), 2},
        {TEXT("  x"), 2},
        {TEXT("[1,]"), 3},
        {TEXT("[1 2]"), 3},
        {TEXT("[1"), 2},
        {TEXT("{1:2}"), 1},
        {TEXT("{\"a\" 1}"), 5},
        {TEXT("{\"a\":1,}"), 7},
        {TEXT("{\"a\":1]"), 6},
        {TEXT("{} {}"), 3},
        {TEXT("01"), 1},
        {TEXT("1.x"), 2},
        {TEXT("-x"), 1},
        {TEXT("[1e+]"), 4},
        {TEXT("[true,falsy]"), 6},
        {TEXT("\"abc"), 4},
        {TEXT("\"ab\x01\""), 3},
        {TEXT("\"ab\\x\""), 3},
        {TEXT("\"\\n\\ud80\""), 3},
        {TEXT("\"\\ud800\\x\""), 7},
        {TEXT("\"ab\xff\""), 3},
        {TEXT("{\"a\xff\":1}"), 3},
    };
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct reading reading = read_text(faults[i].text);
        assert_false(reading.accepted);
        if (reading.offset != faults[i].offset)
            fail_msg("the fault of %s is at %zu", shown(faults[i].text), reading.offset);
    }
}

/* A connection that broke differs from a service that sends something other than JSON. */
static void faults_distinguish_empty_unfinished_and_malformed_texts(void **state)
{
    (void)state;
    const struct {
        struct text text;
        const char *word;
    } faults[] = {
        {TEXT(""), "empty"},
        {TEXT("["), "unfinished"},
        {TEXT("[1"), "unfinished"},
        {TEXT("[1,"), "unfinished"},
        {TEXT("{"), "unfinished"},
        {TEXT("{\"a\":"), "unfinished"},
        {TEXT("{\"a\":1"), "unfinished"},
        {TEXT("{\"a\":1,"), "unfinished"},
        {TEXT("[\"a"), "unfinished"},
        {TEXT("<html>"), "not a JSON value"},
    };
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct json_reader reader;
        struct text text = faults[i].text;
        json_begin(&reader, at_end(text), text.length);
        while (json_next(&reader).type != JSON_ERROR)
            continue;
        if (!strstr(reader.fault, faults[i].word))
            fail_msg("the fault of %s is '%s'", shown(text), reader.fault);
    }
}

static void a_fault_is_returned_again(void **state)
{
    (void)state;
    struct json_reader reader;
    json_begin(&reader, "[1 2]", 5);
    assert_int_equal(json_next(&reader).type, JSON_ARRAY);
    assert_int_equal(json_next(&reader).type, JSON_INTEGER);
    assert_int_equal(json_next(&reader).type, JSON_ERROR);
    const char *fault = reader.fault;
    assert_non_null(fault);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(json_next(&reader).type, JSON_ERROR);
        assert_ptr_equal(reader.fault, fault);
        assert_int_equal(reader.offset, 3);
    }
}

static void a_reader_can_begin_again(void **state)
{
    (void)state;
    struct json_reader reader;
    json_begin(&reader, "{\"a\":[x", 7);
    while (json_next(&reader).type != JSON_ERROR)
        continue;
    json_begin(&reader, "[]", 2);
    assert_null(reader.fault);
    assert_int_equal(json_next(&reader).type, JSON_ARRAY);
    assert_int_equal(json_next(&reader).type, JSON_ARRAY_END);
    assert_int_equal(json_next(&reader).type, JSON_END);
}

/* ---- escapes ---- */

/* Reads `text`, a string with its quotes, and returns its decoded bytes. They are written to memory
 * that ends with the room that json_unescape() may use. */
static struct text unescaped(struct text text)
{
    struct json_reader reader;
    json_begin(&reader, at_end(text), text.length);
    struct json_token token = json_next(&reader);
    assert_int_equal(token.type, JSON_STRING);
    char *to = target.end - token.length;
    const char *from = at_end((struct text){text.bytes + token.start, token.length});
    return (struct text){to, json_unescape(from, token.length, to)};
}

static void assert_unescaped(struct text text, struct text expected)
{
    struct text bytes = unescaped(text);
    if (bytes.length != expected.length ||
        memcmp(bytes.bytes, expected.bytes, expected.length) != 0)
        fail_msg("unescaped to %s", shown(bytes));
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    const struct {
        struct text text, bytes;
    } strings[] = {
        {TEXT("\"\""), TEXT("")},
        {TEXT("\"plain\""), TEXT("plain")},
        {TEXT("\"\\\"\""), TEXT("\"")},
        {TEXT("\"\\\\\""), TEXT("\\")},
        {TEXT("\"\\/\""), TEXT("/")},
        {TEXT("\"\\b\""), TEXT("\x08")},
        {TEXT("\"\\f\""), TEXT("\x0c")},
        {TEXT("\"\\n\""), TEXT("\x0a")},
        {TEXT("\"\\r\""), TEXT("\x0d")},
        {TEXT("\"\\t\""), TEXT("\x09")},
        {TEXT("\"\\u0041\""), TEXT("A")},
        {TEXT("\"\\u0000\""), TEXT("\0")},
        {TEXT("\"a\\u0000b\""), TEXT("a\0b")},
        {TEXT("\"\\u001f\""), TEXT("\x1f")},
        {TEXT("\"\\u0022\\u005C\""), TEXT("\"\\")},
        {TEXT("\"\\\\u0041\""), TEXT("\\u0041")}, /* a backslash, then plain letters */
        {TEXT("\"\\\\\\u0041\""), TEXT("\\A")},
        {TEXT("\"\\\\n\\n\""), TEXT("\\n\n")},
        {TEXT("\"\\u00e9\\u00E9\""), TEXT("\xc3\xa9\xc3\xa9")},
        {TEXT("\"\\u20ac\""), TEXT("\xe2\x82\xac")},
        {TEXT("\"\\ud83d\\ude00\""), TEXT("\xf0\x9f\x98\x80")},
        {TEXT("\"\\uD83D\\uDE00x\""), TEXT("\xf0\x9f\x98\x80x")},
        {TEXT("\"\\ud800\\udc00\""), TEXT("\xf0\x90\x80\x80")},
        {TEXT("\"\\udbff\\udfff\""), TEXT("\xf4\x8f\xbf\xbf")},
        {TEXT("\"\\uffff\""), TEXT("\xef\xbf\xbf")},
        {TEXT("\"\\ud83d\""), TEXT(HALF)}, /* half of a pair: the first, */
        {TEXT("\"a\\uD83D\""), TEXT("a" HALF)},
        {TEXT("\"\\ude00z\""), TEXT(HALF "z")},        /* the second, */
        {TEXT("\"\\ude00\\ud83d\""), TEXT(HALF HALF)}, /* both in the wrong order, */
        {TEXT("\"\\ud83d\\ud83d\\ude00\""), TEXT(HALF "\xf0\x9f\x98\x80")}, /* one before a pair, */
        {TEXT("\"\\ud83d\\ude00\\ude00\""), TEXT("\xf0\x9f\x98\x80" HALF)}, /* and after one, */
        {TEXT("\"\\ud83d\\u0041\""), TEXT(HALF "A")}, /* before another escape, */
        {TEXT("\"\\ud83d\\n\""), TEXT(HALF "\n")},
        {TEXT("\"\\ud83d\\\\ude00\""), TEXT(HALF "\\ude00")}, /* or what looks like one, */
        {TEXT("\"\\ud83dude00\""), TEXT(HALF "ude00")},       /* and before text */
        {TEXT("\"\\ud83dx\\ude00\""), TEXT(HALF "x" HALF)},
        {TEXT("\"\\u00410\""), TEXT("A0")}, /* a fifth digit is text */
        {TEXT("\"a\\tb\xc3\xa4\\n\xf0\x9f\x98\x80z\""), TEXT("a\tb\xc3\xa4\n\xf0\x9f\x98\x80z")},
        {TEXT("\"x\\ny\\tz\""), TEXT("x\ny\tz")},
    };
    for (size_t i = 0; i < COUNT(strings); i++)
        assert_unescaped(strings[i].text, strings[i].bytes);
}

static void every_unit_becomes_its_character(void **state)
{
    (void)state;
    for (unsigned unit = 0; unit <= 0xffff; unit++) {
        char text[16], bytes[4];
        unsigned point = is_surrogate(unit) ? 0xfffd : unit;
        snprintf(text, sizeof text, unit % 2 ? "\"\\u%04x\"" : "\"\\u%04X\"", unit);
        assert_unescaped(text_of(text), (struct text){bytes, encode(point, bytes)});
    }
}

static void every_pair_of_surrogates_becomes_its_character(void **state)
{
    (void)state;
    for (unsigned point = 0x10000; point <= 0x10ffff; point++) {
        char text[16], bytes[4];
        snprintf(text, sizeof text, "\"\\u%04x\\u%04X\"", 0xd800 + (point - 0x10000) / 0x400,
            0xdc00 + point % 0x400);
        assert_unescaped(text_of(text), (struct text){bytes, encode(point, bytes)});
    }
}

/* Whether an escaped string decodes to these bytes. The memory of both ends where they end. */
static bool stands_for(struct text text, struct text bytes)
{
    char *to = target.end - bytes.length;
    memcpy(to, bytes.bytes, bytes.length);
    return json_equals(at_end(text), text.length, to, bytes.length);
}

/* json_equals() accepts the output of json_unescape(), and nothing similar. */
static void an_escaped_string_equals_what_it_is_unescaped_to_and_nothing_else(void **state)
{
    (void)state;
    const struct text strings[] = {TEXT(""), TEXT("plain"), TEXT("\\n"), TEXT("\\\\"), TEXT("\\\""),
        TEXT("\\/"), TEXT("\\b\\f\\n\\r\\t"), TEXT("\\u0000"), TEXT("a\\u0000b"), TEXT("\\\\u0041"),
        TEXT("\\u00e9\\u20AC\\ud83d\\ude00"), TEXT("x\\uD83D\\uDE00"), TEXT("\\ud83d\\ude00x"),
        TEXT("\xc3\xa4\\t\xf0\x9f\x98\x80"), TEXT("\\udbff\\udfff\\ud800\\udc00"), TEXT("\\ud83d"),
        TEXT("\\ude00\\ud83dx")};
    for (size_t i = 0; i < COUNT(strings); i++) {
        char bytes[64], room[64];
        size_t length = json_unescape(strings[i].bytes, strings[i].length, room);
        assert_true(stands_for(strings[i], (struct text){room, length}));
        for (size_t less = 0; less < length; less++)
            assert_false(stands_for(strings[i], (struct text){room, less}));
        memcpy(bytes, room, length);
        bytes[length] = '\0';
        assert_false(stands_for(strings[i], (struct text){bytes, length + 1}));
        for (size_t place = 0; place < length; place++) {
            for (int c = 0; c < 256; c++) {
                bytes[place] = (char)c;
                assert_int_equal(
                    stands_for(strings[i], (struct text){bytes, length}), (char)c == room[place]);
            }
            bytes[place] = room[place];
        }
    }
}

/* Decoding stops at an invalid escape, and such a text equals nothing. */
static void text_that_was_not_validated_is_handled_safely(void **state)
{
    (void)state;
    const struct text texts[] = {TEXT("a\\"), TEXT("a\\x"), TEXT("a\\u12"), TEXT("a\\ud83"),
        TEXT("a\\Ude00b"), TEXT("a\\u d83")};
    for (size_t i = 0; i < COUNT(texts); i++) {
        char room[16];
        assert_int_equal(json_unescape(at_end(texts[i]), texts[i].length, room), 1);
        assert_false(stands_for(texts[i], (struct text)TEXT("a")));
        assert_false(stands_for(texts[i], texts[i]));
    }
}

/* ---- writing strings ---- */

/* Writes the text into `room` bytes at most, which end where memory ends. Moves *at behind what was
 * read. */
static struct text written(struct text text, size_t *at, size_t room)
{
    char *to = target.end - room;
    const char *source_text = at_end(text), *from = source_text + *at;
    char *end = json_write(&from, source_text + text.length, to, target.end);
    *at = (size_t)(from - source_text);
    assert_in_range(end - to, 0, room);
    return (struct text){to, (size_t)(end - to)};
}

/* The string of a text, written in pieces. It ends where memory ends. */
static struct text quoted(struct text text)
{
    char string[1024] = "\"";
    size_t length = 1, at = 0;
    while (at < text.length) {
        struct text piece = written(text, &at, JSON_WRITE_ROOM + at % 5);
        assert_true(piece.length > 0);
        memcpy(string + length, piece.bytes, piece.length);
        length += piece.length;
    }
    string[length++] = '"';
    return (struct text){memcpy(target.end - length, string, length), length};
}

static void a_text_is_quoted_with_the_shortest_escapes(void **state)
{
    (void)state;
    const struct {
        struct text text, string;
    } texts[] = {
        {TEXT(""), TEXT("\"\"")},
        {TEXT("plain \xc3\xa4/\x7f"), TEXT("\"plain \xc3\xa4/\x7f\"")},
        {TEXT("\"\\"), TEXT("\"\\\"\\\\\"")},
        {TEXT("\b\f\n\r\t"), TEXT("\"\\b\\f\\n\\r\\t\"")},
        {TEXT("\0\x0b\x1f"), TEXT("\"\\u0000\\u000b\\u001f\"")},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct text string = quoted(texts[i].text);
        assert_int_equal(string.length, texts[i].string.length);
        assert_memory_equal(string.bytes, texts[i].string.bytes, string.length);
    }
}

static void every_ascii_character_reads_back_as_it_was_written(void **state)
{
    (void)state;
    for (int c = 0; c < 128; c++) {
        const char bytes[] = {'a', (char)c, 'b'};
        char string[32];
        struct text written = quoted((struct text){bytes, sizeof bytes});
        assert_true(written.length <= sizeof string);
        memcpy(string, written.bytes, written.length);
        assert_unescaped((struct text){string, written.length}, (struct text){bytes, sizeof bytes});
    }
}

/* Writes a text as json_write() does, byte by byte, up to what is not UTF-8. */
static size_t write_simply(struct text text, char *to)
{
    size_t length = 0;
    for (size_t at = 0; at < text.length;) {
        unsigned char c = (unsigned char)text.bytes[at];
        size_t width = 1;
        while (c >= 0x80 && width <= text.length - at && width <= 4 &&
               !json_is_utf8(text.bytes + at, width))
            width++;
        if (width > text.length - at || width > 4)
            break;
        static const char short_ones[] = "\b\f\n\r\t\"\\";
        const char *short_one = c ? strchr(short_ones, c) : NULL;
        if (short_one)
            length += (size_t)sprintf(to + length, "\\%c", "bfnrt\"\\"[short_one - short_ones]);
        else if (c < ' ')
            length += (size_t)sprintf(to + length, "\\u%04x", c);
        for (size_t i = 0; i < width && !short_one && c >= ' '; i++)
            to[length++] = text.bytes[at + i];
        at += width;
    }
    return length;
}

static void assert_written_simply(struct text text)
{
    char expected[1024], all[1024];
    size_t expected_length = write_simply(text, expected);
    for (size_t room = JSON_WRITE_ROOM; room < 200; room += room < 20 ? 1 : 45) {
        size_t length = 0, at = 0, before;
        do {
            before = at;
            struct text piece = written(text, &at, room);
            memcpy(all + length, piece.bytes, piece.length);
            length += piece.length;
        } while (at > before);
        assert_int_equal(length, expected_length);
        assert_memory_equal(all, expected, length);
    }
}

/* At each place in a text, since eight bytes are examined at once, or many. */
static void a_text_is_written_up_to_what_is_not_utf8(void **state)
{
    (void)state;
    static const char *const characters[] = {"x", "ä", "字", "😀"};
    static const struct text between[] = {TEXT(""), TEXT("\""), TEXT("\\"), TEXT("\n\n\n"),
        TEXT("\0"), TEXT("\x1f\x7f"), TEXT("\x80"), TEXT("\xc3"), TEXT("\xc0\xaf"),
        TEXT("\xed\xa0\x80"), TEXT("\xf4\x90\x80\x80"), TEXT("\xff")};
    for (size_t width = 1; width <= COUNT(characters); width++)
        for (size_t front = 0; front <= 75; front += width)
            for (size_t k = 0; k < COUNT(between); k++) {
                char bytes[256];
                for (size_t at = 0; at < front; at++)
                    bytes[at] = characters[width - 1][at % width];
                memcpy(bytes + front, between[k].bytes, between[k].length);
                size_t length = front + between[k].length;
                assert_written_simply((struct text){bytes, length});
                memcpy(bytes + length, "0123456789ä", 12);
                assert_written_simply((struct text){bytes, length + 12});
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_quoted_with_the_shortest_escapes),
        cmocka_unit_test(every_ascii_character_reads_back_as_it_was_written),
        cmocka_unit_test(a_text_is_written_up_to_what_is_not_utf8),
        cmocka_unit_test(every_kind_of_value_may_be_the_whole_text),
        cmocka_unit_test(lists_and_objects_hold_any_values),
        cmocka_unit_test(commas_colons_and_brackets_stand_where_they_must),
        cmocka_unit_test(the_name_of_a_member_is_a_string),
        cmocka_unit_test(only_three_literals_are_known_and_their_case_matters),
        cmocka_unit_test(what_only_javascript_knows_is_rejected),
        cmocka_unit_test(an_empty_text_is_rejected),
        cmocka_unit_test(only_space_may_follow_the_value),
        cmocka_unit_test(space_is_blank_tab_line_feed_and_carriage_return),
        cmocka_unit_test(a_byte_order_mark_is_rejected),
        cmocka_unit_test(a_nul_byte_does_not_end_the_text),
        cmocka_unit_test(numbers_are_read_whole_and_classified_by_their_form),
        cmocka_unit_test(malformed_numbers_are_rejected),
        cmocka_unit_test(strings_hold_any_character_of_unicode),
        cmocka_unit_test(an_unfinished_string_is_rejected),
        cmocka_unit_test(control_characters_in_strings_must_be_escaped),
        cmocka_unit_test(nine_escapes_are_known),
        cmocka_unit_test(an_escape_of_unicode_has_four_hex_digits),
        cmocka_unit_test(every_unit_is_accepted_even_half_of_a_pair),
        cmocka_unit_test(after_half_of_a_pair_the_rules_are_the_same),
        cmocka_unit_test(malformed_utf8_is_rejected),
        cmocka_unit_test(every_character_is_utf8_and_no_surrogate_is),
        cmocka_unit_test(nothing_else_of_up_to_three_bytes_is_utf8),
        cmocka_unit_test(nothing_else_of_four_bytes_is_utf8),
        cmocka_unit_test(a_string_and_json_is_utf8_agree),
        cmocka_unit_test(text_of_any_length_is_utf8_if_each_character_is),
        cmocka_unit_test(lists_and_objects_nest_512_deep_and_no_deeper),
        cmocka_unit_test(empty_lists_and_objects_count_as_a_level),
        cmocka_unit_test(a_text_of_openings_is_rejected_where_it_gets_too_deep),
        cmocka_unit_test(any_number_of_lists_may_follow_each_other),
        cmocka_unit_test(each_opening_is_closed_by_the_matching_bracket),
        cmocka_unit_test(a_truncated_document_is_rejected_at_every_length),
        cmocka_unit_test(a_document_with_any_wrong_byte_is_read_to_an_end),
        cmocka_unit_test(every_text_of_up_to_six_signs_is_read_by_the_grammar),
        cmocka_unit_test(hard_cases_follow_the_grammar),
        cmocka_unit_test(special_bytes_are_found_anywhere_in_a_string),
        cmocka_unit_test(special_bytes_are_found_anywhere_in_an_unfinished_string),
        cmocka_unit_test(the_first_of_two_special_bytes_counts),
        cmocka_unit_test(long_characters_and_escapes_may_begin_anywhere),
        cmocka_unit_test(tokens_give_type_and_position),
        cmocka_unit_test(names_are_distinguished_from_strings_at_every_depth),
        cmocka_unit_test(a_string_with_a_backslash_is_marked_as_escaped),
        cmocka_unit_test(a_fault_has_its_offset),
        cmocka_unit_test(faults_distinguish_empty_unfinished_and_malformed_texts),
        cmocka_unit_test(a_fault_is_returned_again),
        cmocka_unit_test(a_reader_can_begin_again),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(every_unit_becomes_its_character),
        cmocka_unit_test(every_pair_of_surrogates_becomes_its_character),
        cmocka_unit_test(an_escaped_string_equals_what_it_is_unescaped_to_and_nothing_else),
        cmocka_unit_test(text_that_was_not_validated_is_handled_safely),
    };
    return cmocka_run_group_tests(tests, make_rooms, free_rooms);
}
