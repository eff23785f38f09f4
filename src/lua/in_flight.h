/* in_flight.h - the operations of a client's requests, by the references of their anchors. */
#ifndef CEKURA_LUA_IN_FLIGHT_H
#define CEKURA_LUA_IN_FLIGHT_H

#include "engine/operation.h"

struct in_flight {
    struct {
        struct operation *operation; /* NULL: none has this reference */
        const void *object;          /* the address of its object in Lua */
    } * entries;
    int room;
};

/* Makes room for a reference. Returns false if memory runs out. */
bool in_flight_reserve(struct in_flight *in_flight, int ref);

/* Sets the operation of a reference that there is room for, and the address of its object. */
void in_flight_put(
    struct in_flight *in_flight, int ref, struct operation *operation, const void *object);

/* The operation with that reference and that object, or NULL. */
struct operation *in_flight_get(const struct in_flight *in_flight, int ref, const void *object);

/* Cancels and frees all operations. */
void in_flight_free(struct in_flight *in_flight);

#endif
