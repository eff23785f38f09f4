/* heap.c - a heap of due times; see heap.h. */
#include "heap.h"

#include <stdlib.h>

/* A node that moves is fetched from memory, since its place changes. With four children, a node
 * of a heap of 100,000 has 9 levels to pass; with two, 17. */
#define CHILDREN 4

static bool earlier(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void put(struct heap *heap, size_t index, struct heap_entry entry)
{
    heap->entries[index] = entry;
    entry.node->place = index + 1;
}

static void sift_up(struct heap *heap, size_t index)
{
    const struct heap_entry entry = heap->entries[index];
    while (index > 0) {
        size_t parent = (index - 1) / CHILDREN;
        if (!earlier(&entry, &heap->entries[parent]))
            break;
        put(heap, index, heap->entries[parent]);
        index = parent;
    }
    put(heap, index, entry);
}

static void sift_down(struct heap *heap, size_t index)
{
    const struct heap_entry entry = heap->entries[index];
    for (;;) {
        size_t first = CHILDREN * index + 1, child = first;
        if (first >= heap->count)
            break;
        for (size_t i = first + 1; i < first + CHILDREN && i < heap->count; i++)
            if (earlier(&heap->entries[i], &heap->entries[child]))
                child = i;
        if (!earlier(&heap->entries[child], &entry))
            break;
        put(heap, index, heap->entries[child]);
        index = child;
    }
    put(heap, index, entry);
}

bool heap_reserve(struct heap *heap)
{
    if (heap->reserved == heap->capacity) {
        size_t capacity = heap->capacity ? 2 * heap->capacity : 16;
        struct heap_entry *entries = realloc(heap->entries, capacity * sizeof *entries);
        if (!entries)
            return false;
        heap->entries = entries;
        heap->capacity = capacity;
    }
    heap->reserved++;
    return true;
}

void heap_unreserve(struct heap *heap)
{
    heap->reserved--;
}

void heap_insert(struct heap *heap, struct heap_node *node, int64_t due_us)
{
    heap_remove(heap, node);
    node->due_us = due_us;
    put(heap, heap->count++,
        (struct heap_entry){.due_us = due_us, .order = heap->next_order++, .node = node});
    sift_up(heap, heap->count - 1);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0)
        return;
    size_t index = node->place - 1;
    node->place = 0;
    const struct heap_entry last = heap->entries[--heap->count];
    if (last.node == node)
        return;
    put(heap, index, last);
    sift_up(heap, index);
    sift_down(heap, last.node->place - 1);
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->entries[0].node : NULL;
}

void heap_destroy(struct heap *heap)
{
    free(heap->entries);
    *heap = (struct heap){0};
}
