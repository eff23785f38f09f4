/* retry_test.c - whether a request is repeated, and after which pause. The clock is a number. */
#include "engine/retry.h"

#include "engine/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SECOND INT64_C(1000000)
#define NOTHING (-1) /* no Retry-After */

/* splitmix64: the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- whether to send again ---- */

/* A history that allows further tries. */
static struct retry_history first_of_four(bool repeatable)
{
    return (struct retry_history){.repeatable = repeatable, .tries = 1, .limit = 4};
}

static void assert_choice(
    const struct retry_history *budget, const struct try_result *result, enum retry_choice expected)
{
    enum retry_choice choice = retry_decide(budget, result);
    if (choice != expected)
        fail_msg("choice %d, not %d: end %d, status %d, sent %d, silent %d, reused %d, "
                 "Retry-After %lld, repeatable %d, try %u of %u, excused %d",
            choice, expected, result->end, result->status, result->sent, result->silent,
            result->reused, (long long)result->retry_after_us, budget->repeatable, budget->tries,
            budget->limit, budget->stale_excused);
}

/* Asserts the same choice for every combination of the fields that must not matter after an answer
 * or a hopeless try. */
static void assert_choice_whatever_the_connection(
    bool repeatable, struct try_result result, enum retry_choice expected)
{
    struct retry_history budget = first_of_four(repeatable);
    for (unsigned bits = 0; bits < 16; bits++) {
        result.sent = bits & 1;
        result.silent = bits & 2;
        result.reused = bits & 4;
        budget.stale_excused = bits & 8;
        assert_choice(&budget, &result, expected);
    }
}

static const enum retry_choice no = RETRY_NO, at_once = RETRY_AT_ONCE, later = RETRY_AFTER_PAUSE;

/* Each status, with and without Retry-After, for a read and for a start. */
static void an_answer_is_judged_by_its_status(void **state)
{
    (void)state;
    const struct {
        int status;
        enum retry_choice read, read_asked, start, start_asked;
    } rows[] = {
        {200, no, no, no, no},
        {201, no, no, no, no},
        {204, no, no, no, no},
        {302, no, no, no, no},
        {400, no, no, no, no},
        {401, no, no, no, no},
        {404, no, no, no, no},
        {408, later, later, no, no}, /* the server timed out, perhaps within the request */
        {409, no, no, no, no},
        {410, no, no, no, no},
        {423, no, no, no, no},
        {425, later, later, no, no},       /* too early: it may be a replay */
        {429, later, later, later, later}, /* not processed */
        {499, no, no, no, no},
        {500, later, later, no, no},
        {502, later, later, no, no},
        {503, later, later, no, later}, /* not processed only with Retry-After */
        {504, later, later, no, no},
        {599, later, later, no, no},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct try_result result = {
            .end = TRY_ANSWERED, .status = rows[i].status, .retry_after_us = NOTHING};
        assert_choice_whatever_the_connection(true, result, rows[i].read);
        assert_choice_whatever_the_connection(false, result, rows[i].start);
        const int64_t asked[] = {0, 1, 30 * SECOND, CLOCK_LONGEST_US};
        for (size_t k = 0; k < COUNT(asked); k++) {
            result.retry_after_us = asked[k];
            assert_choice_whatever_the_connection(true, result, rows[i].read_asked);
            assert_choice_whatever_the_connection(false, result, rows[i].start_asked);
        }
    }
}

static void a_hopeless_request_is_not_repeated(void **state)
{
    (void)state;
    const int statuses[] = {0, 200, 429, 500, 503};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct try_result result = {
            .end = TRY_HOPELESS, .status = statuses[i], .retry_after_us = NOTHING};
        assert_choice_whatever_the_connection(true, result, no);
        assert_choice_whatever_the_connection(false, result, no);
        result.retry_after_us = 0;
        assert_choice_whatever_the_connection(true, result, no);
        assert_choice_whatever_the_connection(false, result, no);
    }
}

/* Every way in which a try can be cut off. What matters is whether the service may have the
 * request. */
