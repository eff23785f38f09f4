/* server.c - the thread of the server, and how its owner talks to it; see server.h. */
#include "server.h"

#include "connection.h"
#include "engine/clock.h"
#include "engine/timers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* What epoll reports in place of a connection's id, which is larger. */
enum { LISTENER = 1, WAKE = 2 };

/* How long nothing is accepted after a lack of descriptors or memory. */
#define REST_US INT64_C(50000)

struct questions {
    struct question *first, **last;
};

struct server {
    struct connections connections; /* the thread's, with the behaviour */
    int listen_fd, wake_fd, question_fd;
    unsigned port;
    pid_t process;
    pthread_t thread;
    bool runs, is_resting;
    int64_t rests_until_us;
    atomic_bool stops;
    /* Between the threads, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct {
        enum { CALL_NONE, CALL_REQUESTED, CALL_RUNS, CALL_DONE } state;
        struct text name, arguments;
        struct buffer result;
        bool good;
    } call;
    struct questions questions, answers;
};

static void signal_fd(int fd)
{
    const uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written; /* it has room, or is readable already */
}

static void clear_fd(int fd)
{
    uint64_t count;
    ssize_t taken = read(fd, &count, sizeof count);
    (void)taken;
}

/* ---- questions and answers ---- */

static struct question *copy(uint64_t number, struct text text)
{
    struct question *question = malloc(sizeof *question + text.length);
    if (!question)
        return NULL;
    *question = (struct question){.number = number, .length = text.length};
    if (text.length)
        memcpy(question->text, text.bytes, text.length);
    return question;
}

static void append(struct server *server, struct questions *list, struct question *question)
{
    pthread_mutex_lock(&server->lock);
    *list->last = question;
    list->last = &question->next;
    pthread_mutex_unlock(&server->lock);
}

static struct question *take(struct server *server, struct questions *list)
{
    pthread_mutex_lock(&server->lock);
    struct question *first = list->first;
    if (first)
        list->first = first->next;
    if (!list->first)
        list->last = &list->first;
    pthread_mutex_unlock(&server->lock);
    return first;
}

static bool ask(void *owner, uint64_t number, struct text text)
{
    struct server *server = owner;
    struct question *question = copy(number, text);
    if (!question)
        return false;
    append(server, &server->questions, question);
    signal_fd(server->question_fd);
    return true;
}

int server_question_fd(const struct server *server)
{
    return server->question_fd;
}

const struct question *server_first_question(struct server *server)
{
    if (server_is_elsewhere(server))
        return NULL;
    pthread_mutex_lock(&server->lock);
    const struct question *first = server->questions.first;
    pthread_mutex_unlock(&server->lock);
    return first;
}

void server_drop_question(struct server *server)
{
    free(take(server, &server->questions));
}

bool server_answer(struct server *server, uint64_t number, struct text answer)
{
    if (server_is_elsewhere(server))
        return true;
    struct question *question = copy(number, answer);
    if (!question)
        return false;
    append(server, &server->answers, question);
    signal_fd(server->wake_fd);
    return true;
}

static void pass_answers_on(struct server *server)
{
    struct question *answer;
    while ((answer = take(server, &server->answers))) {
        behaviour_answer(server->connections.behaviour, answer->number,
            (struct text){answer->text, answer->length});
        free(answer);
    }
}

/* ---- calls ---- */

