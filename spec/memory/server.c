/* server.c - an API, and a Redis server, with a few canned answers; see server.h.
 *
 * It runs in a separate process, with a thread for each connection, so its allocations are not
 * counted. */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Long enough that a buffer maps pages (MIN_MAPPED in src/text/buffer.c), and then grows them. */
#define BIG 2500000

#define BUSY "{\"status\":\"processing\",\"output\":null,\"error\":null}"
#define DONE                                                                                       \
    "{\"status\":\"completed\",\"output\":{\"improved_prompt\":\"Better.\",\"summary_of_"          \
    "changes\":\"All.\"},\"error\":null}"
#define RECORD                                                                                     \
    "{\"id\":7,\"call_id\":\"sess-7\",\"status\":\"success\",\"success\":true,\"duration\":"       \
    "\"01:05\",\"timestamp\":\"2026-05-01T10:00:00Z\",\"big\":9007199254740993,\"ratio\":0.5,"     \
    "\"note\":\"caf\\u00e9 \\ud83d\\ude00\",\"metadata\":{\"tags\":[1,null,\"x\",[]],\"none\":"    \
    "null},\"transcript_object\":[{\"role\":\"Main "                                               \
    "Agent\",\"content\":\"Hello.\",\"start_time\":0,\"end_time\":"                                \
    "1.5},{\"role\":\"Testing Agent\",\"content\":\"Hi.\",\"start_time\":2,\"end_time\":3}],"      \
    "\"evaluation\":{\"metrics\":[{\"id\":501,\"name\":\"Greets\",\"eval_type\":"                  \
    "\"binary_workflow_adherence\",\"score\":5,\"passed\":true,\"explanation\":[\"Yes.\"]}]}}"

struct request {
    const char *method, *path;
    const char *body;
};

static bool put(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool answer(int fd, int status, const char *body, size_t length)
{
    char head[200];
    int size = snprintf(head, sizeof head,
        "HTTP/1.1 %d Whatever\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        status, length);
    return put(fd, head, (size_t)size) && put(fd, body, length);
}

static bool say(int fd, int status, const char *body)
{
    return answer(fd, status, body, strlen(body));
}

static bool send_big(int fd)
{
    char *body = malloc(BIG);
    if (!body)
        return false;
    memset(body, 'x', BIG);
    body[0] = body[BIG - 1] = '"';
    bool done = answer(fd, 200, body, BIG);
    free(body);
    return done;
}

/* Every second poll on a connection finds the job finished, unless the job is endless. */
static bool serve_request(int fd, const struct request *request, unsigned *polls)
{
    if (strstr(request->path, "improve_prompt_bg"))
        return say(fd, 200,
            strstr(request->body, "endless") ? "{\"progress_id\":\"endless\"}"
                                             : "{\"progress_id\":\"job\"}");
    if (strstr(request->path, "progress_id=job"))
        return say(fd, 200, ++*polls % 2 ? BUSY : DONE);
    if (strstr(request->path, "progress_id=endless"))
        return say(fd, 200, BUSY);
    if (strstr(request->path, "call-logs/7/"))
        return say(fd, 200, RECORD);
    if (strstr(request->path, "call-logs/?"))
        return say(
            fd, 200, "{\"results\":[" RECORD "," RECORD "],\"next\":null,\"previous\":null}");
    if (strstr(request->path, "/v1/observe/"))
        return strstr(request->body, "No Field")
                   ? say(fd, 400, "{\"redact_fields\":[\"No Field is not a valid choice.\"]}")
                   : say(fd, 201, RECORD);
    if (strstr(request->path, "/big/"))
        return send_big(fd);
    if (strstr(request->path, "v3/metrics/simplify_prompt"))
        return say(fd, 200, "{\"simplified_prompt\":\"Be kind.\"}");
    if (strstr(request->path, "/echo/"))
        return say(fd, 200, strstr(request->body, "Hello, file.") ? "{\"read\":true}" : "{}");
    if (strstr(request->path, "/never/")) {
        char byte;
        return recv(fd, &byte, 1, 0) > 0; /* until the client closes the connection */
    }
    return say(fd, 404, "{\"detail\":\"Not found.\"}");
}

/* Reads until the request is complete, and returns its length; 0 if it never is. */
static size_t read_request(int fd, char *bytes, size_t room, struct request *request)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = recv(fd, bytes + length, room - 1 - length, 0);
        if (got <= 0)
            return 0;
        length += (size_t)got;
        bytes[length] = '\0';
        char *end = strstr(bytes, "\r\n\r\n");
        if (!end)
            continue;
        const char *announced = strcasestr(bytes, "\r\nContent-Length:");
        size_t whole = (size_t)(end + 4 - bytes);
        if (announced && announced < end)
            whole += (size_t)atol(announced + strlen("\r\nContent-Length:"));
        if (length < whole)
            continue;
        char *rest;
        request->body = end + 4;
        request->method = strtok_r(bytes, " ", &rest);
        request->path = strtok_r(NULL, " ", &rest);
        return request->path ? whole : 0;
    }
}

