/* record.h - an index of the members of one JSON object.
 *
 * One scan validates the text and records where each member stands; nothing is converted. A record
 * costs its bytes and twenty more for each member; a member that is never read costs nothing else.
 * Nothing is allocated here: the caller provides the room. */
#ifndef CEKURA_RECORD_H
#define CEKURA_RECORD_H

#include "json.h"

/* Offsets count from the start of the record's text, so a record is smaller than 4 GiB. */
struct member {
    uint32_t name, name_length;   /* without the quotes */
    uint32_t value, value_length; /* the whole value; of a string, with its quotes */
    uint8_t type;                 /* enum json_type; JSON_OBJECT and JSON_ARRAY for containers */
    bool name_escaped;
};

/* Reads the object that the reader has just opened, up to its end. Fills in the first `room` of its
 * members, in the order of the text; a repeated name makes a member each time. Sets *count to the
 * number of members: if that exceeds `room`, read again from a copy of the reader. `base`: where in
 * the reader's text the record's text begins. Returns NULL on success, else a constant text that
 * says what is wrong at the reader's offset. */
const char *record_read(
    struct json_reader *reader, size_t base, struct member *members, size_t room, size_t *count);

/* The member of that name, the last one if there are several; NULL: there is none. */
const struct member *record_find(
    const char *text, const struct member *members, size_t count, const char *name, size_t length);

#endif
