/* names.c - names in the order of their bytes; see names.h. */
#include "names.h"

#include "bytes.h"

#include <stdbool.h>
#include <string.h>

/* The length of the prefix that all names have. */
static size_t common_prefix(const struct name *names, size_t count)
{
    size_t prefix = names[0].length;
    for (size_t i = 1; i < count && prefix; i++) {
        size_t most = names[i].length < prefix ? names[i].length : prefix;
        for (prefix = 0; prefix < most && names[i].text[prefix] == names[0].text[prefix];)
            prefix++;
    }
    return prefix;
}

static bool is_before(const struct name *a, const struct name *b)
{
    if (a->order != b->order)
        return a->order < b->order;
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order ? order < 0 : a->length < b->length;
}

#define FEW 8

/* Sorts few names, by insertion. */
static void sort_few(struct name *names, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct name name = names[i];
        size_t at = i;
        for (; at && is_before(&name, &names[at - 1]); at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
}

/* Merges the sorted halves of `from`, the first of which has `half` names. Which half has the next
 * name cannot be predicted, so it decides about a place, and not about a branch. */
static void merge(const struct name *from, size_t half, size_t count, struct name *to)
{
    size_t left = 0, right = half;
    while (left < half && right < count) {
        bool is_right = is_before(&from[right], &from[left]);
        *to++ = from[is_right ? right : left];
        right += is_right;
        left += !is_right;
    }
    memcpy(to, from + left, (half - left) * sizeof *to);
    memcpy(to + half - left, from + right, (count - right) * sizeof *to);
}

void names_sort(struct name *names, size_t count, struct name *scratch)
{
    size_t prefix = count > FEW ? common_prefix(names, count) : 0;
    for (size_t i = 0; i < count; i++)
        names[i].order =
            __builtin_bswap64(bytes_load(names[i].text + prefix, names[i].length - prefix));
    for (size_t i = 0; i < count; i += FEW)
        sort_few(names + i, count - i < FEW ? count - i : FEW);
    struct name *from = names, *to = scratch;
    for (size_t half = FEW; half < count; half *= 2) {
        for (size_t i = 0; i < count; i += 2 * half) {
            size_t left = count - i;
            merge(from + i, left < half ? left : half, left < 2 * half ? left : 2 * half, to + i);
        }
        struct name *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != names)
        memcpy(names, from, count * sizeof *names);
}
