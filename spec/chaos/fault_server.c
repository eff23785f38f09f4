/* fault_server.c - an API with one kind of job, on a server that causes faults; see README.md.
 *
 *   fault_server PORT CERTIFICATES    http on PORT, https on PORT + 1, and nothing yet on PORT + 2
 *
 * Every case has a separate address, 127.FAULT.X.Y, which determines the fault of a connection
 * before a byte has arrived. The last two bits of Y say which request meets the fault, and how
 * often: see enum part. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define START_BODY "{\"progress_id\":\"job-1\"}"
#define BUSY_BODY "{\"status\":\"processing\",\"output\":null,\"error\":null}"
#define DONE_BODY                                                                                  \
    "{\"status\":\"completed\",\"output\":{\"improved_prompt\":\"Better.\",\"summary_of_"          \
    "changes\":\"All.\"},"                                                                         \
    "\"error\":null}"

enum part { START_ONCE, START_ALWAYS, POLL_ONCE, POLL_ALWAYS };

struct script {
    char *text; /* steps, one on each line */
    bool idle;  /* applies to a connection that was answered, not to a new one */
};

struct story {
    unsigned connections, starts, polls, processed, faults;
    unsigned start_connections; /* connections before a start was processed */
    bool healed;
};

struct connection {
    int fd;
    SSL *tls;
    struct in_addr address;
    struct story *story;
    char *bytes; /* bytes that were read and not used yet */
    size_t length, room;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct script scripts[256][2]; /* by fault and by kind of request: starts, polls */
static struct story *stories[256];
static int port;
static const char *certificates;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct story *story_of(struct in_addr address)
{
    uint32_t number = ntohl(address.s_addr);
    struct story **of_fault = &stories[number >> 16 & 255];
    if (!*of_fault && !(*of_fault = calloc(65536, sizeof **of_fault)))
        fail("calloc");
    return *of_fault + (number & 65535);
}

static enum part part_of(struct in_addr address)
{
    return ntohl(address.s_addr) & 3;
}

static const struct script *script_of(struct in_addr address)
{
    return &scripts[ntohl(address.s_addr) >> 16 & 255][part_of(address) >= POLL_ONCE];
}

/* Returns whether the fault is due now, and then counts it as met. */
static bool is_due(struct connection *connection, bool idle)
{
    struct story *story = connection->story;
    enum part part = part_of(connection->address);
    const struct script *script = script_of(connection->address);
    pthread_mutex_lock(&lock);
    bool polling = story->processed > 0;
    bool due = script->text && script->idle == idle && !story->healed &&
               polling == (part >= POLL_ONCE) &&
               (story->faults == 0 || part == START_ALWAYS || part == POLL_ALWAYS);
    story->faults += due;
    pthread_mutex_unlock(&lock);
    return due;
}

/* ---- bytes ---- */

static bool put(struct connection *connection, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = connection->tls ? SSL_write(connection->tls, bytes, (int)length)
                                       : send(connection->fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool get(struct connection *connection)
{
    if (connection->room - connection->length < 65536) {
        connection->room = connection->room * 2 + 65536;
        connection->bytes = realloc(connection->bytes, connection->room + 1);
        if (!connection->bytes)
            fail("realloc");
    }
    char *end = connection->bytes + connection->length;
    size_t room = connection->room - connection->length;
    ssize_t got = connection->tls ? SSL_read(connection->tls, end, (int)room)
                                  : recv(connection->fd, end, room, 0);
    if (got <= 0)
        return false;
    connection->length += (size_t)got;
    end[got] = '\0';
    return true;
}

struct request {
    char method[16], path[256];
    char *body; /* to be freed */
};

static bool get_request(struct connection *connection, struct request *request)
{
    char *head_end;
    while (!connection->bytes || !(head_end = strstr(connection->bytes, "\r\n\r\n")))
        if (!get(connection))
            return false;
    size_t head = (size_t)(head_end + 4 - connection->bytes), body = 0;
    const char *announced = strcasestr(connection->bytes, "\r\nContent-Length:");
    if (announced && announced < head_end)
        body = strtoul(announced + 17, NULL, 10);
    while (connection->length < head + body)
        if (!get(connection))
            return false;
    if (sscanf(connection->bytes, "%15s %255s", request->method, request->path) != 2)
        return false;
    request->body = strndup(connection->bytes + head, body);
    connection->length -= head + body;
    memmove(connection->bytes, connection->bytes + head + body, connection->length + 1);

    pthread_mutex_lock(&lock);
    if (strcmp(request->method, "POST") == 0)
        connection->story->starts++;
    else if (strstr(request->path, "progress"))
        connection->story->polls++;
    pthread_mutex_unlock(&lock);
    return true;
}

static bool answer(struct connection *connection, const char *body, bool close_after)
{
    char head[256];
    int length = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
        strlen(body), close_after ? "Connection: close\r\n" : "");
    return put(connection, head, (size_t)length) && put(connection, body, strlen(body)) &&
           !close_after;
}

/* ---- the steps of a script ---- */

static void pause_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

static void wait_until_gone(struct connection *connection)
{
    struct pollfd watched = {.fd = connection->fd, .events = POLLRDHUP};
    poll(&watched, 1, 60000);
}

static int value_of(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

/* Sends bytes given as hexadecimal digits, with a pause after each byte if there is one. */
static bool put_hex(struct connection *connection, const char *hex, long pause)
{
    size_t length = strspn(hex, "0123456789abcdef") / 2;
    char *bytes = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(value_of(hex[2 * i]) * 16 + value_of(hex[2 * i + 1]));
    bool sent = true;
    for (size_t i = 0; pause >= 0 && sent && i < length; i++) {
        sent = put(connection, bytes + i, 1);
        pause_ms(pause);
    }
    if (pause < 0)
        sent = put(connection, bytes, length);
    free(bytes);
    return sent;
}

static void put_date(struct connection *connection, long from_now)
{
    char text[64];
    struct tm parts;
    time_t then = time(NULL) + from_now;
    put(connection, text,
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &parts)));
}

static bool begin_tls(struct connection *connection, const char *name)
{
    char certificate[512], key[512];
    snprintf(certificate, sizeof certificate, "%s/%.*s.pem", certificates, (int)strcspn(name, "\n"),
        name);
    snprintf(key, sizeof key, "%s/%.*s.key", certificates, (int)strcspn(name, "\n"), name);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (strncmp(name, "old", 3) == 0) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    }
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    connection->tls = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(connection->tls, connection->fd);
    return SSL_accept(connection->tls) == 1;
}

