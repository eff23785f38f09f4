/* heap.h - a heap of due times.
 *
 * The heap is intrusive: a node is a member of the object that is due. The owner of a node reserves
 * room when it creates the node (heap_reserve) and returns it when it frees the node
 * (heap_unreserve). In between, inserting and removing allocate nothing and cannot fail. Nodes with
 * equal due times leave in the order of their insertion. */
#ifndef CEKURA_HEAP_H
#define CEKURA_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t due_us;
    size_t place; /* index in the heap plus one; 0: in no heap */
};

/* What is compared is beside its neighbours, and not in the objects, which a large heap would fetch
 * from memory one by one. */
struct heap_entry {
    int64_t due_us;
    uint64_t order; /* of insertion, among equal due times */
    struct heap_node *node;
};

struct heap {
    struct heap_entry *entries;
    size_t count, capacity;
    size_t reserved; /* how many nodes may be inserted at once */
    uint64_t next_order;
};

/* Reserves room for one more node. Returns false, and changes nothing, if memory runs out. */
bool heap_reserve(struct heap *heap);

/* Returns the room of one node, which must not be in the heap. */
void heap_unreserve(struct heap *heap);

/* Inserts a node for which room is reserved. A node that is in the heap already is moved. */
void heap_insert(struct heap *heap, struct heap_node *node, int64_t due_us);

/* Removes a node. Does nothing if it is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The node that is due first, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

void heap_destroy(struct heap *heap);

#endif
