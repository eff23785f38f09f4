/* heap_test.c - the heap of due times, compared with a plain list. */
#include "engine/clock.h"
#include "engine/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NODES 200

/* By default AddressSanitizer aborts the program when an allocation is too large. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* splitmix64: the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void reserve(struct heap *heap, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(heap_reserve(heap));
}

/* Removes the first node, and returns its index in `nodes`. */
static size_t leave(struct heap *heap, const struct heap_node *nodes)
{
    struct heap_node *first = heap_first(heap);
    assert_non_null(first);
    heap_remove(heap, first);
    assert_int_equal(first->place, 0);
    return (size_t)(first - nodes);
}

static void assert_leave_in_order(
    struct heap *heap, const struct heap_node *nodes, const size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(leave(heap, nodes), order[i]);
    assert_null(heap_first(heap));
}

/* A node with a wrong place could not be removed. */
static void assert_every_node_knows_its_place(const struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        assert_int_equal(heap->entries[i].node->place, i + 1);
}

static void an_empty_heap_has_no_first_node(void **state)
{
    (void)state;
    struct heap heap = {0};
    assert_null(heap_first(&heap));
    heap_destroy(&heap);
}

static void nodes_leave_in_order_of_their_due_times(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[7] = {0};
    const int64_t due[7] = {50, 10, 70, 30, 20, 60, 40};
    reserve(&heap, 7);
    for (size_t i = 0; i < 7; i++)
        heap_insert(&heap, &nodes[i], due[i]);
    assert_leave_in_order(&heap, nodes, (size_t[]){1, 4, 3, 6, 0, 5, 2}, 7);
    heap_destroy(&heap);
}

/* The zero of the clock is arbitrary, so a due time may be any number. A comparison by subtraction
 * would overflow here. */
static void the_whole_range_of_due_times_is_in_order(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[6] = {0};
    const int64_t due[6] = {INT64_MAX, 0, CLOCK_NEVER, INT64_MIN, 1, -1};
    reserve(&heap, 6);
    for (size_t i = 0; i < 6; i++)
        heap_insert(&heap, &nodes[i], due[i]);
    assert_leave_in_order(&heap, nodes, (size_t[]){3, 5, 1, 4, 2, 0}, 6);
    heap_destroy(&heap);
}

static void equal_due_times_leave_in_order_of_insertion(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {0};
    reserve(&heap, NODES);
    for (size_t i = 0; i < NODES; i++)
        heap_insert(&heap, &nodes[i], 1000);
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(leave(&heap, nodes), i);
    heap_destroy(&heap);
}

/* Even if the heap is emptied and refilled in between, and among nodes with other due times. */
static void equal_due_times_keep_their_order_among_others(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[8] = {0};
    reserve(&heap, 8);
    heap_insert(&heap, &nodes[7], 20);
    heap_remove(&heap, &nodes[7]);
    const int64_t due[8] = {20, 30, 20, 10, 20, 30, 10, 20};
    for (size_t i = 0; i < 8; i++)
        heap_insert(&heap, &nodes[i], due[i]);
    assert_leave_in_order(&heap, nodes, (size_t[]){3, 6, 0, 2, 4, 7, 1, 5}, 8);
    heap_destroy(&heap);
}

static void inserting_a_node_again_moves_it(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[3] = {0};
    reserve(&heap, 3);
    for (size_t i = 0; i < 3; i++)
        heap_insert(&heap, &nodes[i], 10 * (int64_t)i);
    heap_insert(&heap, &nodes[2], -5);
    heap_insert(&heap, &nodes[0], 40);
    assert_int_equal(heap.count, 3);
    assert_leave_in_order(&heap, nodes, (size_t[]){2, 1, 0}, 3);
    heap_destroy(&heap);
}

static void a_moved_node_comes_last_among_its_equals(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[3] = {0};
    reserve(&heap, 3);
    for (size_t i = 0; i < 3; i++)
        heap_insert(&heap, &nodes[i], 10);
    heap_insert(&heap, &nodes[0], 10);
    assert_leave_in_order(&heap, nodes, (size_t[]){1, 2, 0}, 3);
    heap_destroy(&heap);
}

/* The last node of the array needs no replacement; any other does. So each is removed once from the
 * same heap, and the rest must stay in order. */
static void any_node_can_be_removed(void **state)
{
    (void)state;
    for (size_t gone = 0; gone < 9; gone++) {
        struct heap heap = {0};
        struct heap_node nodes[9] = {0};
        reserve(&heap, 9);
        for (size_t i = 0; i < 9; i++)
            heap_insert(&heap, &nodes[i], (int64_t)(i * 4 % 9));
        heap_remove(&heap, &nodes[gone]);
        assert_int_equal(nodes[gone].place, 0);
        assert_int_equal(heap.count, 8);
        assert_every_node_knows_its_place(&heap);
        int64_t last = -1;
        while (heap_first(&heap)) {
            size_t i = leave(&heap, nodes);
            assert_int_not_equal(i, gone);
            assert_true(nodes[i].due_us > last);
            last = nodes[i].due_us;
        }
        heap_destroy(&heap);
    }
}

