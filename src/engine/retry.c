/* retry.c - whether a request is sent again, and after which pause; see retry.h. */
#include "retry.h"

#include "clock.h"
#include "text/ascii.h"

#include <curl/curl.h>
#include <string.h>

#define FIRST_BOUND_US INT64_C(250000)
#define LAST_BOUND_US INT64_C(10000000)
#define LONGEST_HOLD_US INT64_C(86400000000)

#define ANSWERED_COST 5u
#define CUT_COST 10u

/* Whether a status is transient, so that the same request may succeed later: 408 (RFC 9110,
 * 15.5.9), 425 (RFC 8470, 5.2), 5xx. */
static bool is_transient(int status)
{
    return status == 408 || status == 425 || status >= 500;
}

static bool worth_repeating(const struct retry_history *history, const struct try_result *result)
{
    if (result->end == TRY_HOPELESS)
        return false;
    if (result->end == TRY_CUT)
        return history->repeatable || !result->sent;
    if (result->status == 429)
        return true; /* not processed */
    if (result->status == 503 && result->retry_after_us >= 0)
        return true; /* likewise, since the service says when to retry */
    return history->repeatable && is_transient(result->status);
}

enum retry_choice retry_decide(const struct retry_history *history, const struct try_result *result)
{
    if (result->end == TRY_STARVED)
        return RETRY_WITH_ROOM;
    if (!worth_repeating(history, result))
        return RETRY_NO;
    /* A server may close an idle connection just as a request is sent on it. That says nothing
     * about its health, so the repetition is immediate and free. */
    if (result->end == TRY_CUT && result->sent && result->silent && result->reused &&
        !history->stale_excused)
        return RETRY_AT_ONCE;
    return history->tries < history->limit ? RETRY_AFTER_PAUSE : RETRY_NO;
}

bool retry_quota_take(struct retry_quota *quota, const struct try_result *result, unsigned *paid)
{
    unsigned cost = result->end == TRY_ANSWERED ? ANSWERED_COST : CUT_COST;
    if (cost > quota->left)
        return false;
    quota->left -= cost;
    *paid = cost;
    return true;
}

void retry_quota_refill(struct retry_quota *quota, unsigned paid)
{
    quota->left += paid ? paid : 1;
    if (quota->left > RETRY_QUOTA_FULL)
        quota->left = RETRY_QUOTA_FULL;
}

int64_t retry_pause_us(unsigned tries, int64_t asked_us, uint64_t random)
{
    if (asked_us >= 0)
        return asked_us;
    int64_t bound = FIRST_BOUND_US;
    for (unsigned doubling = 1; doubling < tries && bound < LAST_BOUND_US; doubling++)
        bound *= 2;
    if (bound > LAST_BOUND_US)
        bound = LAST_BOUND_US;
    return (int64_t)(random % (uint64_t)(bound + 1));
}

int64_t retry_hold_us(int64_t asked_us)
{
    if (asked_us < 0)
        return 0;
    return asked_us < LONGEST_HOLD_US ? asked_us : LONGEST_HOLD_US;
}

static int64_t seconds_us(const char *value, size_t length)
{
    int64_t span = 0;
    for (size_t i = 0; i < length; i++) {
        if (!ascii_is_digit(value[i]))
            return -1;
        if (span < CLOCK_LONGEST_US)
            span = span * 10 + (int64_t)(value[i] - '0') * 1000000;
    }
    return span < CLOCK_LONGEST_US ? span : CLOCK_LONGEST_US;
}

/* curl_getdate() accepts many formats beside the three forms of an HTTP date. All three begin with
 * the name of a day. */
static bool looks_like_date(const char *value, size_t length)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    for (size_t i = 0; length >= 3 && i < sizeof days / sizeof *days; i++)
        if (memcmp(value, days[i], 3) == 0)
            return memchr(value, ':', length) != NULL;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *trim(const char *value, size_t *length)
{
    while (*length && is_blank(value[*length - 1]))
        --*length;
    for (; *length && is_blank(*value); value++)
        --*length;
    return value;
}

int64_t retry_date_s(const char *value, size_t length)
{
    char date[64];
    value = trim(value, &length);
    if (length >= sizeof date || !looks_like_date(value, length))
        return -1;
    memcpy(date, value, length);
    date[length] = '\0';
    return (int64_t)curl_getdate(date, NULL);
}

int64_t retry_after_us(const char *value, size_t length, int64_t now_s)
{
    value = trim(value, &length);
    if (length == 0)
        return -1;
    if (ascii_is_digit(*value))
        return seconds_us(value, length);
    int64_t then_s = retry_date_s(value, length);
    if (then_s == -1) /* not a date; one before 1970 gives another negative number */
        return -1;
    int64_t span_s = then_s - now_s;
    if (span_s <= 0)
        return 0;
    return span_s < CLOCK_LONGEST_US / 1000000 ? span_s * 1000000 : CLOCK_LONGEST_US;
}
