/* spool_test.c - entries that processes append and one takes out, whatever dies meanwhile. */
#include "file/spool_reader.h"
#include "file/spool_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE ((uint64_t)1024 * 1024)

static char home[PATH_MAX];

/* Each test has a separate directory. */
static int enter(void **state)
{
    char directory[] = "/tmp/spool-XXXXXX";
    *state = NULL;
    return getcwd(home, sizeof home) && mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    char command[PATH_MAX + 16], directory[PATH_MAX];
    *state = NULL;
    if (!getcwd(directory, sizeof directory) || chdir(home) != 0)
        return -1;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static struct spool *open_spool(uint64_t segment_size)
{
    struct spool *spool;
    assert_int_equal(spool_open(&spool, "box", segment_size), 0);
    return spool;
}

static void append(struct spool *spool, const char *text)
{
    assert_int_equal(spool_append(spool, text, strlen(text), false), 0);
}

/* The path of the last segment. */
static const char *last_path(void)
{
    static char path[64];
    uint64_t number;
    int directory = open("box", O_RDONLY | O_DIRECTORY);
    assert_int_equal(spool_segment_last(directory, &number), 0);
    assert_true(number > 0);
    close(directory);
    snprintf(path, sizeof path, "box/%016llu.log", (unsigned long long)number);
    return path;
}

static size_t count_segments(void)
{
    uint64_t number = 0;
    size_t count = 0;
    int directory = open("box", O_RDONLY | O_DIRECTORY);
    while (spool_segment_next(directory, number, &number) == 0 && number)
        count++;
    close(directory);
    return count;
}

/* Appends bytes that are no whole entry. */
static void scribble(const char *bytes, size_t length)
{
    int fd = open(last_path(), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

/* Counts all, in as many slices as it takes. */
static int count_all(struct spool *spool, struct spool_count *count)
{
    struct spool_reader *reader = spool_reader_new(spool);
    int code;
    *count = (struct spool_count){0};
    do
        code = spool_reader_count(reader, count);
    while (code == EINPROGRESS || code == EAGAIN);
    spool_reader_free(reader);
    return code == ENOENT ? 0 : code;
}

/* The next item, after as many slices as it takes. */
static int next_item(struct spool_reader *reader, struct spool_item *item)
{
    int code;
    do
        code = spool_reader_next(reader, item);
    while (code == EINPROGRESS);
    return code;
}

static void assert_next(struct spool_reader *reader, const char *expected, struct spool_item *item)
{
    assert_int_equal(next_item(reader, item), 0);
    assert_int_equal(item->damaged, 0);
    assert_int_equal(item->entry.length, strlen(expected));
    assert_memory_equal(item->text, expected, strlen(expected));
}

static void assert_damage(struct spool_reader *reader, size_t length)
{
    struct spool_item item;
    assert_int_equal(next_item(reader, &item), 0);
    assert_int_equal(item.damaged, length);
}

static void assert_none(struct spool_reader *reader)
{
    struct spool_item item;
    assert_int_equal(next_item(reader, &item), ENOENT);
}

static void take(struct spool_reader *reader, const char *expected)
{
    struct spool_item item;
    assert_next(reader, expected, &item);
    assert_int_equal(spool_reader_mark(reader, &item, SPOOL_DONE, 0), 0);
}

/* ---- the format ---- */

static size_t make_entry(char *bytes, const char *text)
{
    spool_entry_write(bytes, 0x65000000, text, strlen(text));
    memcpy(bytes + SPOOL_HEADER, text, strlen(text));
    return SPOOL_HEADER + strlen(text);
}

static void test_format(void **state)
{
    (void)state;
    char bytes[200];
    struct spool_entry entry;
    size_t size = make_entry(bytes, "{\"call_id\":\"c-1\"}");
    bytes[size] = '\0';
    assert_string_equal(bytes, "\n+ 00000000 65000000 00000011 d0e40881 {\"call_id\":\"c-1\"}");
    for (size_t length = 0; length < size; length++)
        assert_int_equal(spool_entry_read(bytes, length, &entry), SPOOL_READING_SHORT);
    assert_int_equal(spool_entry_read(bytes, size, &entry), SPOOL_READING_WHOLE);
    assert_int_equal(entry.put_at, 0x65000000);
    assert_int_equal(entry.length, 17);
    spool_entry_write_mark(bytes + SPOOL_MARK_PLACE, SPOOL_DOUBTFUL, 7);
    assert_int_equal(spool_entry_read(bytes, size, &entry), SPOOL_READING_WHOLE);
    assert_int_equal(entry.state, SPOOL_DOUBTFUL);
    assert_int_equal(entry.failed_at, 7);
    assert_false(spool_entry_takes("a\nb", 3));
    assert_false(spool_entry_takes("", SPOOL_LONGEST + 1));
}

/* Any other bit is seen, but for those of the mark. */
static void test_flipped_bits(void **state)
{
    (void)state;
    char bytes[200];
    struct spool_entry entry;
    size_t size = make_entry(bytes, "some text");
    for (size_t at = 0; at < size; at++)
        for (int bit = 0; bit < 8; bit++) {
            if (at >= SPOOL_MARK_PLACE && at < SPOOL_MARK_PLACE + SPOOL_MARK_LENGTH)
                continue;
            bytes[at] = (char)(bytes[at] ^ 1 << bit);
            assert_int_not_equal(spool_entry_read(bytes, size, &entry), SPOOL_READING_WHOLE);
            bytes[at] = (char)(bytes[at] ^ 1 << bit);
        }
}

/* ---- order, marks and removal ---- */

static void test_order(void **state)
{
    (void)state;
    struct spool *spool = open_spool(150); /* three entries each */
    struct stat status;
    char text[20];
    assert_int_equal(stat("box", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "entry %d", i);
        append(spool, text);
    }
    assert_true(count_segments() >= 5);
    struct spool_reader *reader = spool_reader_new(spool);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "entry %d", i);
        take(reader, text);
    }
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, false), 0);
    assert_int_equal(count_segments(), 1);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_int_equal(count_segments(), 0);
    append(spool, "later");
    take(reader, "later");
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
}