/* Runs a call that was requested. */
static void serve_call(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    bool is_requested = server->call.state == CALL_REQUESTED;
    if (is_requested)
        server->call.state = CALL_RUNS;
    pthread_mutex_unlock(&server->lock);
    if (!is_requested)
        return;
    server->call.good = behaviour_call(server->connections.behaviour, server->call.name,
        server->call.arguments, &server->call.result);
    pthread_mutex_lock(&server->lock);
    server->call.state = CALL_DONE;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

bool server_call(
    struct server *server, struct text name, struct text arguments, struct text *result)
{
    static const char elsewhere[] = "the server belongs to the process that has started it";
    if (server_is_elsewhere(server)) {
        *result = (struct text){elsewhere, sizeof elsewhere - 1};
        return false;
    }
    buffer_clear(&server->call.result);
    pthread_mutex_lock(&server->lock);
    server->call.name = name;
    server->call.arguments = arguments;
    server->call.state = CALL_REQUESTED;
    signal_fd(server->wake_fd);
    while (server->call.state != CALL_DONE)
        pthread_cond_wait(&server->changed, &server->lock);
    server->call.state = CALL_NONE;
    pthread_mutex_unlock(&server->lock);
    *result = (struct text){
        server->call.result.bytes ? server->call.result.bytes : "", server->call.result.length};
    return server->call.good;
}

/* ---- what the behaviour calls ---- */

/* The connection with that id, if its request waits for a reply. */
static struct connection *find(struct server *server, uint64_t id)
{
    struct connection *connection = connection_find(&server->connections, id);
    return connection && connection->state == CONNECTION_WAITS ? connection : NULL;
}

static bool send_reply(void *owner, uint64_t id, struct text head, struct text body)
{
    struct connection *connection = find(owner, id);
    if (!connection)
        return true;
    buffer_clear(&connection->out);
    connection->head_length = head.length;
    return buffer_append(&connection->out, head.bytes, head.length, SIZE_MAX) == BUFFER_OK &&
           buffer_append(&connection->out, body.bytes, body.length, SIZE_MAX) == BUFFER_OK;
}

static void finish(void *owner, uint64_t id, int64_t slow_us, bool ends)
{
    struct connection *connection = find(owner, id);
    if (connection)
        connection_write(connection, slow_us, ends);
}

static void wake(void *owner, uint64_t id, int64_t span_us)
{
    struct connection *connection = find(owner, id);
    if (connection)
        heap_insert(&connection->all->timers, &connection->node, clock_monotonic_us() + span_us);
}

/* ---- the thread ---- */

static bool watch(struct server *server, int fd, uint64_t what, bool is_known)
{
    bool is_resting = what == LISTENER && server->is_resting;
    struct epoll_event event = {.events = is_resting ? 0 : EPOLLIN, .data.u64 = what};
    return epoll_ctl(server->connections.epoll_fd, is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
               &event) == 0;
}

/* Begins or ends a rest of the listener, which is readable for as long as a connection waits. */
static void rest(struct server *server, bool rests)
{
    if (rests)
        server->rests_until_us = clock_monotonic_us() + REST_US;
    if (rests == server->is_resting)
        return;
    server->is_resting = rests;
    watch(server, server->listen_fd, LISTENER, true);
}

static void accept_all(struct server *server)
{
    for (int i = 0; i < 64; i++) {
        const int yes = 1;
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
            return;
        if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0 &&
            connection_open(&server->connections, fd))
            continue;
        if (fd >= 0)
            close(fd);
        connections_close_idle(&server->connections);
        rest(server, true);
        return;
    }
}

static void act(struct server *server, const struct epoll_event *event)
{
    if (event->data.u64 == LISTENER) {
        accept_all(server);
    } else if (event->data.u64 == WAKE) {
        clear_fd(server->wake_fd);
        serve_call(server);
        pass_answers_on(server);
    } else {
        struct connection *connection = connection_find(&server->connections, event->data.u64);
        if (connection)
            connection_ready(connection, event->events);
    }
}

static void fire_timers(struct server *server)
{
    struct heap *timers = &server->connections.timers;
    struct heap_node *node;
    int64_t now_us = clock_monotonic_us();
    if (server->is_resting && server->rests_until_us <= now_us)
        rest(server, false);
    while ((node = heap_first(timers)) && node->due_us <= now_us) {
        heap_remove(timers, node);
        connection_time(container_of(node, struct connection, node));
    }
}

/* Milliseconds until something is due; -1: never. */
static int wait_ms(const struct server *server)
{
    const struct heap_node *node = heap_first(&server->connections.timers);
    int64_t due_us = node ? node->due_us : CLOCK_NEVER;
    if (server->is_resting && server->rests_until_us < due_us)
        due_us = server->rests_until_us;
    if (due_us == CLOCK_NEVER)
        return -1;
    int64_t left_us = due_us - clock_monotonic_us();
    if (left_us <= 0)
        return 0;
    return left_us > 3600 * INT64_C(1000000) ? 3600 * 1000 : (int)(left_us / 1000) + 1;
}

