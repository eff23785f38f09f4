/* record.c - an index of the members of one JSON object; see record.h. */
#include "record.h"

#include <string.h>

/* Reads to the end of the value that begins with `token`, and returns its last token. */
static struct json_token skip_value(struct json_reader *reader, struct json_token token)
{
    if (token.type != JSON_OBJECT && token.type != JSON_ARRAY)
        return token;
    unsigned outside = reader->depth - 1;
    while (token.type != JSON_ERROR && reader->depth > outside)
        token = json_next(reader);
    return token;
}

const char *record_read(
    struct json_reader *reader, size_t base, struct member *members, size_t room, size_t *count)
{
    *count = 0;
    for (;;) {
        struct json_token name = json_next(reader);
        if (name.type == JSON_OBJECT_END)
            break;
        struct json_token value = json_next(reader); /* repeats an error of the name */
        struct json_token last = skip_value(reader, value);
        if (last.type == JSON_ERROR)
            return reader->fault;
        size_t at = (*count)++;
        if (at >= room)
            continue;
        size_t quote = value.type == JSON_STRING;
        members[at] = (struct member){
            .name = (uint32_t)(name.start - base),
            .name_length = (uint32_t)name.length,
            .name_escaped = name.escaped,
            .value = (uint32_t)(value.start - quote - base),
            .value_length = (uint32_t)(last.start + last.length - value.start + 2 * quote),
            .type = (uint8_t)value.type,
        };
    }
    return reader->offset - base > UINT32_MAX ? "too large" : NULL;
}

static bool is_named(const char *text, const struct member *member, const char *name, size_t length)
{
    const char *own = text + member->name;
    if (member->name_escaped)
        return json_equals(own, member->name_length, name, length);
    return member->name_length == length && memcmp(own, name, length) == 0;
}

const struct member *record_find(
    const char *text, const struct member *members, size_t count, const char *name, size_t length)
{
    for (size_t i = count; i > 0; i--)
        if (is_named(text, &members[i - 1], name, length))
            return &members[i - 1];
    return NULL;
}