static void test_marks(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    struct spool_count count;
    struct spool_item item, first;
    append(spool, "one");
    append(spool, "two");
    append(spool, "three");
    struct spool_reader *reader = spool_reader_new(spool);
    assert_next(reader, "one", &first);
    assert_int_equal(spool_reader_mark(reader, &first, SPOOL_DOUBTFUL, 77), 0);
    take(reader, "two");
    assert_next(reader, "three", &item);
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    spool_reader_free(reader);
    assert_int_equal(count_all(spool, &count), 0);
    assert_int_equal(count.waiting, 2);
    assert_int_equal(count.bytes, 8);
    assert_int_equal(count.damaged, 0);
    reader = spool_reader_new(spool);
    assert_next(reader, "one", &item);
    assert_int_equal(item.entry.state, SPOOL_DOUBTFUL);
    assert_int_equal(item.entry.failed_at, 77);
    assert_int_equal(spool_reader_read(reader, first.segment, first.offset, &item), 0);
    assert_memory_equal(item.text, "one", 3);
    assert_next(reader, "three", &item); /* the read has not moved it */
    spool_reader_free(reader);
    spool_free(spool);
}

/* An old segment stays for the sake of one entry, and its successors do not. */
static void test_one_entry_holds(void **state)
{
    (void)state;
    struct spool *spool = open_spool(1);
    struct spool_item held;
    append(spool, "held");
    append(spool, "sent");
    append(spool, "last");
    struct spool_reader *reader = spool_reader_new(spool);
    assert_next(reader, "held", &held);
    take(reader, "sent");
    take(reader, "last");
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_int_equal(count_segments(), 1);
    append(spool, "new");
    take(reader, "new");
    assert_int_equal(spool_reader_mark(reader, &held, SPOOL_DONE, 0), 0);
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_int_equal(count_segments(), 0);
    spool_reader_free(reader);
    spool_free(spool);
}

/* Nothing is appended to a segment that is open here and was sealed: it may be unlinked at once. */
static void test_sealed(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    append(spool, "one");
    int fd = open(last_path(), O_WRONLY);
    assert_int_equal(spool_segment_seal(fd), 0);
    close(fd);
    append(spool, "two");
    assert_int_equal(count_segments(), 2);
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "one");
    take(reader, "two");
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
}

static off_t size_of(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return status.st_size;
}