static void the_only_node_can_be_removed(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node node = {0};
    reserve(&heap, 1);
    heap_insert(&heap, &node, 10);
    assert_int_equal(leave(&heap, &node), 0);
    assert_null(heap_first(&heap));
    heap_destroy(&heap);
}

/* The replacement of a removed node comes from the end of the array, perhaps from another branch,
 * and may be due before its new parent: here 2 comes under 10. */
static void the_replacement_of_a_removed_node_may_rise(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[10] = {0};
    const int64_t due[10] = {0, 10, 1, 5, 6, 11, 12, 13, 14, 2};
    reserve(&heap, 10);
    for (size_t i = 0; i < 10; i++)
        heap_insert(&heap, &nodes[i], due[i]);
    for (size_t i = 0; i < 10; i++)
        assert_ptr_equal(heap.entries[i].node, &nodes[i]); /* the case is as intended */
    heap_remove(&heap, &nodes[5]);
    assert_leave_in_order(&heap, nodes, (size_t[]){0, 2, 9, 3, 4, 1, 6, 7, 8}, 9);
    heap_destroy(&heap);
}

static void removing_a_node_that_is_in_no_heap_changes_nothing(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[2] = {0}, absent = {0};
    heap_remove(&heap, &absent);
    reserve(&heap, 2);
    heap_insert(&heap, &nodes[0], 10);
    heap_insert(&heap, &nodes[1], 20);
    heap_remove(&heap, &absent);
    assert_int_equal(heap.count, 2);
    heap_remove(&heap, &nodes[0]);
    heap_remove(&heap, &nodes[0]);
    assert_leave_in_order(&heap, nodes, (size_t[]){1}, 1);
    heap_destroy(&heap);
}

static void a_removed_node_can_be_inserted_again(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[2] = {0};
    reserve(&heap, 2);
    heap_insert(&heap, &nodes[0], 10);
    heap_insert(&heap, &nodes[1], 20);
    heap_remove(&heap, &nodes[0]);
    heap_insert(&heap, &nodes[0], 30);
    assert_leave_in_order(&heap, nodes, (size_t[]){1, 0}, 2);
    heap_destroy(&heap);
}

/* Arming a timer must not fail, so reserving must allocate all that inserting needs. */
static void inserting_into_reserved_room_allocates_nothing(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {0};
    reserve(&heap, NODES);
    struct heap_entry *room = heap.entries;
    size_t capacity = heap.capacity;
    assert_true(capacity >= NODES);
    for (size_t i = 0; i < NODES; i++)
        heap_insert(&heap, &nodes[i], (int64_t)(NODES - i));
    assert_ptr_equal(heap.entries, room);
    assert_int_equal(heap.capacity, capacity);
    assert_int_equal(heap.count, NODES);
    heap_destroy(&heap);
}

static void reserving_keeps_the_nodes_in_the_heap(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {0};
    for (size_t i = 0; i < NODES; i++) {
        reserve(&heap, 1);
        heap_insert(&heap, &nodes[i], (int64_t)(NODES - i));
        assert_ptr_equal(heap_first(&heap), &nodes[i]);
    }
    for (size_t i = NODES; i > 0; i--)
        assert_int_equal(leave(&heap, nodes), i - 1);
    heap_destroy(&heap);
}

static void returned_room_is_reused(void **state)
{
    (void)state;
    struct heap heap = {0};
    reserve(&heap, NODES);
    size_t capacity = heap.capacity;
    for (unsigned job = 0; job < 10 * NODES; job++) {
        heap_unreserve(&heap);
        reserve(&heap, 1);
    }
    assert_int_equal(heap.capacity, capacity);
    for (size_t i = 0; i < NODES; i++)
        heap_unreserve(&heap);
    assert_int_equal(heap.reserved, 0);
    heap_destroy(&heap);
}

/* The heap's fields are set so that it is full and has to allocate too much. */
static void reserving_without_memory_fails_and_changes_nothing(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node node = {0};
    reserve(&heap, 1);
    heap_insert(&heap, &node, 10);
    struct heap before = heap;
    heap.capacity = heap.reserved = SIZE_MAX / 64;
    assert_false(heap_reserve(&heap));
    assert_int_equal(heap.capacity, SIZE_MAX / 64);
    assert_int_equal(heap.reserved, SIZE_MAX / 64);
    assert_int_equal(heap.count, 1);
    assert_ptr_equal(heap.entries, before.entries);
    assert_ptr_equal(heap_first(&heap), &node);
    heap_destroy(&heap);
}

