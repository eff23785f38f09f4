/* heap.h - a binary heap of due times.
 *
 * Intrusive: a node is a member of what is due, so inserting allocates nothing once room has been
 * reserved. The owner of a node reserves its place when it makes the node (heap_reserve) and
 * gives it back when it frees the node (heap_unreserve); between the two, inserting and removing
 * cannot fail, however short memory is. Equal due times leave in the order in which they came. */
#ifndef CEKURA_HEAP_H
#define CEKURA_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t due_us;
    uint64_t order; /* which of two equal due times came first */
    size_t place;   /* index in the heap plus one; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t count, capacity;
    size_t reserved; /* how many nodes may be inserted at once */
    uint64_t next_order;
};

/* Makes room for one more node. False: out of memory, and nothing has changed. */
bool heap_reserve(struct heap *heap);

/* Gives back the room of one node, which must not be in the heap. */
void heap_unreserve(struct heap *heap);

/* Inserts a node with a reserved place; one that is in the heap already is moved. */
void heap_insert(struct heap *heap, struct heap_node *node, int64_t due_us);

/* Takes a node out; one that is in no heap is left alone. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The node that is due first, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

void heap_destroy(struct heap *heap);

#endif
