/* record.c - an index of the members of one JSON object; see record.h. */
#include "record.h"

#include <string.h>

#define MOST_NAME_LENGTH ((1u << RECORD_NAME_BITS) - 1)

const char *record_read(
    struct json_reader *reader, size_t base, struct member *members, size_t room, size_t *count)
{
    *count = 0;
    for (;;) {
        struct json_token name = json_next(reader);
        if (name.type == JSON_OBJECT_END)
            break;
        struct json_token value = json_next(reader); /* repeats an error of the name */
        bool is_container = value.type == JSON_OBJECT || value.type == JSON_ARRAY;
        if (value.type == JSON_ERROR || (is_container && !json_skip(reader)))
            return reader->fault;
        if (name.length > MOST_NAME_LENGTH)
            return "too large";
        size_t at = (*count)++;
        if (at >= room)
            continue;
        size_t start = value.start - (value.type == JSON_STRING);
        members[at] = (struct member){
            .name = (uint32_t)(name.start - base),
            .value = (uint32_t)(start - base),
            .value_length = (uint32_t)(reader->offset - start),
            .name_length = name.length & MOST_NAME_LENGTH,
            .type = value.type & 15,
            .name_escaped = name.escaped,
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
