/* wire_fuzzer.c - sends any bytes as a server's answers, through libcurl and the engine.
 *
 * The first byte selects how they are sent. The rest are the answers to successive requests,
 * separated by the byte RS. Handles are reused from input to input, and so are connections while
 * they last. If an answer does not end, the server closes the connection. Each request must end
 * with an outcome as operation.h and request.h define it. */
#include "check.h"
#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/operation.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define RS '\x1e'
#define MOST_ANSWERS 2
#define MAX_RESPONSE 20000

/* Bits of the first byte. */
#define HOW_HEAD 1   /* requests are HEAD */
#define HOW_START 2  /* requests are POST, which is not repeated */
#define HOW_PIECES 4 /* answers begin in pieces of seven bytes */
#define HOW_CLOSED 8 /* the connection ends after each answer, whatever its headers say */
#define HOW_USED 16  /* the handle has had a good answer before */
#define HOW_RESET 32 /* the connection ends with a reset */

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A: a\r\n"
                           "Content-Length: 2\r\n\r\n{}";

struct server {
    int listener, peer; /* -1: none */
    in_port_t port;
    uint32_t address;
    int how;
    const char *answer; /* the bytes still to be sent */
    size_t left;
    int pieces;
    bool requested;
    char last[4]; /* the last bytes of the request */
};

static struct server server = {.listener = -1, .peer = -1};

static void open_server(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(server.listener >= 0);
    CHECK(bind(server.listener, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK(listen(server.listener, 64) == 0);
    CHECK(getsockname(server.listener, (struct sockaddr *)&name, &size) == 0);
    server.port = ntohs(name.sin_port);
}

static void hang_up(void)
{
    const struct linger at_once = {.l_onoff = 1};
    if (server.peer < 0)
        return;
    if (server.how & HOW_RESET)
        setsockopt(server.peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(server.peer);
    server.peer = -1;
}

/* Reads requests up to the empty line. The body of a POST, which follows, has no empty line. */
static bool hear(void)
{
    char bytes[4096];
    ssize_t count = recv(server.peer, bytes, sizeof bytes, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN))
        hang_up();
    for (ssize_t i = 0; i < count; i++) {
        memmove(server.last, server.last + 1, 3);
        server.last[3] = bytes[i];
        server.requested |= memcmp(server.last, "\r\n\r\n", 4) == 0;
    }
    return count > 0;
}

static bool say(void)
{
    size_t span =
        server.how & HOW_PIECES && server.left > 7 && server.pieces++ < 40 ? 7 : server.left;
    ssize_t sent = send(server.peer, server.answer, span, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN)
            hang_up();
        return errno != EAGAIN;
    }
    server.answer += sent;
    server.left -= (size_t)sent;
    if (server.left == 0 && server.how & HOW_CLOSED)
        hang_up();
    return true;
}

/* Serves the connection, and returns whether there was anything to do. Without `idle`, it tries
 * only what is likely, which saves system calls. */
static bool serve(bool idle)
{
    bool did = false;
    if (server.peer < 0 || idle) {
        int peer = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer >= 0) {
            hang_up();
            server.peer = peer;
            server.requested = false;
        }
        did = peer >= 0;
    }
    if (server.peer >= 0 && (idle || !server.requested))
        did |= hear();
    if (server.peer >= 0 && server.requested && server.left > 0)
        did |= say();
    return did;
}

static void check_outcome(const struct outcome *outcome, bool is_head)
{
    CHECK(outcome->kind <= OUTCOME_CLOSED);
    CHECK(outcome->body.length <= MAX_RESPONSE);
    CHECK((outcome->kind == OUTCOME_RESPONSE) == !outcome->message);
    CHECK(outcome->status == 0 || (outcome->status >= 200 && outcome->status <= 999));
    if (outcome->kind != OUTCOME_RESPONSE) {
        CHECK(outcome->kind != OUTCOME_CLOSED && outcome->kind != OUTCOME_NO_MEMORY);
        CHECK(outcome->kind != OUTCOME_TIMEOUT && outcome->kind != OUTCOME_TLS);
        return;
    }
    CHECK(outcome->status != 0);
    CHECK(outcome->headers.length > 5 && strncasecmp(outcome->headers.bytes, "HTTP/", 5) == 0);
    if (is_head || outcome->status == 204 || outcome->status == 304)
        CHECK(outcome->body.length == 0);
}