static void a_cut_try_is_repeated_only_if_that_is_safe(void **state)
{
    (void)state;
    const struct {
        bool sent, silent, reused;
        enum retry_choice read, start;
    } rows[] = {
        {false, true, false, later, later}, /* connection refused, or no such host */
        {false, true, true, later, later},  /* a reused connection broke first */
        {false, false, false, later, later},
        {false, false, true, later, later},
        {true, true, false, later, no}, /* no byte of an answer */
        {true, true, true, at_once, no},
        {true, false, false, later, no}, /* a part of an answer */
        {true, false, true, later, no},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct retry_history reads = first_of_four(true), starts = first_of_four(false);
        struct try_result result = {.end = TRY_CUT,
            .sent = rows[i].sent,
            .silent = rows[i].silent,
            .reused = rows[i].reused,
            .retry_after_us = NOTHING};
        assert_choice(&reads, &result, rows[i].read);
        assert_choice(&starts, &result, rows[i].start);
    }
}

/* The status of a truncated answer is known, but the rest could have been anything. */
static void the_status_of_a_truncated_answer_does_not_count(void **state)
{
    (void)state;
    const int statuses[] = {200, 404, 429, 503};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct retry_history reads = first_of_four(true), starts = first_of_four(false);
        struct try_result result = {
            .end = TRY_CUT, .status = statuses[i], .sent = true, .retry_after_us = 0};
        assert_choice(&reads, &result, later);
        assert_choice(&starts, &result, no);
    }
}

static const struct try_result stale = {
    .end = TRY_CUT, .sent = true, .silent = true, .reused = true, .retry_after_us = NOTHING};

static void a_stale_connection_is_excused_once(void **state)
{
    (void)state;
    struct retry_history budget = first_of_four(true);
    assert_choice(&budget, &stale, at_once);
    budget.stale_excused = true;
    assert_choice(&budget, &stale, later);
}

/* Even with no tries left it is repeated, but only once. */
static void a_stale_connection_costs_no_try(void **state)
{
    (void)state;
    struct retry_history budget = {.repeatable = true, .tries = 4, .limit = 4};
    assert_choice(&budget, &stale, at_once);
    budget.stale_excused = true;
    assert_choice(&budget, &stale, no);
    budget = (struct retry_history){.repeatable = true, .tries = 1, .limit = 1};
    assert_choice(&budget, &stale, at_once);
}

static void a_start_on_a_stale_connection_is_not_excused(void **state)
{
    (void)state;
    struct retry_history budget = first_of_four(false);
    assert_choice(&budget, &stale, no);
    budget.stale_excused = true;
    assert_choice(&budget, &stale, no);
}

/* Nothing was sent, so even a start may be repeated. */
static void any_request_without_a_descriptor_is_repeated_without_limit(void **state)
{
    (void)state;
    const struct try_result starved = {.end = TRY_STARVED, .retry_after_us = NOTHING};
    for (unsigned tries = 1; tries < 100; tries++) {
        struct retry_history history = {.repeatable = tries & 1, .tries = tries, .limit = 1};
        assert_choice(&history, &starved, RETRY_WITH_ROOM);
    }
}

static void no_more_tries_are_made_than_the_limit(void **state)
{
    (void)state;
    const struct {
        bool repeatable;
        struct try_result result;
    } reasons[] = {
        {true, {.end = TRY_ANSWERED, .status = 500, .retry_after_us = NOTHING}},
        {true, {.end = TRY_ANSWERED, .status = 429, .retry_after_us = 0}},
        {true, {.end = TRY_CUT, .sent = true, .retry_after_us = NOTHING}},
        {false, {.end = TRY_ANSWERED, .status = 429, .retry_after_us = NOTHING}},
        {false, {.end = TRY_ANSWERED, .status = 503, .retry_after_us = SECOND}},
        {false, {.end = TRY_CUT, .silent = true, .retry_after_us = NOTHING}},
    };
    for (size_t i = 0; i < COUNT(reasons); i++) {
        for (unsigned limit = 0; limit < 6; limit++) {
            for (unsigned tries = 1; tries < 8; tries++) {
                struct retry_history budget = {
                    .repeatable = reasons[i].repeatable, .tries = tries, .limit = limit};
                assert_choice(&budget, &reasons[i].result, tries < limit ? later : no);
            }
        }
    }
}

/* ---- the pause before it ---- */