static void a_destroyed_heap_is_an_empty_one(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_node nodes[2] = {0};
    reserve(&heap, 1);
    heap_insert(&heap, &nodes[0], 10);
    heap_destroy(&heap);
    assert_null(heap_first(&heap));
    heap_destroy(&heap);
    reserve(&heap, 1);
    heap_insert(&heap, &nodes[1], 10);
    assert_ptr_equal(heap_first(&heap), &nodes[1]);
    heap_destroy(&heap);
}

/* ---- compared with a list, by linear search ---- */

struct reference {
    bool present[NODES];
    int64_t due_us[NODES];
    uint64_t came[NODES];
    uint64_t next;
    size_t count;
};

static void reference_insert(struct reference *reference, size_t i, int64_t due_us)
{
    reference->count += !reference->present[i];
    reference->present[i] = true;
    reference->due_us[i] = due_us;
    reference->came[i] = reference->next++;
}

static void reference_remove(struct reference *reference, size_t i)
{
    reference->count -= reference->present[i];
    reference->present[i] = false;
}

/* The index of the first node; NODES if the list is empty. */
static size_t reference_first(const struct reference *reference)
{
    size_t first = NODES;
    for (size_t i = 0; i < NODES; i++) {
        if (!reference->present[i])
            continue;
        if (first == NODES || reference->due_us[i] < reference->due_us[first] ||
            (reference->due_us[i] == reference->due_us[first] &&
                reference->came[i] < reference->came[first]))
            first = i;
    }
    return first;
}

static void assert_same_first(
    const struct heap *heap, const struct heap_node *nodes, const struct reference *reference)
{
    size_t first = reference_first(reference);
    assert_int_equal(heap->count, reference->count);
    assert_ptr_equal(heap_first(heap), first == NODES ? NULL : &nodes[first]);
}

/* `span` is the number of different due times. If it is small, many are equal. */
static void run_against_the_reference(uint64_t span, unsigned steps)
{
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {0};
    struct reference reference = {0};
    uint64_t random = span;
    reserve(&heap, NODES);
    for (unsigned step = 0; step < steps; step++) {
        size_t i = (size_t)(next_random(&random) % NODES);
        int64_t due_us = (int64_t)(next_random(&random) % span) - (int64_t)(span / 2);
        /* Phases of growing and of shrinking, so that full and empty heaps both occur. */
        unsigned removals = step / 2000 % 2 ? 6 : 2;
        if (next_random(&random) % 8 < removals) {
            if (step % 3 == 0 && heap_first(&heap)) /* the first, as timers do */
                i = (size_t)(heap_first(&heap) - nodes);
            heap_remove(&heap, &nodes[i]);
            reference_remove(&reference, i);
        } else {
            heap_insert(&heap, &nodes[i], due_us);
            reference_insert(&reference, i, due_us);
        }
        assert_same_first(&heap, nodes, &reference);
        if (step % 500 == 0)
            assert_every_node_knows_its_place(&heap);
    }
    while (heap_first(&heap)) {
        reference_remove(&reference, leave(&heap, nodes));
        assert_same_first(&heap, nodes, &reference);
    }
    assert_int_equal(reference.count, 0);
    heap_destroy(&heap);
}

static void any_sequence_of_steps_agrees_with_a_sorted_list(void **state)
{
    (void)state;
    run_against_the_reference(UINT64_C(1) << 40, 50000);
}

static void any_sequence_of_steps_with_equal_due_times_agrees_with_a_sorted_list(void **state)
{
    (void)state;
    run_against_the_reference(5, 50000);
    run_against_the_reference(1, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_first_node),
        cmocka_unit_test(nodes_leave_in_order_of_their_due_times),
        cmocka_unit_test(the_whole_range_of_due_times_is_in_order),
        cmocka_unit_test(equal_due_times_leave_in_order_of_insertion),
        cmocka_unit_test(equal_due_times_keep_their_order_among_others),
        cmocka_unit_test(inserting_a_node_again_moves_it),
        cmocka_unit_test(a_moved_node_comes_last_among_its_equals),
        cmocka_unit_test(any_node_can_be_removed),
        cmocka_unit_test(the_only_node_can_be_removed),
        cmocka_unit_test(the_replacement_of_a_removed_node_may_rise),
        cmocka_unit_test(removing_a_node_that_is_in_no_heap_changes_nothing),
        cmocka_unit_test(a_removed_node_can_be_inserted_again),
        cmocka_unit_test(inserting_into_reserved_room_allocates_nothing),
        cmocka_unit_test(reserving_keeps_the_nodes_in_the_heap),
        cmocka_unit_test(returned_room_is_reused),
        cmocka_unit_test(reserving_without_memory_fails_and_changes_nothing),
        cmocka_unit_test(a_destroyed_heap_is_an_empty_one),
        cmocka_unit_test(any_sequence_of_steps_agrees_with_a_sorted_list),
        cmocka_unit_test(any_sequence_of_steps_with_equal_due_times_agrees_with_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
