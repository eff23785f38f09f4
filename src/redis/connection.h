/* connection.h - a connection to a Redis server, which is made again when it breaks, and the
 * commands that are sent on it.
 *
 * A command waits until there is a connection, and is sent once: if the connection breaks before
 * the reply, the server may or may not have executed it. Replies come in the order of the
 * commands. A connection is made only while a command waits for it.
 *
 * These functions are called inside the gate of the engine, see engine/guest.h, but for
 * connection_new(). */
#ifndef CEKURA_REDIS_CONNECTION_H
#define CEKURA_REDIS_CONNECTION_H

#include "lua/interface.h"

#include <hiredis/async.h>

struct connection;
struct tls;

struct connection_options {
    const char *host; /* a name or an address; NULL: `path` is that of a Unix socket */
    const char *path;
    int port;
    const char *user, *password; /* NULL: none */
    int database;
    int64_t connect_timeout_us; /* for the name, the connection and the login together */
    struct tls *tls;            /* belongs to the connection; NULL: without TLS */
};

/* Copies the options. Returns NULL, and does not take `tls`, if memory runs out. */
struct connection *connection_new(
    const struct interface *core, struct engine *engine, const struct connection_options *options);

/* Ends its commands, and frees it with the last of them. */
void connection_free(struct connection *connection);

/* Whether it is connected, as far as can be known without sending anything. */
bool connection_is_up(struct connection *connection);

enum command_state {
    COMMAND_WAITING,
    COMMAND_SENT,
    /* the ends: */
    COMMAND_REPLIED,
    COMMAND_BROKEN,    /* the connection has */
    COMMAND_GARBLED,   /* what the server has sent is no reply */
    COMMAND_REFUSED,   /* the server has refused the login, or the database */
    COMMAND_UNTRUSTED, /* by TLS */
    COMMAND_TIMEOUT,
    COMMAND_CANCELLED,
    COMMAND_CLOSED,
};

struct command;

/* Sends a command, whose text is that of redisFormatCommandArgv() and belongs to it from now on.
 * Lists an item with that ref when it has ended. Returns NULL, and does not take the text, if
 * memory runs out or the engine is closed. */
struct command *command_new(
    struct connection *connection, char *text, size_t length, int64_t deadline_us, int ref);

enum command_state command_state(const struct command *command);

/* The reply, which belongs to the command; NULL unless it is COMMAND_REPLIED. */
redisReply *command_reply(const struct command *command);

/* Why it has ended otherwise, and whether the server may have executed it. */
const char *command_fault(const struct command *command);
bool command_was_sent(const struct command *command);

/* Ends the command, unless it has ended. */
void command_cancel(struct command *command);

/* Its ref is no longer valid: another item may get it. */
void command_settle(struct command *command);

/* Lists a command that has ended once more, in the next step, as an item with that ref. */
void command_continue(struct command *command, int ref);

/* Cancels and frees it. */
void command_free(struct command *command);

#endif
