/* number_test.c - numbers as JSON text. */
#include "text/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The text of a double, with its NUL. */
static const char *written(double value)
{
    static char text[NUMBER_MAX_LENGTH + 1];
    size_t length = number_write(value, text);
    assert_in_range(length, 1, NUMBER_MAX_LENGTH);
    text[length] = '\0';
    return text;
}

/* The number of digits of a number, without zeros at its ends. */
static size_t digits_of(const char *text)
{
    size_t count = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        count += count || *text != '0';
    }
    return count - (count ? zeros : 0);
}

static size_t least_digits(double value)
{
    for (int digits = 1;; digits++) {
        char text[64];
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value)
            return (size_t)digits;
    }
}

static void assert_exact(double value)
{
    const char *text = written(value);
    char *end;
    double read = strtod(text, &end);
    if (*end || memcmp(&read, &value, sizeof read))
        fail_msg("%.17g became %s", value, text);
    if (value == floor(value) && fabs(value) < 1e17)
        assert_null(strpbrk(text, ".e"));
    else if (digits_of(text) > least_digits(value))
        fail_msg("%.17g could be shorter than %s", value, text);
}

static void assert_exact_beside(double value)
{
    assert_exact(value);
    assert_exact(-value);
    assert_exact(nextafter(value, 0));
    assert_exact(nextafter(value, INFINITY));
}

static void a_number_is_written_in_the_usual_form(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *text;
    } numbers[] = {{0, "0"}, {-0.0, "-0"}, {1, "1"}, {-42, "-42"}, {0.5, "0.5"}, {-0.25, "-0.25"},
        {0.1, "0.1"}, {2.675, "2.675"}, {100.01, "100.01"}, {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"}, {3.141592653589793, "3.141592653589793"},
        {1700000000.123456, "1700000000.123456"}, {0.00001, "0.00001"}, {0.0000099, "9.9e-06"},
        {1e16, "10000000000000000"}, {1e17, "1e+17"}, {0x1p53, "9007199254740992"},
        {4503599627370495.5, "4503599627370495.5"}, {1e300, "1e+300"}, {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"}};
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_string_equal(written(numbers[i].value), numbers[i].text);
}

static void an_integer_of_64_bits_has_all_its_digits(void **state)
{
    (void)state;
    const struct {
        int64_t value;
        const char *text;
    } numbers[] = {{0, "0"}, {7, "7"}, {-7, "-7"}, {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"}, {INT64_C(9007199254740993), "9007199254740993"}};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char text[NUMBER_MAX_LENGTH];
        size_t length = number_write_integer(numbers[i].value, text);
        assert_int_equal(length, strlen(numbers[i].text));
        assert_memory_equal(text, numbers[i].text, length);
    }
}

static void a_double_reads_back_and_is_as_short_as_possible(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++)
        assert_exact_beside(ldexp(1, exponent)); /* the gap below is half of the gap above */
    for (int exponent = -300; exponent < 300; exponent++)
        assert_exact_beside(pow(10, exponent));
    srand48(1);
    for (int i = 0; i < 20000; i++) {
        assert_exact((double)(lrand48() % 10000000) / pow(10, (double)(lrand48() % 12)));
        assert_exact((drand48() - 0.5) * pow(10, (double)(lrand48() % 24 - 6)));
        assert_exact((double)(float)drand48());
        uint64_t bits = (uint64_t)mrand48() << 32 ^ (uint64_t)mrand48();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            assert_exact(value);
    }
}

static void a_number_is_read(void **state)
{
    (void)state;
    assert_true(number_read("-1.5e3") == -1500);
    assert_true(signbit(number_read("-0.0")));
    for (int i = 0; i < 20000; i++) {
        char number[64];
        int digits =
            (int)(lrand48() % 19); /* with 15 digits, and with more, it is read differently */
        snprintf(number, sizeof number, "%.*f", digits,
            (drand48() - 0.5) * pow(10, (double)(lrand48() % 6)));
        if (number_read(number) != strtod(number, NULL))
            fail_msg("%s was read as %.17g", number, number_read(number));
    }
    assert_true(isinf(number_read("1e999")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_written_in_the_usual_form),
        cmocka_unit_test(an_integer_of_64_bits_has_all_its_digits),
        cmocka_unit_test(a_double_reads_back_and_is_as_short_as_possible),
        cmocka_unit_test(a_number_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