static void *run(void *argument)
{
    struct server *server = argument;
    struct epoll_event events[64];
    while (!atomic_load(&server->stops)) {
        int count = epoll_wait(server->connections.epoll_fd, events, 64, wait_ms(server));
        for (int i = 0; i < count; i++)
            act(server, &events[i]);
        fire_timers(server);
    }
    return NULL;
}

/* ---- life ---- */

static bool open_listener(struct server *server, unsigned port)
{
    const int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listen_fd < 0 ||
        setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(server->listen_fd, (struct sockaddr *)&address, length) != 0 ||
        listen(server->listen_fd, 4096) != 0 ||
        getsockname(server->listen_fd, (struct sockaddr *)&address, &length) != 0)
        return false;
    server->port = ntohs(address.sin_port);
    return true;
}

static bool open_descriptors(struct server *server, unsigned port)
{
    if (!open_listener(server, port))
        return false;
    server->connections.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->question_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return server->connections.epoll_fd >= 0 && server->wake_fd >= 0 && server->question_fd >= 0 &&
           watch(server, server->listen_fd, LISTENER, false) &&
           watch(server, server->wake_fd, WAKE, false);
}

static bool start_thread(struct server *server)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&server->thread, NULL, run, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    server->runs = status == 0;
    errno = status;
    return server->runs;
}

struct server *server_new(const struct server_options *options, struct buffer *fault)
{
    struct server *server = calloc(1, sizeof *server);
    const char *message = "not enough memory";
    if (server) {
        server->listen_fd = server->wake_fd = server->question_fd = -1;
        server->connections.epoll_fd = -1;
        server->process = getpid();
        server->questions.last = &server->questions.first;
        server->answers.last = &server->answers.first;
        pthread_mutex_init(&server->lock, NULL);
        pthread_cond_init(&server->changed, NULL);
        if (open_descriptors(server, options->port)) {
            const struct behaviour_host host = {server, send_reply, finish, wake, ask};
            server->connections.behaviour =
                behaviour_new(&host, options->path, options->cpath, fault);
            if (server->connections.behaviour && start_thread(server))
                return server;
        }
        message = server->connections.behaviour || fault->length == 0 ? strerror(errno) : "";
        server_free(server);
    }
    buffer_append(fault, message, strlen(message), SIZE_MAX);
    return NULL;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void free_list(struct question *first)
{
    while (first) {
        struct question *next = first->next;
        free(first);
        first = next;
    }
}

/* In a forked child, the thread may have held any lock, and been anywhere in its Lua state: what it
 * used is left as it is. Its sockets are the parent's, too, so they are closed, and not shut down.
 */
static void leave_behind(struct server *server)
{
    struct connections *connections = &server->connections;
    for (size_t place = 0; place < connections->capacity; place++)
        if (connections->slots[place])
            close(connections->slots[place]->fd);
}

void server_free(struct server *server)
{
    const int fds[] = {
        server->listen_fd, server->connections.epoll_fd, server->wake_fd, server->question_fd};
    bool is_elsewhere = server_is_elsewhere(server);
    if (is_elsewhere) {
        leave_behind(server);
    } else {
        if (server->runs) {
            atomic_store(&server->stops, true);
            signal_fd(server->wake_fd);
            pthread_join(server->thread, NULL);
        }
        connections_free(&server->connections);
        behaviour_free(server->connections.behaviour);
        if (server->listen_fd >= 0)
            shutdown(server->listen_fd, SHUT_RDWR); /* a forked child may have a copy */
    }
    close_all(fds, sizeof fds / sizeof *fds);
    if (is_elsewhere)
        return;
    free_list(server->questions.first);
    free_list(server->answers.first);
    buffer_free(&server->call.result);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

unsigned server_port(const struct server *server)
{
    return server->port;
}

bool server_is_elsewhere(const struct server *server)
{
    return server->process != getpid();
}
