/* transfer_test.c - which releases of libcurl spoil their handles. */
#include "engine/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void handles_are_spoilt_from_7_84_0_to_8_0_1(void **state)
{
    (void)state;
    assert_false(transfer_spoils_handle(0x075301));
    assert_true(transfer_spoils_handle(0x075400));
    assert_true(transfer_spoils_handle(0x075801)); /* Debian 12 */
    assert_true(transfer_spoils_handle(0x080001));
    assert_false(transfer_spoils_handle(0x080100));
    assert_false(transfer_spoils_handle(0x080e01)); /* Debian 13 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_are_spoilt_from_7_84_0_to_8_0_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
