/* locked_file_test.c - the lock of a file, by each of its paths, and the file's content. */
#include "file/file_work.h"

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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char home[PATH_MAX];

/* Each test has a separate directory. */
static int enter(void **state)
{
    char directory[] = "/tmp/locked-file-XXXXXX";
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

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_has(const char *path, const char *expected)
{
    char text[200] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static struct locked_file *lock(const char *path)
{
    struct locked_file *file;
    assert_int_equal(locked_file_open(&file, path), 0);
    assert_true(locked_file_is_held(file));
    return file;
}

static void assert_refused(const char *path, int code)
{
    struct locked_file *file;
    assert_int_equal(locked_file_open(&file, path), code);
    assert_null(file);
}

/* A thread whose work is done may not have released its reference yet. */
static void lock_eventually(const char *path)
{
    struct locked_file *file;
    int code = LOCKED_FILE_BUSY;
    for (int i = 0; i < 10000 && code == LOCKED_FILE_BUSY; i++) {
        usleep(1000);
        code = locked_file_open(&file, path);
    }
    assert_int_equal(code, 0);
    locked_file_free(file);
}

static void replace(struct locked_file *file, const char *text)
{
    assert_int_equal(locked_file_replace(file, text, strlen(text)), 0);
}

/* ---- the lock ---- */

static void test_spellings(void **state)
{
    (void)state;
    char path[PATH_MAX + 8], directory[PATH_MAX];
    assert_non_null(getcwd(directory, sizeof directory));
    assert_int_equal(mkdir("sub", 0777), 0);
    assert_int_equal(symlink("../kept", "sub/link"), 0);
    assert_int_equal(symlink("sub", "other"), 0);
    assert_int_equal(symlink("other/link", "twice"), 0);
    snprintf(path, sizeof path, "%s/kept", directory);
    const char *const spellings[] = {
        "kept", "./kept", "sub/../kept", "sub//link", "other/link", "twice", path};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct locked_file *file = lock(spellings[i]);
        for (size_t j = 0; j < sizeof spellings / sizeof *spellings; j++)
            assert_refused(spellings[j], LOCKED_FILE_BUSY);
        replace(file, spellings[i]);
        assert_has("kept", spellings[i]);
        locked_file_release(file);
        locked_file_free(file);
    }
    struct stat status;
    assert_int_equal(lstat("twice", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void test_refusals(void **state)
{
    (void)state;
    assert_int_equal(mkdir("directory", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(symlink("fifo", "to-fifo"), 0);
    assert_int_equal(symlink("round", "round"), 0);
    put("one", "1");
    assert_int_equal(link("one", "two"), 0);
    assert_refused("directory", LOCKED_FILE_TYPE);
    assert_refused("directory/", LOCKED_FILE_TYPE);
    assert_refused("directory/..", LOCKED_FILE_TYPE);
    assert_refused("fifo", LOCKED_FILE_TYPE);
    assert_refused("to-fifo", LOCKED_FILE_TYPE);
    assert_refused("/dev/zero", LOCKED_FILE_TYPE);
    assert_refused("round", ELOOP);
    assert_refused("one", LOCKED_FILE_LINKS);
    assert_refused("none/file", ENOENT);
    assert_refused("one/file", ENOTDIR);
    assert_int_equal(access("fifo.lock", F_OK), -1);
}

static void test_a_moved_target(void **state)
{
    (void)state;
    put("a", "A");
    put("b", "B");
    assert_int_equal(symlink("a", "link"), 0);
    struct locked_file *file = lock("link");
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(symlink("b", "link"), 0);
    char directory[PATH_MAX];
    assert_non_null(getcwd(directory, sizeof directory));
    assert_int_equal(chdir("/"), 0);
    replace(file, "new");
    struct buffer text = {0};
    assert_int_equal(locked_file_read(file, &text), 0);
    assert_memory_equal(text.bytes, "new", 3);
    buffer_free(&text);
    locked_file_free(file);
    assert_int_equal(chdir(directory), 0);
    assert_has("a", "new");
    assert_has("b", "B");
}

static void test_a_lock_that_is_removed(void **state)
{
    (void)state;
    struct locked_file *file = lock("kept");
    replace(file, "old");
    assert_int_equal(unlink("kept.lock"), 0);
    assert_false(locked_file_is_held(file));
    struct locked_file *other = lock("kept");
    assert_int_equal(locked_file_replace(file, "x", 1), LOCKED_FILE_LOST);
    replace(other, "new");
    assert_has("kept", "new");
    assert_int_equal(access(".kept.new", F_OK), -1);
    locked_file_free(other);
    locked_file_free(file);
}

/* ---- processes ---- */

static void test_a_killed_holder(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct locked_file *file;
        if (locked_file_open(&file, "kept") == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_refused("kept", LOCKED_FILE_BUSY);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    locked_file_free(lock("kept"));
    close(ready[0]);
    close(ready[1]);
}

static int in_child(struct locked_file *file, struct file_work *work)
{
    const struct buffer *text;
    struct locked_file *other;
    if (locked_file_is_held(file) || locked_file_replace(file, "child", 5) != LOCKED_FILE_LOST)
        return 1;
    if (locked_file_open(&other, "kept") != LOCKED_FILE_BUSY)
        return 2;
    if (!file_work_is_done(work) || file_work_finish(work, 1000000, &text) != LOCKED_FILE_LOST)
        return 3;
    file_work_free(work);
    locked_file_release(file);
    locked_file_free(file);
    return 0;
}

/* The child does not hold the lock and cannot release it, and the lock ends with the parent's. */
static void test_a_fork(void **state)
{
    (void)state;
    int status, stay[2];
    char byte;
    assert_int_equal(pipe(stay), 0);
    struct locked_file *file = lock("kept");
    struct file_work *work = file_work_read(file);
    assert_non_null(work);
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_child(file, work));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(locked_file_is_held(file));
    assert_refused("kept", LOCKED_FILE_BUSY);
    file_work_free(work);
    pid = fork();
    if (pid == 0) {
        close(stay[1]);
        _exit(read(stay[0], &byte, 1) == 0 ? 0 : 1);
    }
    locked_file_free(file); /* without releasing it, as at the end of the process */
    lock_eventually("kept");
    close(stay[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(stay[0]);
}

/* ---- what is written ---- */

static void test_replacements(void **state)
{
    (void)state;
    struct stat status;
    put("kept", "old");
    assert_int_equal(chmod("kept", 0640), 0);
    assert_int_equal(mkfifo(".kept.new", 0666), 0); /* it is replaced */
    struct locked_file *file = lock("kept");
    replace(file, "new");
    assert_has("kept", "new");
    assert_int_equal(stat("kept", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(access(".kept.new", F_OK), -1);
    assert_int_equal(unlink("kept"), 0);
    assert_int_equal(mkfifo("kept", 0666), 0);
    struct buffer text = {0};
    assert_int_equal(locked_file_replace(file, "x", 1), LOCKED_FILE_TYPE);
    assert_int_equal(locked_file_read(file, &text), LOCKED_FILE_TYPE);
    assert_int_equal(unlink("kept"), 0);
    assert_int_equal(locked_file_read(file, &text), LOCKED_FILE_ABSENT);
    replace(file, "");
    assert_int_equal(locked_file_read(file, &text), 0);
    assert_int_equal(text.length, 0);
    locked_file_release(file);
    assert_int_equal(locked_file_replace(file, "x", 1), LOCKED_FILE_LOST);
    assert_int_equal(locked_file_read(file, &text), LOCKED_FILE_LOST);
    locked_file_free(file);
}

static void test_files_set_aside(void **state)
{
    (void)state;
    char suffix[32];
    struct locked_file *file = lock("kept");
    assert_int_equal(locked_file_set_aside(file, suffix, sizeof suffix), ENOENT);
    put("kept", "one");
    assert_int_equal(locked_file_set_aside(file, suffix, sizeof suffix), 0);
    assert_string_equal(suffix, ".bad");
    put("kept", "two");
    assert_int_equal(locked_file_set_aside(file, suffix, sizeof suffix), 0);
    assert_string_equal(suffix, ".bad.2");
    assert_has("kept.bad", "one");
    assert_has("kept.bad.2", "two");
    locked_file_free(file);
}

/* ---- threads ---- */

static void test_work(void **state)
{
    (void)state;
    const struct buffer *text;
    struct locked_file *file = lock("kept");
    for (int i = 0; i < 200; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        struct file_work *work = file_work_replace(file, number, strlen(number));
        assert_non_null(work);
        if (i % 2)
            assert_int_equal(file_work_finish(work, 60000000, &text), 0);
        while (!file_work_is_done(work))
            usleep(100);
        file_work_free(work);
        work = file_work_read(file);
        assert_non_null(work);
        assert_int_equal(file_work_finish(work, 60000000, &text), 0);
        assert_int_equal(text->length, strlen(number));
        assert_memory_equal(text->bytes, number, text->length);
        file_work_free(work);
    }
    locked_file_free(file);
}

/* A file that is freed during the work stays locked until the thread is done. */
static void test_work_freed_while_it_runs(void **state)
{
    (void)state;
    struct locked_file *file = lock("kept");
    char *large = calloc(1, 4 * 1024 * 1024);
    assert_non_null(large);
    memset(large, 'x', 4 * 1024 * 1024);
    struct file_work *work = file_work_replace(file, large, 4 * 1024 * 1024);
    assert_non_null(work);
    free(large);
    file_work_free(work);
    locked_file_free(file);
    lock_eventually("kept");
    struct stat status;
    assert_int_equal(stat("kept", &status), 0);
    assert_int_equal(status.st_size, 4 * 1024 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spellings, enter, leave),
        cmocka_unit_test_setup_teardown(test_refusals, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_moved_target, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_lock_that_is_removed, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_killed_holder, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_fork, enter, leave),
        cmocka_unit_test_setup_teardown(test_replacements, enter, leave),
        cmocka_unit_test_setup_teardown(test_files_set_aside, enter, leave),
        cmocka_unit_test_setup_teardown(test_work, enter, leave),
        cmocka_unit_test_setup_teardown(test_work_freed_while_it_runs, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
