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

static void assert_read(const char *number)
{
    double read = number_read(number), expected = strtod(number, NULL);
    if (memcmp(&read, &expected, sizeof read) != 0)
        fail_msg("%s was read as %a, and not %a", number, read, expected);
}

static void a_number_is_read(void **state)
{
    (void)state;
    assert_true(number_read("-1.5e3") == -1500);
    assert_true(signbit(number_read("-0.0")));
    const char *const numbers[] = {"0", "-0", "0.0", "0e999999999999999999999", "-0.0E-5", "1e999",
        "-1e999", "1e-999", "5e-324", "2e-324", "2.4703282292062327208e-324", "1e22", "1e23",
        "8.5e22", "9007199254740993", "9007199254740993.0", "9007199254740992.9999999999999999",
        "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308",
        "1.7976931348623158e308", "1.7976931348623159e308", "1e-342", "1e-343", "1e341", "1e342",
        "18446744073709551615", "18446744073709551616", "0.1e-9999999999", "1e99999999999999999999",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000001e78",
        "123456789012345678901234567890", "1234567890123456789012345678901234567890e-40"};
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_read(numbers[i]);
}

/* A number whose exponent makes up for a fraction of many zeros. */
static void the_exponent_of_a_long_number_is_exact(void **state)
{
    (void)state;
    static char number[20100];
    for (int zeros = 20000; zeros < 20020; zeros++) {
        memcpy(number, "0.", 2);
        memset(number + 2, '0', (size_t)zeros);
        strcpy(number + 2 + zeros, "15e20003");
        assert_read(number);
        strcpy(number + 2 + zeros, "15e100000000000000020003");
        assert_read(number);
    }
}

/* Numbers of any number of digits and of any exponent, and those around the middle between two
 * doubles. */
static void any_number_is_read_as_by_the_c_library(void **state)
{
    (void)state;
    srand48(1);
    for (int i = 0; i < 100000; i++) {
        char number[100];
        int length = 0, exponent = (int)(lrand48() % (i % 2 ? 30 : 350));
        for (long digits = 1 + lrand48() % (i % 3 ? 19 : 30); digits > 0; digits--)
            number[length++] = (char)('0' + lrand48() % 10);
        if (i % 5) {
            number[length++] = '.';
            for (long digits = 1 + lrand48() % 24; digits > 0; digits--)
                number[length++] = (char)('0' + (i % 7 ? lrand48() % 10 : 0));
        }
        sprintf(number + length, i % 4 ? "e%d" : "E-%d", exponent);
        assert_read(number);
        uint64_t bits = ((uint64_t)mrand48() << 32 ^ (uint64_t)mrand48()) >> 1;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        long double middle = ((long double)value + nextafter(value, INFINITY)) / 2;
        snprintf(number, sizeof number, "%.*Le", 14 + (int)(lrand48() % 40), middle);
        assert_read(number);
    }
}

static void an_integer_is_read_up_to_64_bits(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool fits;
        int64_t value;
    } numbers[] = {{"0", true, 0}, {"-0", true, 0}, {"7", true, 7}, {"-7", true, -7},
        {"9223372036854775807", true, INT64_MAX}, {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0}, {"-9223372036854775809", false, 0},
        {"9999999999999999999", false, 0}, {"10000000000000000000", false, 0},
        {"18446744073709551617", false, 0}, {"-99999999999999999999999", false, 0}};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        int64_t value;
        bool fits = number_read_integer(numbers[i].text, strlen(numbers[i].text), &value);
        assert_int_equal(fits, numbers[i].fits);
        if (fits)
            assert_int_equal(value, numbers[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_written_in_the_usual_form),
        cmocka_unit_test(an_integer_of_64_bits_has_all_its_digits),
        cmocka_unit_test(a_double_reads_back_and_is_as_short_as_possible),
        cmocka_unit_test(a_number_is_read),
        cmocka_unit_test(the_exponent_of_a_long_number_is_exact),
        cmocka_unit_test(any_number_is_read_as_by_the_c_library),
        cmocka_unit_test(an_integer_is_read_up_to_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
