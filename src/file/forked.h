/* forked.h - descriptors that a forked child must not share with its parent.
 *
 * A lock by flock() belongs to the open file description, which a child inherits: it would keep the
 * parent's lock after the parent's end, and could release it before. */
#ifndef CEKURA_FORKED_H
#define CEKURA_FORKED_H

#include <stdbool.h>
#include <sys/queue.h>

/* A member of the object that has the descriptors. */
struct forked {
    LIST_ENTRY(forked) link;
    void (*in_child)(struct forked *forked);
};

/* Has in_child() called in each forked child, before fork() returns there, until forked_forget().
 * No other thread exists then; only async-signal-safe functions may be called. Returns false if
 * forks cannot be watched. */
bool forked_watch(struct forked *forked, void (*in_child)(struct forked *forked));

void forked_forget(struct forked *forked);

#endif
