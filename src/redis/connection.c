/* connection.c - a connection to a Redis server and its commands; see connection.h.
 *
 * hiredis reads, writes and parses; this file gives it a connected socket, watches that for it, and
 * keeps the time. In its callbacks hiredis uses the context afterwards: what frees it is done when
 * the callback has returned, by settle(). */
#include "connection.h"

#include "engine/clock.h"
#include "engine/jitter.h"
#include "reading.h"
#include "resolver.h"
#include "tls.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* The bounds of the pause before another attempt. It doubles with each that has failed. */
#define LEAST_PAUSE_US 50000
#define MOST_PAUSE_US 5000000

#define FAULT_SIZE 160

TAILQ_HEAD(command_queue, command);

/* DOWN: no command waits. PAUSED: after an attempt that has failed. SHAKING: in TLS's handshake. */
enum connection_state { DOWN, PAUSED, RESOLVING, CONNECTING, SHAKING, GREETING, UP };

struct connection {
    const struct interface *core;
    struct guest guest;
    unsigned references; /* its owner's, and one for each command that is not freed */
    enum connection_state state;
    struct timer timer; /* PAUSED: the next attempt; until UP: the end of this one */
    struct jitter jitter;
    char *host, *path, *user, *password;
    int port, database;
    int64_t connect_timeout_us;
    struct tls *tls; /* NULL: without TLS */

    struct resolver *resolver;  /* RESOLVING */
    unsigned attempts;          /* that have failed, since it was UP */
    redisAsyncContext *context; /* from CONNECTING on; NULL: hiredis has freed it */
    uint32_t wanted;            /* EPOLLIN, EPOLLOUT */
    unsigned greetings;         /* that have no reply yet */
    /* How the commands end for which further attempts would not help, or COMMAND_WAITING. */
    enum command_state refusal;
    struct reading reading;
    int64_t received_us;    /* when there was input last */
    char fault[FAULT_SIZE]; /* why there is no connection */
    bool is_closed;         /* by its owner */
    struct command_queue waiting;
};

struct command {
    struct item item;
    struct timer timer; /* its deadline */
    struct connection *connection;
    enum command_state state;
    TAILQ_ENTRY(command) next; /* WAITING */
    char *text;                /* WAITING */
    size_t length;
    int64_t sent_us;
    int64_t looked_us; /* when its deadline was extended last */
    unsigned looks;    /* extensions of its deadline; see may_have_come() */
    bool was_sent;
    bool is_expected; /* hiredis has it, and will call on_reply() */
    bool is_freed;    /* its owner has; on_reply() frees the memory */
    bool continues;   /* it is to be listed once more */
    redisReply *reply;
    char fault[FAULT_SIZE];
};

static void copy_fault(char fault[FAULT_SIZE], const char *text)
{
    snprintf(fault, FAULT_SIZE, "%s", text);
}

/* ---- commands ---- */

static void release(struct connection *connection)
{
    if (--connection->references > 0)
        return;
    const struct interface *core = connection->core;
    struct engine *engine = connection->guest.engine;
    core->unreserve_timer(engine);
    core->move_out(&connection->guest);
    core->release(engine); /* the caller holds another reference */
    tls_free(connection->tls);
    free(connection->host);
    free(connection->path);
    free(connection->user);
    if (connection->password)
        explicit_bzero(connection->password, strlen(connection->password));
    free(connection->password);
    free(connection);
}

static bool has_ended(const struct command *command)
{
    return command->state > COMMAND_SENT;
}

static void drop_text(struct command *command)
{
    if (command->state == COMMAND_WAITING)
        TAILQ_REMOVE(&command->connection->waiting, command, next);
    redisFreeCommand(command->text);
    command->text = NULL;
}

static void end(struct command *command, enum command_state state, const char *fault)
{
    struct connection *connection = command->connection;
    drop_text(command);
    connection->core->stop_timer(connection->guest.engine, &command->timer);
    command->state = state;
    copy_fault(command->fault, fault);
    connection->core->list_item(connection->guest.engine, &command->item);
}

static void dispose(struct command *command)
{
    struct connection *connection = command->connection;
    if (command->reply)
        freeReplyObject(command->reply);
    free(command);
    release(connection);
}

/* hiredis frees a reply when its callback has returned. So what the reply holds is moved to another
 * one of hiredis's, which frees an empty one. */