/* ---- Redis ---- */

/* The length of the command at the start of the bytes, and its name; 0: it is not complete. */
static size_t read_command(const char *bytes, size_t length, char name[20])
{
    const char *at = bytes, *end = bytes + length;
    int words, size, used;
    if (sscanf(at, "*%d\r\n%n", &words, &used) != 1)
        return 0;
    at += used;
    for (int i = 0; i < words; i++) {
        if (at >= end || sscanf(at, "$%d\r\n%n", &size, &used) != 1 || end - at < used + size + 2)
            return 0;
        at += used;
        if (i == 0)
            snprintf(name, 20, "%.*s", size, at);
        at += size + 2;
    }
    return (size_t)(at - bytes);
}

/* More elements than are moved to Lua in one slice. */
#define ELEMENTS 2500

static bool send_list(int fd)
{
    static const char inner[] = "*2\r\n:7\r\n$5\r\nhello\r\n", number[] = ":7\r\n";
    char head[20];
    bool done = put(fd, head, (size_t)snprintf(head, sizeof head, "*%d\r\n", ELEMENTS));
    for (int i = 0; done && i < ELEMENTS; i++)
        done = i % 100 == 0 ? put(fd, inner, sizeof inner - 1) : put(fd, number, sizeof number - 1);
    return done;
}

static bool execute(int fd, const char *name)
{
    if (strcmp(name, "LIST") == 0)
        return send_list(fd);
    if (strcmp(name, "NEVER") == 0)
        return true;
    if (strcmp(name, "BREAK") == 0)
        return false;
    const char *reply = strcmp(name, "GET") == 0     ? "$-1\r\n"
                        : strcmp(name, "WRONG") == 0 ? "-ERR no\r\n"
                                                     : "+OK\r\n";
    return put(fd, reply, strlen(reply));
}

static void serve_redis(int fd, char *bytes, size_t room)
{
    size_t length = 0, used;
    char name[20];
    for (;;) {
        ssize_t got = recv(fd, bytes + length, room - 1 - length, 0);
        if (got <= 0)
            return;
        length += (size_t)got;
        bytes[length] = '\0';
        while ((used = read_command(bytes, length, name)) > 0) {
            if (!execute(fd, name))
                return;
            length -= used;
            memmove(bytes, bytes + used, length + 1);
        }
    }
}

static void *serve_connection(void *user)
{
    int fd = (int)(intptr_t)user;
    char bytes[65536];
    unsigned polls = 0;
    struct request request;
    if (recv(fd, bytes, 1, MSG_PEEK) == 1 && *bytes == '*')
        serve_redis(fd, bytes, sizeof bytes);
    else
        while (
            read_request(fd, bytes, sizeof bytes, &request) && serve_request(fd, &request, &polls))
            ;
    close(fd);
    return NULL;
}

static _Noreturn void serve(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        const int at_once = 1;
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        if (fd >= 0 && pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
        else if (fd >= 0)
            close(fd);
    }
}

int server_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        serve(listener);
    close(listener);
    return pid < 0 ? -1 : ntohs(address.sin_port);
}
