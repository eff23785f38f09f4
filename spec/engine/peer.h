/* peer.h - an HTTP server for an engine under test, in the same program, on a port of the loopback
 * interface. */
#ifndef CEKURA_PEER_H
#define CEKURA_PEER_H

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns a listening socket, and writes its URL; -1 on failure. */
static inline int peer_listen(char *url, size_t room)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    snprintf(url, room, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return listener;
}

/* Reads the head of a request without a body, as text. */
static inline void peer_read_head(int fd, char *bytes, size_t room)
{
    size_t length = 0;
    do {
        ssize_t got = read(fd, bytes + length, room - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        bytes[length] = '\0';
    } while (!strstr(bytes, "\r\n\r\n"));
}

static inline void peer_read_request(int fd)
{
    char bytes[1000];
    peer_read_head(fd, bytes, sizeof bytes);
}

static inline void peer_write_bytes(int fd, const char *bytes, size_t length)
{
    assert_int_equal(write(fd, bytes, length), length);
}

static inline void peer_write(int fd, const char *text)
{
    peer_write_bytes(fd, text, strlen(text));
}

/* `headers` are lines, each with its line end. */
static inline void peer_answer(int fd, int status, const char *headers, const char *body)
{
    char text[300];
    snprintf(text, sizeof text, "HTTP/1.1 %d Whatever\r\n%sContent-Length: %zu\r\n\r\n%s", status,
        headers, strlen(body), body);
    peer_write(fd, text);
}

#endif