static redisReply *take_reply(const struct connection *connection, redisReply *reply)
{
    const redisReadTask task = {.type = REDIS_REPLY_NIL};
    redisReply *taken = connection->reading.plain->createNil(&task);
    if (!taken)
        return NULL;
    *taken = *reply;
    reply->type = REDIS_REPLY_NIL;
    reply->str = NULL;
    reply->element = NULL;
    reply->elements = 0;
    return taken;
}

/* Whether the context has ended because of what the server has sent. */
static bool is_garbled(const struct connection *connection, const redisAsyncContext *context)
{
    return context->err == REDIS_ERR_PROTOCOL || (context->err && connection->reading.fault);
}

static const char *fault_of(const struct connection *connection, const redisAsyncContext *context)
{
    return connection->reading.fault ? connection->reading.fault : context->errstr;
}

/* Without a reply, the connection has broken, or the context is being freed. */
static void on_reply(redisAsyncContext *context, void *reply, void *data)
{
    struct command *command = data;
    command->is_expected = false;
    if (command->is_freed) {
        dispose(command);
    } else if (!has_ended(command) && reply) {
        command->reply = take_reply(command->connection, reply);
        end(command, command->reply ? COMMAND_REPLIED : COMMAND_BROKEN,
            command->reply ? "" : "out of memory");
    } else if (!has_ended(command)) {
        const struct connection *connection = command->connection;
        const char *fault = context->err ? fault_of(connection, context) : connection->fault;
        enum command_state how = connection->is_closed             ? COMMAND_CLOSED
                                 : is_garbled(connection, context) ? COMMAND_GARBLED
                                                                   : COMMAND_BROKEN;
        end(command, how, *fault ? fault : "the connection was closed");
    }
}

static void send_command(struct connection *connection, struct command *command)
{
    int status = redisAsyncFormattedCommand(
        connection->context, on_reply, command, command->text, command->length);
    if (status != REDIS_OK) {
        end(command, COMMAND_BROKEN, "out of memory");
        return;
    }
    drop_text(command);
    command->state = COMMAND_SENT;
    command->was_sent = command->is_expected = true;
    command->sent_us = clock_monotonic_us();
}

/* ---- the socket ---- */

/* If the socket cannot be watched, the timer ends the connection. */
static void want(struct connection *connection, uint32_t events)
{
    connection->wanted = events;
    if (connection->core->watch(&connection->guest, connection->context->c.fd, events))
        return;
    copy_fault(connection->fault, "the socket cannot be watched");
    connection->core->set_timer(connection->guest.engine, &connection->timer, 0);
}

static void add_read(void *data)
{
    struct connection *connection = data;
    want(connection, connection->wanted | EPOLLIN);
}

static void stop_read(void *data)
{
    struct connection *connection = data;
    want(connection, connection->wanted & ~(uint32_t)EPOLLIN);
}

static void add_write(void *data)
{
    struct connection *connection = data;
    want(connection, connection->wanted | EPOLLOUT);
}

static void stop_write(void *data)
{
    struct connection *connection = data;
    want(connection, connection->wanted & ~(uint32_t)EPOLLOUT);
}

/* The context is being freed, and its socket closed. */
static void cleanup(void *data)
{
    struct connection *connection = data;
    want(connection, 0);
    connection->context = NULL;
}

static void drop(struct connection *connection)
{
    connection->core->watch(&connection->guest, connection->guest.fd, 0);
    if (connection->resolver)
        resolver_free(connection->resolver);
    connection->resolver = NULL;
    if (connection->context)
        redisAsyncFree(connection->context); /* calls on_reply() and cleanup() */
}

/* ---- attempts ---- */

static void set_timer(struct connection *connection, int64_t span_us)
{
    connection->core->set_timer(
        connection->guest.engine, &connection->timer, clock_monotonic_us() + span_us);
}

/* The connection is gone, or was not made. It is made again if commands wait for it. */
static void lose(struct connection *connection)
{
    drop(connection);
    connection->core->stop_timer(connection->guest.engine, &connection->timer);
    connection->state = DOWN;
    if (TAILQ_EMPTY(&connection->waiting))
        return;
    int64_t pause_us = LEAST_PAUSE_US << (connection->attempts < 10 ? connection->attempts : 10);
    if (pause_us > MOST_PAUSE_US)
        pause_us = MOST_PAUSE_US;
    connection->attempts++;
    connection->state = PAUSED;
    set_timer(connection,
        pause_us / 2 + (int64_t)(jitter_next(&connection->jitter) % (uint64_t)pause_us));
}

