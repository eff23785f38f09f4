/* record.h - an index of the members of one JSON object.
 *
 * One scan validates the text and records the position of each member, without converting any. The
 * index takes sixteen bytes for each member; a member that is never read costs nothing more. The
 * caller provides the memory. */
#ifndef CEKURA_RECORD_H
#define CEKURA_RECORD_H

#include "json.h"

#define RECORD_NAME_BITS 27

/* Offsets count from the start of the record's text, so a record is smaller than 4 GiB. */
struct member {
    uint32_t name;                           /* without the quotes */
    uint32_t value, value_length;            /* the whole value; of a string, with its quotes */
    uint32_t name_length : RECORD_NAME_BITS; /* less than 128 MiB */
    uint32_t type : 4;                       /* enum json_type; of a container, its opening */
    uint32_t name_escaped : 1;
};

/* Reads the rest of an object whose opening brace the reader has just returned. Fills in its first
 * `room` members, in the order of the text; a repeated name gives a member each time. Sets *count
 * to the number of members. If that exceeds `room`, the caller reads again from a copy of the
 * reader. `base` is the offset in the reader's text at which the record's text begins. Returns NULL
 * on success, else a constant string that describes the error at the reader's offset. */
const char *record_read(
    struct json_reader *reader, size_t base, struct member *members, size_t room, size_t *count);

/* The last member of that name, or NULL. */
const struct member *record_find(
    const char *text, const struct member *members, size_t count, const char *name, size_t length);

#endif