/* A segment that is done takes no room, although writers have it open. A link to it is a copy. */
static void test_room(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    struct spool_reader *reader = spool_reader_new(spool);
    for (int linked = 0; linked <= 1; linked++) {
        append(spool, "one");
        int fd = open(last_path(), O_RDONLY);
        if (linked)
            assert_int_equal(link(last_path(), "copy"), 0);
        assert_int_equal(size_of(fd), SPOOL_HEADER + 3);
        take(reader, "one");
        assert_none(reader);
        assert_int_equal(spool_reader_tidy(reader, true), 0);
        assert_int_equal(count_segments(), 0);
        assert_int_equal(size_of(fd), linked ? SPOOL_HEADER + 3 : 0);
        close(fd);
    }
    spool_reader_free(reader);
    spool_free(spool);
}

/* One that counts, while the reader takes what it has not reached yet. */
static void test_emptied_while_read(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    struct spool_item item;
    size_t length = 300 * 1000;
    char *text = calloc(1, length);
    memset(text, 'x', length);
    append(spool, "small");
    assert_int_equal(spool_append(spool, text, length, false), 0);
    struct spool_reader *reader = spool_reader_new(spool), *other = spool_reader_new(spool);
    assert_next(other, "small", &item);
    take(reader, "small");
    assert_int_equal(spool_reader_next(reader, &item), 0);
    assert_int_equal(spool_reader_mark(reader, &item, SPOOL_DONE, 0), 0);
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_none(other);
    append(spool, "more");
    assert_next(other, "more", &item);
    spool_reader_free(other);
    spool_reader_free(reader);
    spool_free(spool);
    free(text);
}

/* A writer that was killed before it sealed its segment: the reader does so before it goes on. */
static void test_unsealed(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE), *other = open_spool(LARGE);
    uint64_t number;
    append(spool, "one");
    int directory = open("box", O_RDONLY | O_DIRECTORY);
    assert_int_equal(spool_segment_last(directory, &number), 0);
    close(spool_segment_make(directory, number, &number));
    close(directory);
    append(other, "two");
    append(spool, "one more");
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "one");
    take(reader, "one more");
    take(reader, "two");
    append(spool, "three");
    take(reader, "three");
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_int_equal(count_segments(), 0);
    spool_reader_free(reader);
    spool_free(other);
    spool_free(spool);
}

static void test_large_entries(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    struct spool_item item;
    size_t length = 300 * 1000;
    char *text = malloc(length);
    memset(text, 'x', length);
    assert_int_equal(spool_append(spool, text, length, true), 0);
    append(spool, "small");
    assert_int_equal(spool_append(spool, text, length, false), 0);
    struct spool_reader *reader = spool_reader_new(spool);
    assert_int_equal(next_item(reader, &item), 0);
    assert_int_equal(item.entry.length, length);
    assert_memory_equal(item.text, text, length);
    take(reader, "small");
    assert_int_equal(next_item(reader, &item), 0);
    assert_int_equal(item.entry.length, length);
    assert_none(reader);
    assert_int_equal(spool_append(spool, "a\nb", 3, false), EINVAL);
    assert_int_equal(spool_append(spool, text, SPOOL_LONGEST + 1, false), EMSGSIZE);
    spool_reader_free(reader);
    spool_free(spool);
    free(text);
}

/* Entries that are done are passed in slices, however many there are. */
static void test_slices(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE), *copy;
    struct spool_count count = {0};
    struct spool_item item;
    int code, slices = 0;
    for (int i = 0; i < 3000; i++)
        append(spool, "done");
    struct spool_reader *reader = spool_reader_new(spool);
    while ((code = spool_reader_next(reader, &item)) != ENOENT)
        if (code != EINPROGRESS)
            assert_int_equal(spool_reader_mark(reader, &item, SPOOL_DONE, 0), 0);
    spool_reader_free(reader);
    append(spool, "waits");
    assert_int_equal(spool_copy(&copy, spool), 0);
    reader = spool_reader_new(copy);
    while ((code = spool_reader_count(reader, &count)) == EINPROGRESS)
        slices++;
    assert_int_equal(code, ENOENT);
    assert_int_equal(count.waiting, 1);
    assert_true(slices >= 10);
    spool_reader_free(reader);
    spool_free(copy);
    spool_free(spool);
}

/* ---- damage ---- */

