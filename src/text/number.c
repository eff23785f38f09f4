/* number.c - numbers as JSON text; see number.h. */
#include "number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
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

/* The powers of ten that are exact doubles. */
static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Most fractions have few digits. Those and a power of ten are exact doubles, so that their
 * quotient is the nearest double. False: the number is not of this form. */
static bool read_fraction(const char *text, double *value)
{
    bool is_negative = *text == '-';
    int64_t digits = 0;
    int places = -1, count = 0;
    for (text += is_negative; *text && count <= 15; text++) {
        if (*text == '.') {
            places = 0;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        digits = digits * 10 + (*text - '0');
        count++;
        places += places >= 0;
    }
    if (count > 15 || FLT_EVAL_METHOD != 0)
        return false;
    double magnitude = (double)digits / tens[places < 0 ? 0 : places];
    *value = is_negative ? -magnitude : magnitude;
    return true;
}

double number_read(const char *text)
{
    double value;
    return read_fraction(text, &value) ? value : strtod_l(text, NULL, get_locale());
}

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

#ifdef __SIZEOF_INT128__
#define HAS_FRACTIONS true

typedef unsigned __int128 uint128;

#define MANTISSA_BITS 52
#define E17 UINT64_C(100000000000000000)

/* A fraction is mantissa * 2^-shift. Times 10^places, which is below 2^127 and so is computed
 * exactly, it has 17 digits before the binary point and `shift` bits behind it. */
struct scaled {
    uint64_t mantissa;
    int shift, places;
    uint64_t whole;
    uint128 rest, half_gap; /* anything nearer than half of the gap reads back as the same double */
};

static void scale(struct scaled *scaled, int places)
{
    uint128 power = (uint128)tens[places], product = scaled->mantissa * power;
    scaled->places = places;
    scaled->whole = (uint64_t)(product >> scaled->shift);
    scaled->rest = product & (((uint128)1 << scaled->shift) - 1);
    /* Below a power of two the gap is half as wide, but those in question have few digits. */
    scaled->half_gap = power / 2;
}

/* Rounds to `dropped` digits fewer. False: that reads back as another double. */
static bool round_to(const struct scaled *scaled, int dropped, uint64_t *digits)
{
    const uint64_t unit = dropped == 2 ? 100 : dropped == 1 ? 10 : 1;
    uint128 below = ((uint128)(scaled->whole % unit) << scaled->shift) + scaled->rest;
    uint128 above = ((uint128)unit << scaled->shift) - below;
    *digits = scaled->whole / unit + (above <= below);
    return (above <= below ? above : below) < scaled->half_gap;
}

/* Writes a number from 1e-5 to 2^53 that is not whole. The shortest of the texts that read back as
 * this double has at most 17 digits. A text of up to 15 digits is the only one of its length, so
 * it is that of 15 digits without the zeros at its end. */
static size_t write_fraction(double value, char *to)
{
    struct scaled scaled;
    uint64_t bits, digits;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> MANTISSA_BITS) - 1023;
    scaled.mantissa = (bits & ((UINT64_C(1) << MANTISSA_BITS) - 1)) | UINT64_C(1) << MANTISSA_BITS;
    scaled.shift = MANTISSA_BITS - exponent;
    int log10 = (exponent * 78913) >> 18; /* the decimal exponent, or one less */
    scale(&scaled, 16 - log10);
    if (scaled.whole >= E17)
        scale(&scaled, scaled.places - 1);
    int dropped = 2;
    while (!round_to(&scaled, dropped, &digits) && dropped)
        dropped--;
    int places = scaled.places - dropped;
    for (; digits % 10 == 0; digits /= 10)
        places--;
    return write_decimal(digits, places, to);
}
#else
#define HAS_FRACTIONS false
static size_t write_fraction(double value, char *to)
{
    (void)value, (void)to, (void)write_decimal;
    return 0;
}
#endif

/* By the C library, for numbers of any size. */
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
    if (magnitude < 1e17 && value == (double)(int64_t)value && (value != 0 || !signbit(value)))
        return number_write_integer((int64_t)value, to);
    if (!HAS_FRACTIONS || magnitude < 1e-5 || magnitude >= 0x1p53)
        return write_any(value, to);
    *to = '-';
    return (value < 0) + write_fraction(magnitude, to + (value < 0));
}
