/* retry_after_fuzzer.c - reads any bytes as the value of a Retry-After header.
 *
 * The result is -1 or a span up to CLOCK_LONGEST_US. For seconds and the three forms of an HTTP
 * date it agrees with a simple implementation of RFC 9110. */
#include "check.h"
#include "engine/clock.h"
#include "engine/retry.h"

#include <stdbool.h>
#include <string.h>

/* Two current times, in 2026 and in 1970, so that dates are before, between and after them. */
static const int64_t nows_s[] = {1789000000, 0};

/* ---- the simple implementation ---- */

struct text {
    const char *at, *end;
};

static bool take(struct text *text, const char *literal)
{
    size_t length = strlen(literal);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, literal, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* A number of that many digits. With `blank`, the first may be a space. */
static bool take_number(struct text *text, int digits, bool blank, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, text->at++) {
        if (text->at == text->end)
            return false;
        if (blank && i == 0 && *text->at == ' ')
            continue;
        if (*text->at < '0' || *text->at > '9')
            return false;
        *value = *value * 10 + (*text->at - '0');
    }
    return true;
}

static bool take_name(struct text *text, const char *const *names, int count, int *place)
{
    for (*place = 0; *place < count; ++*place)
        if (take(text, names[*place]))
            return true;
    return false;
}

static bool take_time(struct text *text, struct tm *date)
{
    return take_number(text, 2, false, &date->tm_hour) && take(text, ":") &&
           take_number(text, 2, false, &date->tm_min) && take(text, ":") &&
           take_number(text, 2, false, &date->tm_sec);
}

static const char *const months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool is_fixdate(struct text text, struct tm *date)
{
    int day;
    return take_name(&text, days, 7, &day) && take(&text, ", ") &&
           take_number(&text, 2, false, &date->tm_mday) && take(&text, " ") &&
           take_name(&text, months, 12, &date->tm_mon) && take(&text, " ") &&
           take_number(&text, 4, false, &date->tm_year) && take(&text, " ") &&
           take_time(&text, date) && take(&text, " GMT") && text.at == text.end;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool is_asctime(struct text text, struct tm *date)
{
    int day;
    return take_name(&text, days, 7, &day) && take(&text, " ") &&
           take_name(&text, months, 12, &date->tm_mon) && take(&text, " ") &&
           take_number(&text, 2, true, &date->tm_mday) && take(&text, " ") &&
           take_time(&text, date) && take(&text, " ") &&
           take_number(&text, 4, false, &date->tm_year) && text.at == text.end;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool is_rfc850(struct text text, struct tm *date)
{
    int day;
    if (!take_name(&text, long_days, 7, &day) || !take(&text, ", ") ||
        !take_number(&text, 2, false, &date->tm_mday) || !take(&text, "-") ||
        !take_name(&text, months, 12, &date->tm_mon) || !take(&text, "-") ||
        !take_number(&text, 2, false, &date->tm_year) || !take(&text, " ") ||
        !take_time(&text, date) || !take(&text, " GMT") || text.at != text.end)
        return false;
    date->tm_year += date->tm_year > 70 ? 1900 : 2000; /* as in libcurl */
    return true;
}

/* Whether the date and time exist, from the year 1583 on, when the Gregorian calendar was in
 * use. */
static bool is_real(const struct tm *date, int64_t *then_s)
{
    struct tm same = *date;
    same.tm_year -= 1900;
    struct tm turned = same;
    *then_s = timegm(&turned);
    return date->tm_year >= 1583 && date->tm_mday > 0 && turned.tm_mday == same.tm_mday &&
           turned.tm_mon == same.tm_mon && turned.tm_hour == same.tm_hour &&
           turned.tm_min == same.tm_min && turned.tm_sec == same.tm_sec;
}

static bool is_date(struct text text, int64_t *then_s)
{
    struct tm date = {0};
    return (is_fixdate(text, &date) || is_asctime(text, &date) || is_rfc850(text, &date)) &&
           is_real(&date, then_s);
}

/* Whether it is a number of seconds. Numbers of more than 15 digits are not computed. */
static bool is_seconds(struct text text, int64_t *span_s)
{
    *span_s = 0;
    const char *start = text.at;
    for (; text.at < text.end && *text.at >= '0' && *text.at <= '9'; text.at++)
        *span_s = *span_s < INT64_C(1000000000000000) ? *span_s * 10 + (*text.at - '0') : *span_s;
    return text.at > start && text.at == text.end;
}

/* ---- the target ---- */

static int64_t capped_us(int64_t span_s)
{
    if (span_s <= 0)
        return 0;
    return span_s < CLOCK_LONGEST_US / 1000000 ? span_s * 1000000 : CLOCK_LONGEST_US;
}

static struct text trimmed(const char *value, size_t size)
{
    struct text text = {value, value + size};
    while (text.at < text.end && strchr(" \t", text.end[-1]) && text.end[-1])
        text.end--;
    while (text.at < text.end && strchr(" \t", *text.at) && *text.at)
        text.at++;
    return text;
}

static void check_at(const char *value, size_t size, int64_t now_s)
{
    int64_t asked_us = retry_after_us(value, size, now_s), meant_s;
    struct text text = trimmed(value, size);
    CHECK(asked_us >= -1 && asked_us <= CLOCK_LONGEST_US);
    CHECK(asked_us < 0 || retry_pause_us(1, asked_us, 0) == asked_us);
    CHECK(retry_hold_us(asked_us) >= 0 && retry_hold_us(asked_us) <= INT64_C(86400000000));
    if (is_seconds(text, &meant_s))
        CHECK(asked_us == capped_us(meant_s));
    else if (is_date(text, &meant_s))
        CHECK(asked_us == capped_us(meant_s - now_s));
    else if (text.at == text.end || (*text.at >= '0' && *text.at <= '9') ||
             !memchr(text.at, ':', (size_t)(text.end - text.at)))
        CHECK(asked_us == -1); /* neither seconds nor a date */
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    char *value = malloc(size); /* of exactly that size, for AddressSanitizer */
    CHECK(value || !size);
    if (size)
        memcpy(value, input, size);
    for (size_t i = 0; i < sizeof nows_s / sizeof *nows_s; i++)
        check_at(value, size, nows_s[i]);
    free(value);
    return 0;
}