/* The part of an entry at the end is reported once, whether something follows or not. */
static void test_torn(void **state)
{
    (void)state;
    char bytes[200];
    size_t size = make_entry(bytes, "never whole");
    for (size_t length = 1; length < size; length++) {
        struct spool *spool = open_spool(LARGE);
        struct spool_count count;
        append(spool, "before");
        scribble(bytes, length);
        struct spool_reader *reader = spool_reader_new(spool);
        take(reader, "before");
        if (length % 2) {
            assert_damage(reader, length);
            assert_none(reader);
            append(spool, "after");
        } else {
            append(spool, "after");
            assert_damage(reader, length);
        }
        assert_int_equal(count_all(spool, &count), 0);
        assert_int_equal(count.waiting, 1);
        assert_int_equal(count.damaged, 1);
        take(reader, "after");
        assert_none(reader);
        assert_int_equal(spool_reader_tidy(reader, true), 0);
        assert_int_equal(count_segments(), 0);
        spool_reader_free(reader);
        spool_free(spool);
    }
}

/* While a writer may be in the middle of it, it is no damage. */
static void test_unfinished(void **state)
{
    (void)state;
    char bytes[200];
    struct spool_item item;
    size_t size = make_entry(bytes, "in pieces");
    struct spool *spool = open_spool(LARGE);
    append(spool, "before");
    int writer = open("box", O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(writer, LOCK_SH), 0);
    scribble(bytes, 20);
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "before");
    assert_int_equal(next_item(reader, &item), EAGAIN);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    scribble(bytes + 20, size - 20);
    close(writer);
    take(reader, "in pieces");
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
}

/* An entry always waits while segments are unlinked, so none of the counts may be 0. */
static void test_count_beside_reader(void **state)
{
    (void)state;
    struct spool *spool = open_spool(1);
    append(spool, "entry");
    pid_t child = fork();
    if (child == 0) {
        struct spool_count count = {.waiting = 1};
        for (int i = 0; i < 3000 && count.waiting > 0; i++)
            if (count_all(spool, &count))
                count.waiting = 0;
        _exit(count.waiting == 0);
    }
    struct spool_reader *reader = spool_reader_new(spool);
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        append(spool, "entry");
        take(reader, "entry");
        assert_int_equal(spool_reader_tidy(reader, false), 0);
    }
    assert_int_equal(status, 0);
    spool_reader_free(reader);
    spool_free(spool);
}

/* What was reported at the end may be cut off by its writer, and another entry takes its place. */
static void test_cut_after_report(void **state)
{
    (void)state;
    char bytes[200];
    make_entry(bytes, "cut");
    struct spool *spool = open_spool(LARGE);
    append(spool, "before");
    struct stat status;
    assert_int_equal(stat(last_path(), &status), 0);
    scribble(bytes, 35);
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "before");
    assert_damage(reader, 35);
    assert_int_equal(truncate(last_path(), status.st_size), 0);
    append(spool, "after");
    take(reader, "after");
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
}

/* The same, if the other entry has just the length of what was cut off: it is not unlinked unread.
 */
static void test_replaced_after_report(void **state)
{
    (void)state;
    char bytes[200];
    size_t size = make_entry(bytes, "a long text, of which a part is written");
    struct spool *spool = open_spool(LARGE);
    append(spool, "before");
    struct stat status;
    assert_int_equal(stat(last_path(), &status), 0);
    scribble(bytes, size - 5);
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "before");
    assert_damage(reader, size - 5);
    assert_none(reader);
    assert_int_equal(truncate(last_path(), status.st_size), 0);
    append(spool, "a long text, of which a part is wr");
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_int_equal(count_segments(), 1);
    take(reader, "a long text, of which a part is wr");
    assert_none(reader);
    assert_int_equal(spool_reader_tidy(reader, true), 0);
    assert_int_equal(count_segments(), 0);
    spool_reader_free(reader);
    spool_free(spool);
}

/* A power cut may leave zeros, and bytes of other files. */
static void test_garbage(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    append(spool, "before");
    size_t length = 200 * 1000;
    char *zeros = calloc(1, length);
    scribble(zeros, length);
    append(spool, "after");
    struct spool_reader *reader = spool_reader_new(spool);
    struct spool_item item;
    take(reader, "before");
    assert_int_equal(next_item(reader, &item), 0);
    assert_true(item.damaged > 0); /* reported once, however long it is */
    take(reader, "after");
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
    free(zeros);
}

