/* record.h - where the members of one JSON object stand in its text.
 *
 * One scan validates the text and notes each member; nothing is converted. So a record costs its
 * bytes and twenty more for each member, however much is in it, and a member that nobody reads
 * costs nothing further. Nothing is allocated here: the caller brings the room. */
#ifndef CEKURA_RECORD_H
#define CEKURA_RECORD_H

#include "json.h"

/* Offsets count from the record's text; so a record has less than 4 GiB. */
struct member {
    uint32_t name, name_length;   /* without the quotes */
    uint32_t value, value_length; /* the whole value; of a string, with its quotes */
    uint8_t type;                 /* enum json_type; JSON_OBJECT and JSON_ARRAY for containers */
    bool name_escaped;
};

/* Reads the object that the reader has just opened, up to its end. Fills in the first `room` of its
 * members, in the order of the text; a name that comes again is there again. *count says how many
 * there are: if that is more than `room`, read again from a copy of the reader. `base`: where in
 * the reader's text the record's text begins. NULL on success, else what is wrong at the reader's
 * offset, a constant text. */
const char *record_read(
    struct json_reader *reader, size_t base, struct member *members, size_t room, size_t *count);

/* The member of that name, the last one if there are several; NULL: none. */
const struct member *record_find(
    const char *text, const struct member *members, size_t count, const char *name, size_t length);

#endif