static void fail(struct connection *connection, const char *fault)
{
    copy_fault(connection->fault, fault);
    lose(connection);
}

static void refuse(struct connection *connection, enum command_state how, const char *fault)
{
    copy_fault(connection->fault, fault);
    connection->refusal = how;
}

static void refuse_all(struct connection *connection)
{
    struct command *command;
    while ((command = TAILQ_FIRST(&connection->waiting)))
        end(command, connection->refusal, connection->fault);
    lose(connection);
}

/* Does what hiredis's callbacks have left to do. */
static void settle(struct connection *connection)
{
    if (connection->state < CONNECTING)
        return;
    if (connection->refusal != COMMAND_WAITING)
        refuse_all(connection);
    else if (!connection->context)
        lose(connection);
}

static void go_up(struct connection *connection)
{
    struct command *command;
    connection->state = UP;
    connection->attempts = 0;
    connection->fault[0] = '\0';
    connection->core->stop_timer(connection->guest.engine, &connection->timer);
    while ((command = TAILQ_FIRST(&connection->waiting)))
        send_command(connection, command);
}

static void on_greeting(redisAsyncContext *context, void *reply, void *data)
{
    struct connection *connection = data;
    const redisReply *answer = reply;
    (void)context;
    if (!answer || connection->refusal != COMMAND_WAITING)
        return;
    if (answer->type == REDIS_REPLY_ERROR) {
        refuse(connection, COMMAND_REFUSED, answer->str);
    } else if (--connection->greetings == 0) {
        go_up(connection);
    }
}

static void greet(struct connection *connection)
{
    redisAsyncContext *context = connection->context;
    connection->state = GREETING;
    connection->greetings = (connection->password ? 1u : 0) + (connection->database ? 1u : 0);
    int status = REDIS_OK;
    if (connection->password && connection->user)
        status = redisAsyncCommand(
            context, on_greeting, connection, "AUTH %s %s", connection->user, connection->password);
    else if (connection->password)
        status =
            redisAsyncCommand(context, on_greeting, connection, "AUTH %s", connection->password);
    if (status == REDIS_OK && connection->database != 0)
        status =
            redisAsyncCommand(context, on_greeting, connection, "SELECT %d", connection->database);
    if (status != REDIS_OK) /* the timer ends the attempt */
        copy_fault(connection->fault, "out of memory");
    else if (connection->greetings == 0)
        go_up(connection);
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct connection *connection = context->data;
    if (status != REDIS_OK)
        copy_fault(connection->fault, context->errstr);
    else if (connection->tls)
        connection->state = SHAKING; /* which begins when hiredis has returned */
    else
        greet(connection);
}

static void shake(struct connection *connection)
{
    char fault[FAULT_SIZE];
    switch (tls_shake(connection->tls, fault, sizeof fault)) {
    case TLS_DONE:
        want(connection, EPOLLIN);
        greet(connection);
        return;
    case TLS_WANTS_INPUT:
        want(connection, EPOLLIN);
        return;
    case TLS_WANTS_OUTPUT:
        want(connection, EPOLLOUT);
        return;
    case TLS_BROKEN:
        fail(connection, fault);
        return;
    case TLS_REFUSED:
        refuse(connection, COMMAND_UNTRUSTED, fault);
    }
}

static void begin_shaking(struct connection *connection)
{
    if (tls_begin(connection->tls, connection->context))
        shake(connection);
    else
        fail(connection, "no TLS handshake can be begun");
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct connection *connection = context->data;
    if (status != REDIS_OK && connection->state == GREETING && is_garbled(connection, context))
        refuse(connection, COMMAND_GARBLED, fault_of(connection, context));
    else if (status != REDIS_OK)
        copy_fault(connection->fault, fault_of(connection, context));
}

static void adopt(struct connection *connection, redisAsyncContext *context)
{
    connection->context = context;
    connection->state = CONNECTING;
    connection->wanted = 0;
    connection->refusal = COMMAND_WAITING;
    reading_begin(&connection->reading, context);
    context->data = context->ev.data = connection;
    context->ev.addRead = add_read;
    context->ev.delRead = stop_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = stop_write;
    context->ev.cleanup = cleanup;
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
}

