/* number.c - numbers as JSON text; see number.h. */
#include "number.h"

#include "ascii.h"
#include "wide.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The process's locale may have a decimal comma. */
static locale_t c_locale;

static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t get_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_locale); /* a program may have Lua states in several threads */
    return c_locale;
}

#define E17 INT64_C(100000000000000000)

/* digits * 10^exponent, and less than a unit of the last digit more if it is cut. */
struct decimal {
    uint64_t digits;
    int64_t exponent;
    bool is_cut;
};

#define MANTISSA_BITS 53
#define LEAST_EXPONENT (-1074) /* of a mantissa with all its bits */
#define MOST_EXPONENT 970      /* one less, as rounding may add one */

/* ---- reading ---- */

bool number_read_integer(const char *text, size_t length, int64_t *value)
{
    bool is_negative = *text == '-';
    uint64_t magnitude = 0, most = (uint64_t)INT64_MAX + is_negative;
    if (length - is_negative > 19)
        return false;
    for (size_t i = is_negative; i < length; i++)
        magnitude = magnitude * 10 + (uint64_t)(text[i] - '0');
    *value = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return magnitude <= most;
}

/* Reads digits, up to 19 without zeros before. The others are cut. */
static const char *read_digits(const char *text, struct decimal *decimal)
{
    for (; ascii_is_digit(*text); text++) {
        if (decimal->digits < 10 * E17) {
            decimal->digits = decimal->digits * 10 + (uint64_t)(*text - '0');
        } else {
            decimal->exponent++;
            decimal->is_cut = true;
        }
    }
    return text;
}

/* Stops where no text is long enough to make up for it. */
static int64_t read_exponent(const char *text)
{
    bool is_negative = *text == '-';
    int64_t exponent = 0;
    for (text += is_negative || *text == '+'; ascii_is_digit(*text) && exponent < E17; text++)
        exponent = exponent * 10 + (*text - '0');
    return is_negative ? -exponent : exponent;
}

/* Reads a number without its sign. */
static struct decimal read_decimal(const char *text)
{
    struct decimal decimal = {0};
    text = read_digits(text, &decimal);
    if (*text == '.') {
        const char *first = text + 1;
        text = read_digits(first, &decimal);
        decimal.exponent -= text - first;
    }
    if (*text == 'e' || *text == 'E')
        decimal.exponent += read_exponent(text + 1);
    return decimal;
}

/* Up to this power, powers of ten are exact doubles. */
#define MOST_EXACT_POWER 22
static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Of two exact doubles, the product and the quotient are the nearest double. False: they are not
 * exact. */
static bool to_double_exactly(const struct decimal *decimal, double *value)
{
    bool is_exact = decimal->digits >> MANTISSA_BITS == 0 && !decimal->is_cut &&
                    decimal->exponent >= -MOST_EXACT_POWER &&
                    decimal->exponent <= MOST_EXACT_POWER && FLT_EVAL_METHOD == 0;
    if (!is_exact)
        return false;
    double digits = (double)decimal->digits;
    *value = decimal->exponent < 0 ? digits / tens[-decimal->exponent]
                                   : digits * tens[decimal->exponent];
    return true;
}

#ifdef WIDE_LEAST_POWER
/* False: the bits do not decide which double is the nearest, or it is not a normal one. */
static bool to_double(const struct decimal *decimal, double *value)
{
    const int dropped = 128 - MANTISSA_BITS;
    const uint128 half = (uint128)1 << (dropped - 1);
    if (decimal->digits == 0 || decimal->exponent < WIDE_LEAST_POWER ||
        decimal->exponent > WIDE_MOST_POWER)
        return false;
    struct wide wide = wide_power_of_ten((int)decimal->exponent);
    wide_multiply(&wide, decimal->digits);
    uint128 rest = wide.bits & (2 * half - 1);
    /* A unit of 19 digits is less than 2^-59 of them. */
    uint128 error = decimal->is_cut ? (uint128)1 << 70 : WIDE_ERROR;
    int exponent = wide.exponent + dropped;
    if ((rest <= half && rest + error >= half) || exponent < LEAST_EXPONENT ||
        exponent > MOST_EXPONENT)
        return false;
    /* The highest bit of the mantissa, which a double does not have, adds one to the exponent. */
    uint64_t bits = (uint64_t)(wide.bits >> dropped) + (rest > half);
    bits += (uint64_t)(exponent - LEAST_EXPONENT) << (MANTISSA_BITS - 1);
    memcpy(value, &bits, sizeof bits);
    return true;
}
#else
static bool to_double(const struct decimal *decimal, double *value)
{
    (void)decimal, (void)value;
    return false;
}
#endif