/* The longest pause after each number of tries: 250 ms, doubling up to 10 s. */
static const int64_t bounds[] = {
    250000, 500000, 1000000, 2000000, 4000000, 8000000, 10000000, 10000000};

static void pauses_are_bounded_by_a_quarter_of_a_second_that_doubles_to_ten(void **state)
{
    (void)state;
    for (unsigned tries = 1; tries <= COUNT(bounds); tries++) {
        int64_t bound = bounds[tries - 1];
        uint64_t random = tries;
        for (unsigned i = 0; i < 100000; i++) {
            int64_t pause_us = retry_pause_us(tries, NOTHING, next_random(&random));
            assert_true(pause_us >= 0 && pause_us <= bound);
        }
        /* Both bounds are reached, and extreme numbers stay within them. */
        assert_int_equal(retry_pause_us(tries, NOTHING, 0), 0);
        assert_int_equal(retry_pause_us(tries, NOTHING, (uint64_t)bound), bound);
        int64_t extreme = retry_pause_us(tries, NOTHING, UINT64_MAX);
        assert_true(extreme >= 0 && extreme <= bound);
    }
}

static void after_many_tries_the_bound_is_still_ten_seconds(void **state)
{
    (void)state;
    const unsigned many[] = {9, 31, 32, 33, 63, 64, 65, 1000, UINT32_MAX};
    for (size_t i = 0; i < COUNT(many); i++) {
        assert_int_equal(retry_pause_us(many[i], NOTHING, 10 * SECOND), 10 * SECOND);
        assert_true(retry_pause_us(many[i], NOTHING, 10 * SECOND + 1) <= 10 * SECOND);
        assert_true(retry_pause_us(many[i], NOTHING, UINT64_MAX) >= 0);
    }
}

/* Full jitter: any pause up to the bound is as likely as any other, the shortest included. */
static void pauses_are_spread_evenly_from_zero_to_the_bound(void **state)
{
    (void)state;
    const unsigned draws = 1000000;
    for (unsigned tries = 1; tries <= 7; tries += 3) {
        unsigned count[10] = {0};
        uint64_t random = 7 * tries;
        for (unsigned i = 0; i < draws; i++) {
            int64_t pause_us = retry_pause_us(tries, NOTHING, next_random(&random));
            count[10 * pause_us / (bounds[tries - 1] + 1)]++;
        }
        for (size_t i = 0; i < COUNT(count); i++)
            assert_in_range(count[i], draws / 10 - draws / 500, draws / 10 + draws / 500);
    }
}

static void retry_after_is_the_pause(void **state)
{
    (void)state;
    const int64_t asked[] = {0, 1, SECOND, 3600 * SECOND, CLOCK_LONGEST_US};
    for (size_t i = 0; i < COUNT(asked); i++) {
        assert_int_equal(retry_pause_us(1, asked[i], 0), asked[i]);
        assert_int_equal(retry_pause_us(1, asked[i], 12345), asked[i]);
        assert_int_equal(retry_pause_us(9, asked[i], UINT64_MAX), asked[i]);
    }
}

/* ---- Retry-After ---- */

/* A Sunday, 2026-11-22 12:00:00 UTC. */
#define NOW INT64_C(1795348800)

/* The value is in memory of exactly its length, so that valgrind and AddressSanitizer detect a read
 * beyond it. */
static int64_t asked_for(const char *value)
{
    size_t length = strlen(value);
    char *copy = malloc(length + !length);
    assert_non_null(copy);
    memcpy(copy, value, length);
    int64_t span = retry_after_us(copy, length, NOW);
    free(copy);
    return span;
}

struct value {
    const char *text;
    int64_t span_us;
};

static void assert_spans(const struct value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t span_us = asked_for(values[i].text);
        if (span_us != values[i].span_us)
            fail_msg("'%s' is %lld us, not %lld", values[i].text, (long long)span_us,
                (long long)values[i].span_us);
    }
}

static void assert_all_ask_for_nothing(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct value value = {texts[i], NOTHING};
        assert_spans(&value, 1);
    }
}

