/* in_flight.c - the operations of a client's requests; see in_flight.h. */
#include "in_flight.h"

#include <stdlib.h>
#include <string.h>

bool in_flight_reserve(struct in_flight *in_flight, int ref)
{
    int before = in_flight->room;
    if (ref < before)
        return true;
    int room = 2 * ref + 16;
    void *longer = realloc(in_flight->entries, (size_t)room * sizeof *in_flight->entries);
    if (!longer)
        return false;
    in_flight->entries = longer;
    in_flight->room = room;
    memset(in_flight->entries + before, 0, (size_t)(room - before) * sizeof *in_flight->entries);
    return true;
}

void in_flight_put(
    struct in_flight *in_flight, int ref, struct operation *operation, const void *object)
{
    in_flight->entries[ref].operation = operation;
    in_flight->entries[ref].object = object;
}

struct operation *in_flight_get(const struct in_flight *in_flight, int ref, const void *object)
{
    bool is_known = ref >= 0 && ref < in_flight->room && in_flight->entries[ref].object == object;
    return is_known ? in_flight->entries[ref].operation : NULL;
}

void in_flight_free(struct in_flight *in_flight)
{
    for (int ref = 0; ref < in_flight->room; ref++)
        if (in_flight->entries[ref].operation)
            operation_free(in_flight->entries[ref].operation);
    free(in_flight->entries);
    *in_flight = (struct in_flight){0};
}
