/* bridge.c - one thread, one socket: see bridge.h. */
#include "bridge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Enough for libcurl and its TLS library, which run in the thread. */
#define STACK_SIZE ((size_t)1024 * 1024)

#define PREFIX "cekura-bridge-"

struct bridge {
    pid_t pid; /* of the process that created it */
    struct engine *engine;
    int engine_fd;   /* a duplicate of the engine's descriptor, which may be closed first */
    int epoll_fd;    /* watches engine_fd, one-shot, and stop_fd */
    int stop_fd;     /* an eventfd */
    int listener_fd; /* -1 once accepted */
    int socket_fd;   /* -1 until accepted */
    bool has_thread;
    pthread_t thread;
    char directory[64]; /* "" once removed */
    struct sockaddr_un address;
};

/* ---- the socket's file ---- */

static const char *const parents[] = {"/tmp", "/var/tmp", "/dev/shm"};

static void remove_files(struct bridge *bridge)
{
    if (bridge->directory[0]) {
        unlink(bridge->address.sun_path);
        rmdir(bridge->directory);
    }
    bridge->directory[0] = '\0';
}

static bool is_running(long pid)
{
    return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* Removes what dead processes of this user have left. The owner is checked because another user may
 * create a directory of such a name in /tmp. */
static void sweep(const char *parent)
{
    DIR *entries = opendir(parent);
    struct dirent *entry;
    if (!entries)
        return;
    while ((entry = readdir(entries))) {
        char path[64], file[80];
        struct stat status;
        long pid = 0;
        if (sscanf(entry->d_name, PREFIX "%ld-", &pid) != 1 || pid <= 0 || is_running(pid))
            continue;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", parent, entry->d_name) >= sizeof path)
            continue;
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid()) {
            snprintf(file, sizeof file, "%s/socket", path);
            unlink(file);
            rmdir(path);
        }
    }
    closedir(entries);
}

static bool make_directory(struct bridge *bridge)
{
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        sweep(parents[i]);
        snprintf(bridge->directory, sizeof bridge->directory, "%s/" PREFIX "%ld-XXXXXX", parents[i],
            (long)getpid());
        if (mkdtemp(bridge->directory)) /* with mode 0700 */
            return true;
    }
    bridge->directory[0] = '\0';
    return false;
}

static bool listen_there(struct bridge *bridge)
{
    struct sockaddr_un *address = &bridge->address;
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s/socket", bridge->directory);
    bridge->listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return bridge->listener_fd >= 0 &&
           bind(bridge->listener_fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           listen(bridge->listener_fd, 1) == 0;
}

/* ---- the thread ---- */

static void watch_engine(const struct bridge *bridge)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = bridge->engine_fd};
    (void)epoll_ctl(bridge->epoll_fd, EPOLL_CTL_MOD, bridge->engine_fd, &event);
}

/* While the host has completions to fetch, the engine is not watched, so it cannot produce them
 * faster than the host consumes them. bridge_arm() watches it again. */
static void *drive(void *user)
{
    const struct bridge *bridge = user;
    for (;;) {
        struct epoll_event event;
        int count = epoll_wait(bridge->epoll_fd, &event, 1, -1);
        if (count < 0 && errno != EINTR)
            return NULL;
        if (count < 1)
            continue;
        if (event.data.fd == bridge->stop_fd)
            return NULL;
        if (engine_step_in_background(bridge->engine))
            watch_engine(bridge);
    }
}

/* The thread blocks all signals: they belong to the host's threads. */
static bool start_thread(struct bridge *bridge)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bridge->has_thread = pthread_create(&bridge->thread, &attributes, drive, bridge) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return bridge->has_thread;
}

static bool add(struct bridge *bridge, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    return fd >= 0 && epoll_ctl(bridge->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ---- life ---- */

struct bridge *bridge_new(struct engine *engine, const char **message)
{
    *message = "out of memory";
    struct bridge *bridge = calloc(1, sizeof *bridge);
    if (!bridge)
        return NULL;
    bridge->pid = getpid();
    bridge->engine = engine;
    engine_retain(engine);
    bridge->listener_fd = bridge->socket_fd = bridge->engine_fd = -1;
    bridge->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bridge->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *message = "no descriptor for epoll or eventfd";
    if (bridge->epoll_fd < 0 || !add(bridge, bridge->stop_fd, EPOLLIN))
        goto fail;
    *message = "the engine is closed";
    bridge->engine_fd = fcntl(engine_fd(engine), F_DUPFD_CLOEXEC, 0);
    if (!add(bridge, bridge->engine_fd, EPOLLIN | EPOLLONESHOT))
        goto fail;
    *message = "no directory for a socket: /tmp, /var/tmp and /dev/shm cannot be written to";
    if (!make_directory(bridge))
        goto fail;
    *message = "no socket to listen on";
    if (listen_there(bridge))
        return bridge;
fail:
    bridge_free(bridge);
    return NULL;
}

const char *bridge_path(const struct bridge *bridge)
{
    return bridge->address.sun_path;
}

static bool is_own(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

bool bridge_accept(struct bridge *bridge, const char **message)
{
    *message = "it was accepted before";
    if (bridge->listener_fd < 0)
        return false;
    bridge->socket_fd = accept4(bridge->listener_fd, NULL, NULL, SOCK_CLOEXEC);
    remove_files(bridge);
    close(bridge->listener_fd);
    bridge->listener_fd = -1;
    *message = "no connection has been made";
    if (bridge->socket_fd < 0)
        return false;
    *message = "another process has connected";
    if (!is_own(bridge->socket_fd))
        return false;
    *message = "no thread";
    return start_thread(bridge);
}

bool bridge_arm(struct bridge *bridge)
{
    if (!engine_notify(bridge->engine, bridge->socket_fd))
        return false;
    watch_engine(bridge);
    return true;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* In a forked child the thread does not exist, and the files belong to the parent. */
void bridge_free(struct bridge *bridge)
{
    if (bridge->pid == getpid()) {
        remove_files(bridge);
        if (bridge->has_thread) {
            (void)eventfd_write(bridge->stop_fd, 1);
            pthread_join(bridge->thread, NULL);
        }
    }
    engine_cancel_notify(bridge->engine, bridge->socket_fd);
    engine_release(bridge->engine);
    close_fd(bridge->socket_fd);
    close_fd(bridge->listener_fd);
    close_fd(bridge->stop_fd);
    close_fd(bridge->epoll_fd);
    close_fd(bridge->engine_fd);
    free(bridge);
}
