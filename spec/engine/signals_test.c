/* signals_test.c - the signals that are blocked while an engine works. */
#include "engine/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int handled;

static void handle(int signal)
{
    handled = signal;
}

static int set_up(void **state)
{
    (void)state;
    handled = 0;
    signal(SIGUSR1, handle);
    signal(SIGPIPE, handle);
    return 0;
}

static void a_signal_is_pending_until_the_mask_is_restored(void **state)
{
    struct signals signals = {.may_pipe = true};
    (void)state;
    signals_block(&signals);
    assert_false(signals_are_pending(&signals));
    raise(SIGUSR1);
    assert_true(signals_are_pending(&signals));
    assert_int_equal(handled, 0);
    signals_restore(&signals);
    assert_int_equal(handled, SIGUSR1);
}

static void a_signal_that_the_caller_blocks_is_not_for_it(void **state)
{
    struct signals usual = {.may_pipe = false}, signals = {.may_pipe = true};
    (void)state;
    signals_block(&usual); /* the caller, which blocks all of them */
    signals_block(&signals);
    raise(SIGUSR1);
    raise(SIGPIPE);
    assert_false(signals_are_pending(&signals));
    signals_restore(&signals);
    assert_int_equal(handled, 0);
    sigdelset(&usual.before, SIGUSR1);
    signals_restore(&usual);
    assert_int_equal(handled, SIGUSR1); /* and SIGPIPE before it, or it was dropped */
}

static void a_sigpipe_is_dropped(void **state)
{
    struct signals signals = {.may_pipe = true};
    (void)state;
    for (int check = 0; check < 2; check++) {
        signals_block(&signals);
        raise(SIGPIPE);
        if (check)
            assert_false(signals_are_pending(&signals));
        signals_restore(&signals);
        assert_int_equal(handled, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_signal_is_pending_until_the_mask_is_restored, set_up),
        cmocka_unit_test_setup(a_signal_that_the_caller_blocks_is_not_for_it, set_up),
        cmocka_unit_test_setup(a_sigpipe_is_dropped, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