/* Returns false if the connection has ended. */
static bool play(struct connection *connection, const char *step)
{
    struct request request = {0};
    while (step && *step) {
        char verb[16] = "";
        int used = 0;
        sscanf(step, "%15s%n", verb, &used);
        const char *rest = step + used + (step[used] == ' ');
        long number = strtol(rest, NULL, 10);
        if (strcmp(verb, "read") == 0) {
            while (connection->length < (size_t)number)
                if (!get(connection))
                    return false;
        } else if (strcmp(verb, "ready") == 0) {
            struct pollfd watched = {.fd = connection->fd, .events = POLLIN};
            poll(&watched, 1, 60000);
        } else if (strcmp(verb, "request") == 0) {
            if (!get_request(connection, &request))
                return false;
            free(request.body);
        } else if (strcmp(verb, "process") == 0) {
            pthread_mutex_lock(&lock);
            connection->story->processed += strcmp(request.method, "POST") == 0;
            pthread_mutex_unlock(&lock);
        } else if (strcmp(verb, "send") == 0) {
            if (!put_hex(connection, rest, -1))
                return false;
        } else if (strcmp(verb, "drip") == 0) {
            if (!put_hex(connection, strchr(rest, ' ') + 1, number))
                return false;
        } else if (strcmp(verb, "date") == 0) {
            put_date(connection, number);
        } else if (strcmp(verb, "tls") == 0) {
            if (!begin_tls(connection, rest))
                return false;
        } else if (strcmp(verb, "sleep") == 0) {
            pause_ms(number);
        } else if (strcmp(verb, "silence") == 0) {
            wait_until_gone(connection);
            return false;
        } else if (strcmp(verb, "reset") == 0) {
            pause_ms(5); /* a reset may overtake bytes that were sent before */
            struct linger at_once = {1, 0};
            setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            return false;
        } else if (strcmp(verb, "close") == 0) {
            return false;
        } else {
            fprintf(stderr, "unknown step %s\n", verb);
            exit(1);
        }
        step = strchr(step, '\n');
        step += step != NULL;
    }
    return true;
}

/* ---- listeners ---- */

static void *serve_thread(void *argument);

static int listen_on(struct in_addr address, int at, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, window = 16384;
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)at), .sin_addr = address};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3); /* old kernels allow this to root only */
    /* Small, so that a large request that is not read stays with its sender. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || listen(fd, backlog) != 0)
        fail("listen");
    return fd;
}

struct listener {
    int fd, at;
};

static void in_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &small, run, argument) != 0)
        fail("pthread_create");
    pthread_attr_destroy(&small);
}

static void *accept_thread(void *argument)
{
    struct listener listener = *(struct listener *)argument;
    free(argument);
    for (;;) {
        struct listener *accepted = malloc(sizeof *accepted);
        *accepted = (struct listener){accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC), listener.at};
        if (accepted->fd >= 0) {
            in_thread(serve_thread, accepted);
            continue;
        }
        free(accepted);
        if (errno != ECONNABORTED && errno != EINTR)
            fail("accept");
    }
}

static void accept_on(int fd, int at)
{
    struct listener *listener = malloc(sizeof *listener);
    *listener = (struct listener){fd, at};
    in_thread(accept_thread, listener);
}

/* The addresses whose listener at PORT + 2 has a full queue, and the descriptors that fill it. */
static struct full {
    struct in_addr address;
    int listener, waiting[3];
    struct full *next;
} * all_full;