static void a_number_is_seconds(void **state)
{
    (void)state;
    const struct value values[] = {
        {"0", 0},
        {"1", SECOND},
        {"9", 9 * SECOND},
        {"10", 10 * SECOND},
        {"120", 120 * SECOND},
        {"007", 7 * SECOND},
        {"0000000000000000000000000000000000000000000000000000000000000000000000005", 5 * SECOND},
        {"86400", 86400 * SECOND},
    };
    assert_spans(values, COUNT(values));
}

static void blanks_around_the_value_are_ignored(void **state)
{
    (void)state;
    const struct value values[] = {
        {" 5", 5 * SECOND},
        {"5 ", 5 * SECOND},
        {"\t 5 \t", 5 * SECOND},
        {"   0   ", 0},
        {" \tSun, 22 Nov 2026 12:00:30 GMT\t ", 30 * SECOND},
    };
    assert_spans(values, COUNT(values));
}

/* Ten years exceed any deadline. With more, a sum with the clock could overflow, and so could the
 * number itself, which may have any length. */
static void a_huge_number_is_clamped(void **state)
{
    (void)state;
    const struct value values[] = {
        {"316223999", CLOCK_LONGEST_US - SECOND},
        {"316224000", CLOCK_LONGEST_US},
        {"316224001", CLOCK_LONGEST_US},
        {"2147483648", CLOCK_LONGEST_US},
        {"4294967296", CLOCK_LONGEST_US},
        {"9223372036855", CLOCK_LONGEST_US},
        {"9223372036854775807", CLOCK_LONGEST_US},
        {"9223372036854775808", CLOCK_LONGEST_US},
        {"18446744073709551615", CLOCK_LONGEST_US},
        {"18446744073709551617", CLOCK_LONGEST_US},
        {"99999999999999999999999999999999999999999999999999999999999999999", CLOCK_LONGEST_US},
    };
    assert_int_equal(CLOCK_LONGEST_US, 316224000 * SECOND);
    assert_spans(values, COUNT(values));
}

static void anything_but_whole_seconds_is_ignored(void **state)
{
    (void)state;
    const char *const texts[] = {"-1", "-0", "+5", "1.5", "0.5", ".5", "5.", "1,5", "1e3", "0x10",
        "5s", "5 s", "5 seconds", "1 2", "5;", "5\n", "\n5", "5\r", "\v5", "99999999999999999999x",
        "2026-11-22T12:00:30Z", "22 Nov 2026 12:00:30 GMT"};
    assert_all_ask_for_nothing(texts, COUNT(texts));
}

static void an_empty_value_is_ignored(void **state)
{
    (void)state;
    const char *const texts[] = {"", " ", "\t", "  \t  "};
    assert_all_ask_for_nothing(texts, COUNT(texts));
    assert_int_equal(retry_after_us(NULL, 0, NOW), NOTHING);
}

static void only_the_value_itself_is_read(void **state)
{
    (void)state;
    assert_int_equal(retry_after_us("120999", 3, NOW), 120 * SECOND);
    assert_int_equal(retry_after_us("5 x", 2, NOW), 5 * SECOND);
    assert_int_equal(retry_after_us("5", 0, NOW), NOTHING);
    assert_int_equal(retry_after_us("5\0005", 3, NOW), NOTHING);
}

static void each_form_of_an_http_date_is_read(void **state)
{
    (void)state;
    const struct value values[] = {
        {"Sun, 22 Nov 2026 12:00:30 GMT", 30 * SECOND},
        {"Sunday, 22-Nov-26 12:00:30 GMT", 30 * SECOND}, {"Sun Nov 22 12:00:30 2026", 30 * SECOND},
        {"Tue, 01 Dec 2026 12:00:00 GMT", 9 * 86400 * SECOND},
        {"Tuesday, 01-Dec-26 12:00:00 GMT", 9 * 86400 * SECOND},
        {"Tue Dec  1 12:00:00 2026", 9 * 86400 * SECOND}, /* two blanks before a single digit */
    };
    assert_spans(values, COUNT(values));
}

/* Nine years contain each day, month and leap day; every hour occurs. */
static void assert_coming_dates_are_read(void)
{
    const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
    for (int64_t span_s = 0; span_s < INT64_C(9) * 365 * 86400; span_s += 86400 - 3661) {
        struct tm date;
        time_t then = (time_t)(NOW + span_s);
        assert_non_null(gmtime_r(&then, &date));
        for (size_t i = 0; i < COUNT(forms); i++) {
            char text[64];
            assert_int_not_equal(strftime(text, sizeof text, forms[i], &date), 0);
            struct value value = {text, span_s * SECOND};
            assert_spans(&value, 1);
        }
    }
}

