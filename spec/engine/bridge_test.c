/* bridge_test.c - a bridge between a pipe and a socket. */
#include "bridge.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int pipe_fds[2];

static int set_up(void **state)
{
    const char *message;
    *state = NULL;
    if (pipe(pipe_fds) != 0)
        return -1;
    *state = bridge_new(pipe_fds[0], &message);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    bridge_free(*state);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* How many bytes come; waits for the first only as long as one is expected. */
static int bytes(int fd, int wait_ms)
{
    int count = 0;
    char byte;
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    while (poll(&watched, 1, count == 0 ? wait_ms : 20) > 0 && read(fd, &byte, 1) == 1)
        count++;
    return count;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void directory_of(const char *path, char *directory)
{
    strcpy(directory, path);
    *strrchr(directory, '/') = '\0';
}

static void tells_once_for_each_arming(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    assert_int_equal(bytes(fd, 100), 0); /* it was not armed */
    for (int round = 0; round < 3; round++) {
        bridge_arm(bridge);
        assert_int_equal(bytes(fd, 5000), 1);
    }
    char byte;
    assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
    bridge_arm(bridge);
    assert_int_equal(bytes(fd, 100), 0); /* nothing to read any more */
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    assert_int_equal(bytes(fd, 5000), 1);
    close(fd);
}

static void has_its_file_for_nobody_else_and_not_for_long(void **state)
{
    struct bridge *bridge = *state;
    char directory[128];
    struct stat status;
    const char *message;
    directory_of(bridge_path(bridge), directory);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    assert_false(exists(directory));
    close(fd);
}

static void takes_no_other_process(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    pid_t child = fork();
    if (child == 0) {
        connect_to(bridge_path(bridge));
        pause();
    }
    usleep(100000);
    assert_false(bridge_accept(bridge, &message));
    assert_string_equal(message, "another process has connected");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void says_that_nobody_has_connected(void **state)
{
    const char *message;
    assert_false(bridge_accept(*state, &message));
    assert_string_equal(message, "nobody has connected");
}

static void ends_with_its_socket(void **state)
{
    const char *message;
    struct bridge *bridge = bridge_new(pipe_fds[0], &message);
    (void)state;
    char byte, directory[128];
    directory_of(bridge_path(bridge), directory);
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    bridge_free(bridge);
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);

    bridge = bridge_new(pipe_fds[0], &message);
    directory_of(bridge_path(bridge), directory);
    bridge_free(bridge);
    assert_false(exists(directory));
}

static void leaves_the_parents_alone_in_a_child(void **state)
{
    struct bridge *bridge = *state;
    const char *message;
    int status;
    pid_t child = fork();
    if (child == 0) {
        bridge_free(bridge);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    int fd = connect_to(bridge_path(bridge));
    assert_true(bridge_accept(bridge, &message));
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    child = fork(); /* once more, with the thread running */
    if (child == 0) {
        bridge_free(bridge);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    bridge_arm(bridge);
    assert_int_equal(bytes(fd, 5000), 1);
    close(fd);
}

static void refuses_what_cannot_be_watched(void **state)
{
    const char *message;
    (void)state;
    assert_null(bridge_new(-1, &message));
    assert_string_equal(message, "the descriptor cannot be watched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_once_for_each_arming, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            has_its_file_for_nobody_else_and_not_for_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_other_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_that_nobody_has_connected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_with_its_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_the_parents_alone_in_a_child, set_up, tear_down),
        cmocka_unit_test(refuses_what_cannot_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