/* Makes a listener whose queue is full, so that connecting to it gets no answer. */
static void fill(struct in_addr address)
{
    struct full *full = calloc(1, sizeof *full);
    full->address = address;
    full->listener = listen_on(address, port + 2, 0);
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)(port + 2)), .sin_addr = address};
    for (int i = 0; i < 3; i++) {
        full->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(full->waiting[i], (struct sockaddr *)&name, sizeof name);
    }
    pthread_mutex_lock(&lock);
    full->next = all_full;
    all_full = full;
    pthread_mutex_unlock(&lock);
}

static void open_to_all(struct in_addr address)
{
    int fd = -1;
    pthread_mutex_lock(&lock);
    for (struct full *full = all_full; full; full = full->next)
        if (full->address.s_addr == address.s_addr) {
            fd = full->listener;
            for (int i = 0; i < 3; i++)
                close(full->waiting[i]);
        }
    pthread_mutex_unlock(&lock);
    if (fd >= 0)
        listen(fd, 64);
    accept_on(fd >= 0 ? fd : listen_on(address, port + 2, 64), port + 2);
}

/* ---- control ---- */

static bool control(struct connection *connection, const struct request *request)
{
    char verb[16] = "", target[64] = "", text[256] = "{}";
    unsigned fault;
    struct in_addr address;
    if (sscanf(request->path, "/script/%u/%15s", &fault, verb) == 2 && fault < 256) {
        struct script *script = &scripts[fault][strncmp(verb, "poll", 4) == 0];
        script->idle = strstr(verb, "idle");
        script->text = strdup(request->body);
    } else if (sscanf(request->path, "/%15[a-z]/%63s", verb, target) == 2 &&
               inet_aton(target, &address)) {
        pthread_mutex_lock(&lock);
        struct story *story = story_of(address);
        if (strcmp(verb, "heal") == 0)
            story->healed = true;
        snprintf(text, sizeof text,
            "{\"connections\":%u,\"start_connections\":%u,\"starts\":%u,\"polls\":%u,\"processed\":"
            "%u,\"faults\":%u}",
            story->connections, story->start_connections, story->starts, story->polls,
            story->processed, story->faults);
        pthread_mutex_unlock(&lock);
        if (strcmp(verb, "fill") == 0)
            fill(address);
        else if (strcmp(verb, "open") == 0)
            open_to_all(address);
    }
    return answer(connection, text, false);
}

/* ---- a connection ---- */

static bool answer_well(struct connection *connection, const struct request *request)
{
    struct story *story = connection->story;
    bool idle = script_of(connection->address)->idle;
    if (strcmp(request->method, "POST") != 0) {
        if (idle && story->polls <= 1)
            return answer(connection, BUSY_BODY, false);
        return answer(connection, DONE_BODY, false);
    }
    pthread_mutex_lock(&lock);
    story->processed++;
    pthread_mutex_unlock(&lock);
    /* Closes, so that the poll uses a new connection, which may meet a fault from its beginning. */
    return answer(connection, START_BODY, true);
}

static void serve(struct connection *connection, bool tls)
{
    struct story *story = connection->story;
    bool is_control = ntohl(connection->address.s_addr) == INADDR_LOOPBACK;
    pthread_mutex_lock(&lock);
    story->connections++;
    story->start_connections += story->processed == 0;
    pthread_mutex_unlock(&lock);
    if (is_due(connection, false)) {
        if (!play(connection, script_of(connection->address)->text))
            return;
    } else if (tls && !begin_tls(connection, "good")) {
        return;
    }
    struct request request;
    while (get_request(connection, &request)) {
        bool on = is_control ? control(connection, &request) : answer_well(connection, &request);
        free(request.body);
        if (on && is_due(connection, true))
            on = play(connection, script_of(connection->address)->text);
        if (!on)
            return;
    }
}

static void *serve_thread(void *argument)
{
    struct listener *accepted = argument;
    struct connection connection = {.fd = accepted->fd};
    bool tls = accepted->at == port + 1;
    free(accepted);
    struct sockaddr_in name = {0};
    socklen_t size = sizeof name;
    int yes = 1;
    getsockname(connection.fd, (struct sockaddr *)&name, &size);
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (ntohl(name.sin_addr.s_addr) >> 24 == 127) { /* no other is of this machine's loopback */
        connection.address = name.sin_addr;
        pthread_mutex_lock(&lock);
        connection.story = story_of(name.sin_addr);
        pthread_mutex_unlock(&lock);
        serve(&connection, tls);
    }
    SSL_free(connection.tls);
    close(connection.fd);
    free(connection.bytes);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    port = atoi(argv[1]);
    certificates = argv[2];
    signal(SIGPIPE, SIG_IGN);
    struct in_addr any = {htonl(INADDR_ANY)};
    for (int at = port; at <= port + 1; at++)
        accept_on(listen_on(any, at, 4096), at);
    printf("ready\n");
    fflush(stdout);
    for (;;)
        pause();
}