/* Whatever bytes are overwritten, all entries are returned that they are not in, and no other. */
static void test_random_damage(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        enum { COUNT = 40, SIZE = 50 };
        char text[SIZE + 20];
        bool is_hit[COUNT] = {false}, has_come[COUNT] = {false};
        struct spool *spool = open_spool(LARGE);
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "%02d %0*d", i, SIZE - 3, i * 7);
            append(spool, text);
        }
        int fd = open(last_path(), O_WRONLY);
        for (int hit = 0; hit < 3; hit++) {
            char bytes[20];
            size_t length = (size_t)rand() % sizeof bytes + 1;
            long entry_size = (long)SPOOL_HEADER + SIZE, at = rand() % (COUNT * entry_size - 20);
            for (size_t i = 0; i < length; i++)
                bytes[i] = (char)(rand() % 4 ? rand() : '\n');
            assert_int_equal(pwrite(fd, bytes, length, at), length);
            is_hit[at / entry_size] = is_hit[(at + (long)length - 1) / entry_size] = true;
        }
        close(fd);
        struct spool_reader *reader = spool_reader_new(spool);
        struct spool_item item;
        while (next_item(reader, &item) == 0) {
            if (item.damaged)
                continue;
            int number = atoi(item.text);
            snprintf(text, sizeof text, "%02d %0*d", number, SIZE - 3, number * 7);
            assert_int_equal(item.entry.length, SIZE);
            assert_memory_equal(item.text, text, SIZE);
            assert_false(has_come[number]);
            has_come[number] = true;
        }
        for (int i = 0; i < COUNT; i++)
            assert_true(has_come[i] || is_hit[i]);
        spool_reader_free(reader);
        spool_free(spool);
        assert_int_equal(system("rm -rf box"), 0);
    }
}

/* ---- failures ---- */