static void each_day_of_the_coming_years_is_read(void **state)
{
    (void)state;
    assert_coming_dates_are_read();
}

/* The third form has no zone, and means GMT, not local time. */
static void the_time_zone_of_this_machine_does_not_matter(void **state)
{
    (void)state;
    setenv("TZ", "XXX-11:30", 1);
    tzset();
    assert_coming_dates_are_read();
}

/* Runs even if an assertion has left the test. */
static int back_to_the_time_zone_of_this_machine(void **state)
{
    (void)state;
    unsetenv("TZ");
    tzset();
    return 0;
}

static void a_date_in_the_past_means_no_pause(void **state)
{
    (void)state;
    const struct value values[] = {
        {"Sun, 22 Nov 2026 12:00:00 GMT", 0}, {"Sun, 22 Nov 2026 11:59:59 GMT", 0},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 0}, {"Sun Nov  6 08:49:37 1994", 0},
        {"Thu, 01 Jan 1970 00:00:01 GMT", 0},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0}, /* a clock that was never set */
    };
    assert_spans(values, COUNT(values));
}

static void a_date_before_the_epoch_means_no_pause(void **state)
{
    (void)state;
    const struct value values[] = {
        {"Wed, 31 Dec 1969 23:59:59 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:58 GMT", 0},
        {"Mon, 01 Jan 1900 00:00:00 GMT", 0},
    };
    assert_spans(values, COUNT(values));
}

static void a_date_far_ahead_is_clamped(void **state)
{
    (void)state;
    const struct value values[] = {
        {"Sat, 29 Nov 2036 11:59:59 GMT", CLOCK_LONGEST_US - SECOND},
        {"Sat, 29 Nov 2036 12:00:00 GMT", CLOCK_LONGEST_US},
        {"Fri, 01 Jan 2038 00:00:00 GMT", CLOCK_LONGEST_US},
        {"Thu, 31 Dec 2099 23:59:59 GMT", CLOCK_LONGEST_US}, /* beyond 32 bits of seconds */
        {"Fri, 31 Dec 9999 23:59:59 GMT", CLOCK_LONGEST_US},
        {"Fri Dec 31 23:59:59 9999", CLOCK_LONGEST_US},
    };
    assert_spans(values, COUNT(values));
}

static void words_other_than_a_date_are_ignored(void **state)
{
    (void)state;
    const char *const texts[] = {"Never", "Later", "Soon: at 12:00:30", "Monday", "Sun", "GMT",
        "Sunday, noon", "Sun, 12:00:30", "Sun, 22 Nov 2026", "Try again at 12:00:30 GMT",
        "Sunny, 22 Nov 2026 12:00:30 GMT", "Sun, 22 Nev 2026 12:00:30 GMT",
        "Sun, 22 Nov 2026 25:00:30 GMT", "Sun, 22 Nov 2026 12:60:30 GMT",
        "Sun, 32 Nov 2026 12:00:30 GMT", "Sun, xx Nov 2026 12:00:30 GMT", "Date: tomorrow", "soon",
        "sun, 22 nov 2026 12:00:30 gmt", "null", "[5]", "\"5\"", ":", "A:", "\xff:\xff",
        "Sun, 22 Nov 2026 12:00:30 GMT and then all the rest of a long text"};
    assert_all_ask_for_nothing(texts, COUNT(texts));
}

/* Only a lenient parser accepts a month, a zone or the letter of a military zone at the front. */
static void a_date_that_does_not_begin_with_a_day_is_ignored(void **state)
{
    (void)state;
    const char *const texts[] = {"Nov 22 2026 12:00:30", "Nov 22 12:00:30 2026",
        "GMT 22 Nov 2026 12:00:30", "EST, 22 Nov 2026 12:00:30", "A 22 Nov 2026 12:00:30",
        "Z 12:00:30 22 Nov 2026"};
    assert_all_ask_for_nothing(texts, COUNT(texts));
}

