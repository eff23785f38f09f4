/* heap.c - a binary heap of due times; see heap.h. */
#include "heap.h"

#include <stdlib.h>

static bool earlier(const struct heap_node *a, const struct heap_node *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void put(struct heap *heap, size_t index, struct heap_node *node)
{
    heap->nodes[index] = node;
    node->place = index + 1;
}

static void sift_up(struct heap *heap, size_t index)
{
    struct heap_node *node = heap->nodes[index];
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (!earlier(node, heap->nodes[parent]))
            break;
        put(heap, index, heap->nodes[parent]);
        index = parent;
    }
    put(heap, index, node);
}

static void sift_down(struct heap *heap, size_t index)
{
    struct heap_node *node = heap->nodes[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && earlier(heap->nodes[child + 1], heap->nodes[child]))
            child++;
        if (!earlier(heap->nodes[child], node))
            break;
        put(heap, index, heap->nodes[child]);
        index = child;
    }
    put(heap, index, node);
}

bool heap_reserve(struct heap *heap)
{
    if (heap->reserved == heap->capacity) {
        size_t capacity = heap->capacity ? 2 * heap->capacity : 16;
        struct heap_node **nodes = realloc(heap->nodes, capacity * sizeof *nodes);
        if (!nodes)
            return false;
        heap->nodes = nodes;
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
    node->order = heap->next_order++;
    put(heap, heap->count++, node);
    sift_up(heap, heap->count - 1);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0)
        return;
    size_t index = node->place - 1;
    node->place = 0;
    struct heap_node *last = heap->nodes[--heap->count];
    if (last == node)
        return;
    put(heap, index, last);
    sift_up(heap, index);
    sift_down(heap, last->place - 1);
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}

void heap_destroy(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){0};
}
