/* request_copy.c - copies of requests; see request_copy.h. */
#include "request_copy.h"

#include "upload.h"

#include <stdlib.h>

static char *copy_bytes(char **room, const char *bytes, size_t length)
{
    char *copy = *room;
    if (length)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    *room += length + 1;
    return copy;
}

static char *copy_text(char **room, const char *text)
{
    return text ? copy_bytes(room, text, strlen(text)) : NULL;
}

static size_t text_room(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t room_of(const struct request *request)
{
    size_t room = request->part_count * sizeof *request->parts;
    room += request->header_count * sizeof(char *);
    for (size_t i = 0; i < request->header_count; i++)
        room += text_room(request->headers[i]);
    room += text_room(request->method) + text_room(request->url) + text_room(request->url_rest);
    if (request->body)
        room += request->body_length + 1;
    for (size_t i = 0; i < request->part_count; i++)
        room += request->parts[i].bytes ? (size_t)request->parts[i].length + 1 : 0;
    return room;
}

/* The headers precede the other texts in the block, so that request_free() wipes its beginning. */
bool request_copy(struct request_copy *copy, const struct request *request)
{
    char *block = malloc(room_of(request));
    if (!block)
        return false;
    struct body_part *parts = (struct body_part *)(void *)block;
    const char **headers = (const char **)(void *)(parts + request->part_count);
    char *next = (char *)(headers + request->header_count);
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = copy_text(&next, request->headers[i]);
    *copy = (struct request_copy){
        .request = *request, .block = block, .secret_length = (size_t)(next - block)};
    copy->request.headers = headers;
    copy->request.parts = parts;
    copy->request.endpoint = NULL;
    copy->request.method = copy_text(&next, request->method);
    copy->request.url = copy_text(&next, request->url);
    copy->request.url_rest = copy_text(&next, request->url_rest);
    if (request->body)
        copy->request.body = copy_bytes(&next, request->body, request->body_length);
    for (size_t i = 0; i < request->part_count; i++) {
        parts[i] = request->parts[i];
        if (parts[i].bytes)
            parts[i].bytes = copy_bytes(&next, parts[i].bytes, (size_t)parts[i].length);
    }
    if (upload_open(parts, request->part_count))
        return true;
    copy->request.part_count = 0;
    request_free(copy);
    return false;
}

bool request_copy_for(struct request_copy *copy, const struct request *request, const char *id)
{
    const char *rest = request->url_rest ? request->url_rest : "";
    char *url = malloc(strlen(request->url) + strlen(id) + strlen(rest) + 1);
    if (!url)
        return false;
    stpcpy(stpcpy(stpcpy(url, request->url), id), rest);
    *copy = (struct request_copy){.request = *request, .block = url};
    copy->request.url = url;
    copy->request.url_rest = NULL;
    return true;
}

void request_close_files(struct request_copy *copy)
{
    upload_close(copy->request.parts, copy->request.part_count);
    copy->request.part_count = 0;
}

void request_free(struct request_copy *copy)
{
    request_close_files(copy);
    explicit_bzero(copy->block, copy->secret_length);
    free(copy->block);
}