/* ---- the quota ---- */

static const struct try_result answered = {.end = TRY_ANSWERED, .status = 500},
                               cut = {.end = TRY_CUT};

static unsigned taken(struct retry_quota *quota, const struct try_result *result)
{
    unsigned count = 0, paid;
    while (retry_quota_take(quota, result, &paid))
        count++;
    return count;
}

static void the_quota_allows_a_hundred_repetitions_or_fifty_without_an_answer(void **state)
{
    (void)state;
    struct retry_quota quota = {RETRY_QUOTA_FULL};
    assert_int_equal(taken(&quota, &answered), 100);
    assert_int_equal(quota.left, 0);
    quota.left = RETRY_QUOTA_FULL;
    assert_int_equal(taken(&quota, &cut), 50);
    quota.left = 9;
    assert_int_equal(taken(&quota, &cut), 0);
    assert_int_equal(quota.left, 9);
}

static void a_success_returns_its_cost(void **state)
{
    (void)state;
    struct retry_quota quota = {RETRY_QUOTA_FULL};
    unsigned paid = 0;
    assert_true(retry_quota_take(&quota, &cut, &paid));
    assert_int_equal(paid, 10);
    retry_quota_refill(&quota, paid);
    assert_int_equal(quota.left, 500);
    quota.left = 0;
    for (unsigned i = 1; i <= 5; i++) {
        assert_false(retry_quota_take(&quota, &answered, &paid));
        retry_quota_refill(&quota, 0);
    }
    assert_true(retry_quota_take(&quota, &answered, &paid));
    assert_int_equal(paid, 5);
}

static void the_quota_never_exceeds_its_size(void **state)
{
    (void)state;
    struct retry_quota quota = {RETRY_QUOTA_FULL};
    for (unsigned i = 0; i < 1000; i++)
        retry_quota_refill(&quota, i % 11);
    assert_int_equal(quota.left, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_judged_by_its_status),
        cmocka_unit_test(a_hopeless_request_is_not_repeated),
        cmocka_unit_test(a_cut_try_is_repeated_only_if_that_is_safe),
        cmocka_unit_test(the_status_of_a_truncated_answer_does_not_count),
        cmocka_unit_test(a_stale_connection_is_excused_once),
        cmocka_unit_test(a_stale_connection_costs_no_try),
        cmocka_unit_test(a_start_on_a_stale_connection_is_not_excused),
        cmocka_unit_test(any_request_without_a_descriptor_is_repeated_without_limit),
        cmocka_unit_test(no_more_tries_are_made_than_the_limit),
        cmocka_unit_test(pauses_are_bounded_by_a_quarter_of_a_second_that_doubles_to_ten),
        cmocka_unit_test(after_many_tries_the_bound_is_still_ten_seconds),
        cmocka_unit_test(pauses_are_spread_evenly_from_zero_to_the_bound),
        cmocka_unit_test(retry_after_is_the_pause),
        cmocka_unit_test(a_number_is_seconds),
        cmocka_unit_test(blanks_around_the_value_are_ignored),
        cmocka_unit_test(a_huge_number_is_clamped),
        cmocka_unit_test(anything_but_whole_seconds_is_ignored),
        cmocka_unit_test(an_empty_value_is_ignored),
        cmocka_unit_test(only_the_value_itself_is_read),
        cmocka_unit_test(each_form_of_an_http_date_is_read),
        cmocka_unit_test(each_day_of_the_coming_years_is_read),
        cmocka_unit_test_teardown(
            the_time_zone_of_this_machine_does_not_matter, back_to_the_time_zone_of_this_machine),
        cmocka_unit_test(a_date_in_the_past_means_no_pause),
        cmocka_unit_test(a_date_before_the_epoch_means_no_pause),
        cmocka_unit_test(a_date_far_ahead_is_clamped),
        cmocka_unit_test(words_other_than_a_date_are_ignored),
        cmocka_unit_test(a_date_that_does_not_begin_with_a_day_is_ignored),
        cmocka_unit_test(the_quota_allows_a_hundred_repetitions_or_fifty_without_an_answer),
        cmocka_unit_test(a_success_returns_its_cost),
        cmocka_unit_test(the_quota_never_exceeds_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