/* A write that is cut short leaves nothing, and what was there before is whole. */
static void test_short_write(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    struct stat before, after;
    append(spool, "before");
    assert_int_equal(stat(last_path(), &before), 0);
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = (rlim_t)before.st_size + 50;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const char *text = "this text is longer than the file may become";
    assert_int_equal(spool_append(spool, text, strlen(text), false), ENOSPC);
    assert_int_equal(stat(last_path(), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    limit.rlim_cur = (rlim_t)before.st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(spool_append(spool, text, strlen(text), false), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    append(spool, text);
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "before");
    take(reader, text);
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
}

static void test_removed_directory(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    append(spool, "lost with it");
    assert_int_equal(system("rm -rf box"), 0);
    append(spool, "in a new one");
    struct spool_count count;
    assert_int_equal(count_all(spool, &count), 0);
    assert_int_equal(count.waiting, 1);
    spool_free(spool);
    assert_int_equal(spool_open(&spool, "no/such/box", LARGE), ENOENT);
    assert_null(spool);
    assert_int_equal(system("touch file"), 0);
    assert_int_equal(spool_open(&spool, "file", LARGE), ENOTDIR);
}

/* Forks, and returns once the child has begun. It exits with the result of `act`, or lives on. */
static pid_t fork_child(struct spool *spool, bool (*act)(struct spool *))
{
    int pipes[2];
    char begun = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        bool is_right = !act || act(spool);
        (void)!write(pipes[1], &begun, 1);
        if (!act)
            pause();
        _exit(is_right ? 0 : 1);
    }
    assert_int_equal(read(pipes[0], &begun, 1), 1);
    close(pipes[0]);
    close(pipes[1]);
    return child;
}

static bool is_locked_out(struct spool *spool)
{
    return !spool_lock_alone(spool);
}

static bool append_child(struct spool *spool)
{
    return spool_append(spool, "child", 5, true) == 0;
}

static void assert_right(pid_t child)
{
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

/* A child goes on with a lock of its own. */
static void test_fork(void **state)
{
    (void)state;
    struct spool *spool = open_spool(LARGE);
    append(spool, "parent");
    assert_right(fork_child(spool, append_child));
    assert_true(spool_lock_alone(spool));
    assert_right(fork_child(spool, is_locked_out));
    pid_t child = fork_child(spool, NULL);
    spool_free(spool); /* ends the lock, though a child lives on */
    spool = open_spool(LARGE);
    assert_true(spool_lock_alone(spool));
    spool_unlock(spool);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    struct spool_reader *reader = spool_reader_new(spool);
    take(reader, "parent");
    take(reader, "child");
    assert_none(reader);
    spool_reader_free(reader);
    spool_free(spool);
}

/* ---- many processes ---- */

enum { WRITERS = 4, ENTRIES = 1500 };

/* Appends entries of many lengths until it is killed, and names each on the pipe once it is in. */
static void write_entries(int writer, int pipe_fd)
{
    struct spool *spool = open_spool(64 * 1024);
    char *text = malloc(40000);
    memset(text, 'x', 40000);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        int head = snprintf(text, 40000, "%d %u ", writer, i);
        text[head] = 'x';
        size_t length = (size_t)head + i * 7919u % 3000 + (i % 50 == 0 ? 30000 : 0);
        if (spool_append(spool, text, length, false) != 0)
            _exit(1);
        uint32_t named[2] = {(uint32_t)writer, i};
        if (write(pipe_fd, named, sizeof named) != sizeof named)
            _exit(1);
    }
    _exit(0);
}

/* Four writers, two of which are killed, beside a reader that marks and removes. */
static void test_many(void **state)
{
    (void)state;
    static uint8_t has_come[WRITERS][ENTRIES], was_named[WRITERS][ENTRIES];
    memset(has_come, 0, sizeof has_come);
    memset(was_named, 0, sizeof was_named);
    pid_t writers[WRITERS];
    int pipes[WRITERS][2];
    struct spool *spool = open_spool(64 * 1024);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pipe2(pipes[i], O_NONBLOCK), 0);
        fcntl(pipes[i][1], F_SETPIPE_SZ, ENTRIES * 8);
        writers[i] = fork();
        if (writers[i] == 0)
            write_entries(i, pipes[i][1]);
        close(pipes[i][1]);
    }
    struct spool_reader *reader = spool_reader_new(spool);
    unsigned count = 0, damages = 0, living = WRITERS, last[WRITERS] = {0};
    for (bool is_over = false; !is_over;) {
        struct spool_item item;
        is_over = living == 0; /* looks once more after the end of the last one */
        while (next_item(reader, &item) == 0) {
            int writer;
            unsigned number;
            if (item.damaged) {
                damages++;
                continue;
            }
            assert_int_equal(sscanf(item.text, "%d %u ", &writer, &number), 2);
            assert_false(has_come[writer][number]++);
            assert_true(number == 0 || number > last[writer]);
            last[writer] = number;
            assert_int_equal(spool_reader_mark(reader, &item, SPOOL_DONE, 0), 0);
            if (++count == 500)
                kill(writers[0], SIGKILL);
            if (count == 1200)
                kill(writers[1], SIGKILL);
        }
        assert_int_equal(spool_reader_tidy(reader, true), 0);
        while (living && waitpid(-1, NULL, WNOHANG) > 0)
            living--;
    }
    for (int i = 0; i < WRITERS; i++) {
        uint32_t named[2];
        while (read(pipes[i][0], named, sizeof named) == sizeof named)
            was_named[named[0]][named[1]] = 1;
        for (int j = 0; j < ENTRIES; j++)
            assert_true(has_come[i][j] || !was_named[i][j]);
        close(pipes[i][0]);
    }
    assert_true(count > 2 * ENTRIES);
    assert_true(damages <= 2);
    assert_int_equal(count_segments(), 0);
    spool_reader_free(reader);
    spool_free(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test_setup_teardown(test_order, enter, leave),
        cmocka_unit_test_setup_teardown(test_slices, enter, leave),
        cmocka_unit_test_setup_teardown(test_marks, enter, leave),
        cmocka_unit_test_setup_teardown(test_one_entry_holds, enter, leave),
        cmocka_unit_test_setup_teardown(test_sealed, enter, leave),
        cmocka_unit_test_setup_teardown(test_room, enter, leave),
        cmocka_unit_test_setup_teardown(test_emptied_while_read, enter, leave),
        cmocka_unit_test_setup_teardown(test_unsealed, enter, leave),
        cmocka_unit_test_setup_teardown(test_large_entries, enter, leave),
        cmocka_unit_test_setup_teardown(test_torn, enter, leave),
        cmocka_unit_test_setup_teardown(test_unfinished, enter, leave),
        cmocka_unit_test_setup_teardown(test_count_beside_reader, enter, leave),
        cmocka_unit_test_setup_teardown(test_cut_after_report, enter, leave),
        cmocka_unit_test_setup_teardown(test_replaced_after_report, enter, leave),
        cmocka_unit_test_setup_teardown(test_garbage, enter, leave),
        cmocka_unit_test_setup_teardown(test_random_damage, enter, leave),
        cmocka_unit_test_setup_teardown(test_short_write, enter, leave),
        cmocka_unit_test_setup_teardown(test_removed_directory, enter, leave),
        cmocka_unit_test_setup_teardown(test_fork, enter, leave),
        cmocka_unit_test_setup_teardown(test_many, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