static void connect_to(struct connection *connection, const char *address)
{
    redisAsyncContext *context = address ? redisAsyncConnect(address, connection->port)
                                         : redisAsyncConnectUnix(connection->path);
    if (!context || context->err) {
        char fault[FAULT_SIZE];
        copy_fault(fault, context ? context->errstr : "out of memory");
        if (context)
            redisAsyncFree(context);
        fail(connection, fault);
        return;
    }
    adopt(connection, context);
}

static bool is_address(const char *host)
{
    struct in6_addr bytes;
    return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1;
}

static void begin(struct connection *connection)
{
    set_timer(connection, connection->connect_timeout_us);
    if (!connection->host || is_address(connection->host)) {
        connect_to(connection, connection->host);
        return;
    }
    connection->state = RESOLVING;
    connection->resolver = resolver_new(connection->host);
    if (!connection->resolver)
        fail(connection, "no memory, descriptor or thread to look the name up");
    else if (!connection->core->watch(
                 &connection->guest, resolver_fd(connection->resolver), EPOLLIN))
        fail(connection, "the socket cannot be watched");
}

/* Further attempts try the other addresses in turn. */
static void on_resolved(struct connection *connection)
{
    const char *fault;
    char address[INET6_ADDRSTRLEN];
    const struct addresses *addresses = resolver_result(connection->resolver, &fault);
    if (addresses->count == 0) {
        fail(connection, fault);
        return;
    }
    strcpy(address, addresses->texts[connection->attempts % (unsigned)addresses->count]);
    drop(connection);
    connect_to(connection, address);
}

static void on_ready(struct guest *guest, uint32_t events)
{
    struct connection *connection = container_of(guest, struct connection, guest);
    if (connection->state == RESOLVING) {
        on_resolved(connection);
        return;
    }
    if (!connection->context)
        return;
    if (connection->state == SHAKING) {
        shake(connection);
        settle(connection);
        return;
    }
    if (events & ~(uint32_t)EPOLLOUT) {
        connection->received_us = clock_monotonic_us();
        redisAsyncHandleRead(connection->context);
    }
    if (connection->context && (events & EPOLLOUT))
        redisAsyncHandleWrite(connection->context);
    if (connection->context && connection->state == SHAKING)
        begin_shaking(connection);
    settle(connection);
}

static void on_time(struct timer *timer)
{
    struct connection *connection = container_of(timer, struct connection, timer);
    if (connection->state == PAUSED)
        begin(connection);
    else if (connection->state == UP || *connection->fault)
        lose(connection);
    else
        fail(connection, connection->state == RESOLVING ? "the name server does not answer"
                                                        : "the server does not answer");
}

/* ---- connections ---- */

static bool copy_text(char **copy, const char *text)
{
    *copy = text ? strdup(text) : NULL;
    return *copy || !text;
}

struct connection *connection_new(
    const struct interface *core, struct engine *engine, const struct connection_options *options)
{
    struct connection *connection = calloc(1, sizeof *connection);
    core->enter(engine);
    if (!connection || !core->reserve_timer(engine)) {
        core->leave(engine);
        free(connection);
        return NULL;
    }
    connection->core = core;
    connection->references = 1;
    connection->port = options->port;
    connection->database = options->database;
    connection->connect_timeout_us = options->connect_timeout_us;
    connection->timer.fire = on_time;
    connection->guest.ready = on_ready;
    connection->jitter.state = (uint64_t)clock_monotonic_us() ^ (uint64_t)(uintptr_t)connection;
    TAILQ_INIT(&connection->waiting);
    core->retain(engine);
    core->move_in(&connection->guest, engine);
    bool copied = copy_text(&connection->host, options->host) &&
                  copy_text(&connection->path, options->path) &&
                  copy_text(&connection->user, options->user) &&
                  copy_text(&connection->password, options->password);
    core->leave(engine);
    if (copied) {
        connection->tls = options->tls;
        return connection;
    }
    connection_free(connection);
    return NULL;
}

void connection_free(struct connection *connection)
{
    const struct interface *core = connection->core;
    struct engine *engine = connection->guest.engine;
    struct command *command;
    core->retain(engine);
    core->enter(engine);
    while ((command = TAILQ_FIRST(&connection->waiting)))
        end(command, COMMAND_CLOSED, "the connection was closed");
    copy_fault(connection->fault, "the connection was closed");
    connection->is_closed = true;
    lose(connection);
    release(connection);
    core->leave(engine);
    core->release(engine);
}