double number_read(const char *text)
{
    bool is_negative = *text == '-';
    struct decimal decimal = read_decimal(text + is_negative);
    double value;
    if (!to_double_exactly(&decimal, &value) && !to_double(&decimal, &value))
        return strtod_l(text, NULL, get_locale());
    return is_negative ? -value : value;
}

/* ---- writing ---- */

size_t number_write_integer(int64_t value, char *to)
{
    char digits[20], *first = digits + sizeof digits;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--first = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    size_t length = (size_t)(digits + sizeof digits - first);
    *to = '-';
    memcpy(to + (value < 0), first, length);
    return length + (value < 0);
}

/* Writes digits * 10^-places, where 0 < places <= 22. */
static size_t write_decimal(uint64_t digits, int places, char *to)
{
    char text[NUMBER_MAX_LENGTH], *first = text + sizeof text;
    for (; places; places--, digits /= 10)
        *--first = (char)('0' + digits % 10);
    *--first = '.';
    do
        *--first = (char)('0' + digits % 10);
    while (digits /= 10);
    size_t length = (size_t)(text + sizeof text - first);
    memcpy(to, first, length);
    return length;
}

/* Writes digits * 10^exponent, as printf() does with %e. */
static size_t write_scientific(uint64_t digits, int exponent, char *to)
{
    size_t count = number_write_integer((int64_t)digits, to + 1);
    exponent += (int)count - 1;
    to[0] = to[1];
    to[1] = '.';
    size_t length = count == 1 ? 1 : count + 1;
    to[length++] = 'e';
    to[length++] = exponent < 0 ? '-' : '+';
    exponent = abs(exponent);
    if (exponent < 10)
        to[length++] = '0';
    return length + number_write_integer(exponent, to + length);
}

#ifdef WIDE_LEAST_POWER
/* Finds the power of ten whose product with a positive, normal double has 17 digits before the
 * point, or 18, and that product in halves. */
static int scale(double value, uint64_t *halves)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t highest = UINT64_C(1) << (MANTISSA_BITS - 1), mantissa = bits % highest + highest;
    int exponent = (int)(bits / highest) - 1 + LEAST_EXPONENT;
    int log10 =
        ((exponent + MANTISSA_BITS - 1) * 78913) >> 18; /* the decimal exponent, or one less */
    struct wide wide = wide_power_of_ten(16 - log10);
    wide_multiply(&wide, mantissa);
    *halves = (uint64_t)(wide.bits >> (-1 - wide.exponent - exponent));
    return 16 - log10;
}

/* Finds the shortest number that reads back as a positive, normal double. Of numbers of up to 15
 * digits at most one does, which is the nearest of 15 digits; and 17 digits always suffice. False:
 * the bits do not decide it. */
static bool find_shortest(double value, struct decimal *decimal)
{
    uint64_t halves;
    int power = scale(value, &halves);
    bool has_18 = halves >= 2 * E17;
    uint64_t units[] = {1, 10, 100, 1000}, *unit = units + has_18;
    double read = 0;
    *decimal = (struct decimal){.exponent = has_18 + 3 - power};
    for (int dropped = 2; dropped >= 0 && read != value; dropped--) {
        decimal->digits = (halves + unit[dropped]) / (2 * unit[dropped]);
        decimal->exponent--;
        if (dropped && !to_double_exactly(decimal, &read) && !to_double(decimal, &read))
            return false;
    }
    return true;
}
#else
static bool find_shortest(double value, struct decimal *decimal)
{
    (void)value, (void)decimal;
    return false;
}
#endif

/* Writes any finite number, by the C library. */
static size_t write_any(double value, char *to)
{
    char text[NUMBER_MAX_LENGTH];
    int length,
        precision = fabs(value) < DBL_MIN ? 1 : 15; /* numbers below that have fewer digits */
    locale_t before = uselocale(get_locale());
    do
        length = snprintf(text, sizeof text, "%.*g", precision, value);
    while (precision++ < 17 && strtod(text, NULL) != value);
    uselocale(before);
    memcpy(to, text, (size_t)length);
    return (size_t)length;
}

size_t number_write(double value, char *to)
{
    double magnitude = fabs(value);
    struct decimal decimal;
    if (magnitude < 1e17 && value == (double)(int64_t)value && (value != 0 || !signbit(value)))
        return number_write_integer((int64_t)value, to);
    if (magnitude < DBL_MIN || !find_shortest(magnitude, &decimal))
        return write_any(value, to);
    for (; decimal.digits % 10 == 0; decimal.digits /= 10)
        decimal.exponent++;
    size_t sign = value < 0;
    *to = '-';
    if (magnitude >= 1e-5 && magnitude < 1e17)
        return sign + write_decimal(decimal.digits, (int)-decimal.exponent, to + sign);
    return sign + write_scientific(decimal.digits, (int)decimal.exponent, to + sign);
}