/* How many inputs an engine serves. Creating one takes as long as an input. */
#define INPUTS_AN_ENGINE 50

static struct engine *engine;
static int inputs_left;

/* Steps engine and server until the request has ended. Ends the connection when neither has
 * anything to do. */
static int ask(const char *answer, size_t length, int how)
{
    char url[64];
    struct request request = {.method = "GET", .url = url, .timeout_us = INT64_C(20000000)};
    if (how & HOW_START) {
        request.method = "POST";
        request.body = "{}";
        request.body_length = 2;
    } else if (how & HOW_HEAD) {
        request.method = "HEAD";
    }
    snprintf(url, sizeof url, "http://127.%u.%u.%u:%u/", server.address >> 16 & 255,
        server.address >> 8 & 255, server.address & 255, (unsigned)server.port);
    server.answer = answer;
    server.left = length;
    server.how = how;
    server.requested = false;
    server.pieces = 0;
    struct operation *operation = operation_new(engine, &request, 1);
    CHECK(operation);
    const struct outcome *outcome;
    for (int idle = 0;;) {
        engine_step(engine, 0);
        if ((outcome = operation_outcome(operation)))
            break;
        struct pollfd readable = {.fd = engine_fd(engine), .events = POLLIN};
        bool busy = serve(idle > 0) || engine_due_us(engine) <= clock_monotonic_us() ||
                    poll(&readable, 1, 0) > 0;
        idle = busy ? 0 : idle + 1;
        if (idle > 2 && server.peer >= 0)
            hang_up();
        else if (idle > 4) /* libcurl waits for a timeout */
            engine_step(engine, 1000);
    }
    check_outcome(outcome, how & HOW_HEAD && !(how & HOW_START));
    int status = outcome->kind == OUTCOME_HELD ? 429 : outcome->status;
    operation_free(operation);
    return status;
}

static void end_engine(void)
{
    if (engine)
        engine_free(engine);
    engine = NULL;
    hang_up();
}

/* Creates the engine if there is none, and returns whether it did. */
static bool get_engine(void)
{
    const struct engine_options options = {
        .max_in_flight = 1,
        .max_response = MAX_RESPONSE,
        .connect_timeout_us = INT64_C(20000000),
        .loopback = true,
    };
    const char *message;
    if (engine && --inputs_left > 0)
        return false;
    end_engine();
    /* An address of this process alone, so that there are enough ports. */
    server.address = server.address % 0xfffffe + 1;
    engine = engine_new(&options, &message);
    CHECK(engine);
    if (server.address == 1)
        atexit(end_engine); /* runs before the engine's handler, after which closing leaves libcurl
                               alone */
    inputs_left = INPUTS_AN_ENGINE;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size == 0)
        return 0;
    if (server.listener < 0)
        open_server();
    int how = input[0];
    if (get_engine() && how & HOW_USED)
        CHECK(ask(good, sizeof good - 1, 0) == 200);
    const char *at = (const char *)input + 1, *end = (const char *)input + size;
    for (int i = 0; i < MOST_ANSWERS && at <= end; i++) {
        const char *stop = at < end ? memchr(at, RS, (size_t)(end - at)) : NULL;
        if (!stop)
            stop = end;
        if (ask(at, (size_t)(stop - at), how) == 429) { /* the engine pauses after it */
            end_engine();
            break;
        }
        at = stop + 1;
    }
    return 0;
}