/* The server may have closed an idle connection, which no step has noticed yet. */
static void take_notice(struct connection *connection)
{
    if (connection->state != UP || connection->context->replies.head)
        return;
    struct pollfd socket = {.fd = connection->context->c.fd, .events = POLLIN};
    if (poll(&socket, 1, 0) != 1)
        return;
    redisAsyncHandleRead(connection->context);
    settle(connection);
}

bool connection_is_up(struct connection *connection)
{
    if (!connection->core->may_work(connection->guest.engine))
        return false;
    take_notice(connection);
    return connection->state == UP;
}

/* ---- what a command is from outside ---- */

static void list_again(struct command *command)
{
    command->continues = false;
    command->connection->core->list_item(command->connection->guest.engine, &command->item);
}

/* A program may step late although the reply arrived in time, and a step reads a part of what is
 * there. So an expired deadline is extended while there is input, but not without limit, since a
 * server can send forever. */
#define LATE_LOOKS 64
#define LATE_PAUSE_US 2000

static bool may_have_come(struct command *command)
{
    const struct connection *connection = command->connection;
    int64_t since_us = command->looks > 0 ? command->looked_us : command->sent_us;
    if (command->state != COMMAND_SENT || command->looks == LATE_LOOKS ||
        connection->received_us < since_us)
        return false;
    command->looks++;
    command->looked_us = clock_monotonic_us();
    connection->core->set_timer(
        connection->guest.engine, &command->timer, command->looked_us + LATE_PAUSE_US);
    return true;
}

/* Its deadline, or command_continue(). A server that has sent nothing since the command was sent is
 * taken to be gone. */
static void on_command_time(struct timer *timer)
{
    struct command *command = container_of(timer, struct command, timer);
    struct connection *connection = command->connection;
    bool was_sent = command->state == COMMAND_SENT;
    if (has_ended(command)) {
        list_again(command);
        return;
    }
    if (may_have_come(command))
        return;
    end(command, COMMAND_TIMEOUT, was_sent ? "" : connection->fault);
    if (was_sent && connection->received_us < command->sent_us)
        fail(connection, "the server does not answer");
}

static void on_close(struct item *item)
{
    struct command *command = container_of(item, struct command, item);
    if (!has_ended(command))
        end(command, COMMAND_CLOSED, "the client is closed");
    else if (command->continues)
        list_again(command);
}

struct command *command_new(
    struct connection *connection, char *text, size_t length, int64_t deadline_us, int ref)
{
    const struct interface *core = connection->core;
    struct engine *engine = connection->guest.engine;
    struct command *command = core->may_work(engine) ? calloc(1, sizeof *command) : NULL;
    if (!command || !core->reserve_timer(engine)) {
        free(command);
        return NULL;
    }
    command->item = (struct item){.kind = ITEM_GUEST, .ref = ref, .end = on_close};
    command->timer.fire = on_command_time;
    command->connection = connection;
    command->text = text;
    command->length = length;
    take_notice(connection);
    connection->references++;
    TAILQ_INSERT_TAIL(&connection->waiting, command, next);
    core->register_item(engine, &command->item);
    core->set_timer(engine, &command->timer, deadline_us);
    if (connection->state == UP)
        send_command(connection, command);
    else if (connection->state == DOWN)
        begin(connection);
    return command;
}

enum command_state command_state(const struct command *command)
{
    return command->state;
}

redisReply *command_reply(const struct command *command)
{
    return command->reply;
}

const char *command_fault(const struct command *command)
{
    return command->fault;
}

bool command_was_sent(const struct command *command)
{
    return command->was_sent;
}

void command_cancel(struct command *command)
{
    if (!has_ended(command))
        end(command, COMMAND_CANCELLED, "");
}

void command_settle(struct command *command)
{
    command->item.ref = 0;
}

void command_continue(struct command *command, int ref)
{
    command->item.ref = ref;
    command->continues = true;
    command->connection->core->set_timer(
        command->connection->guest.engine, &command->timer, clock_monotonic_us());
}

void command_free(struct command *command)
{
    const struct interface *core = command->connection->core;
    struct engine *engine = command->connection->guest.engine;
    command_cancel(command);
    core->stop_timer(engine, &command->timer);
    core->forget_item(engine, &command->item);
    core->unreserve_timer(engine);
    command->is_freed = true;
    if (!command->is_expected)
        dispose(command);
}
