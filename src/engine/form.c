/* form.c - what the requests of many polls have in common; see form.h. */
#include "form.h"

#include <search.h>
#include <stdlib.h>

static int compare_texts(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

/* An endpoint is found by its method, so forms of the same endpoint have the same one. */
static int compare(const void *first, const void *second)
{
    const struct form *a = first, *b = second;
    const struct request *of_a = &a->copy.request, *of_b = &b->copy.request;
    int order = (a->endpoint > b->endpoint) - (a->endpoint < b->endpoint);
    if (order == 0)
        order = (of_a->timeout_us > of_b->timeout_us) - (of_a->timeout_us < of_b->timeout_us);
    if (order == 0)
        order = compare_texts(of_a->url, of_b->url);
    if (order == 0)
        order = compare_texts(of_a->url_rest, of_b->url_rest);
    return order;
}

static struct form *make(void **known, struct endpoint *endpoint, const struct request *request)
{
    struct form *form = malloc(sizeof *form);
    if (!form)
        return NULL;
    *form = (struct form){.known = known, .endpoint = endpoint};
    if (!request_copy(&form->copy, request)) {
        free(form);
        return NULL;
    }
    if (!tsearch(form, known, compare)) {
        request_free(&form->copy);
        free(form);
        return NULL;
    }
    return form;
}

/* The form of a request to that endpoint, of which the caller is a user. */
static struct form *acquire(void **known, struct endpoint *endpoint, const struct request *request)
{
    const struct form wanted = {.endpoint = endpoint, .copy.request = *request};
    struct form **found = tfind(&wanted, known, compare);
    struct form *form = found ? *found : make(known, endpoint, request);
    if (found || !form)
        endpoint_release(endpoint); /* the form that was found is a user of its own */
    if (form)
        form->users++;
    return form;
}

struct form *form_acquire(void **known, struct endpoints *endpoints, const struct request *request)
{
    const char *url = request->endpoint ? request->endpoint : request->url;
    struct endpoint *endpoint = endpoint_acquire(endpoints, request->method, url);
    return endpoint ? acquire(known, endpoint, request) : NULL;
}

struct form *form_at(const struct form *form, const char *url, const char *url_rest)
{
    struct request request = form->copy.request;
    request.url = url;
    request.url_rest = url_rest;
    endpoint_retain(form->endpoint);
    return acquire(form->known, form->endpoint, &request);
}

void form_retain(struct form *form)
{
    form->users++;
}

void form_release(struct form *form)
{
    if (--form->users > 0)
        return;
    tdelete(form, form->known, compare);
    endpoint_release(form->endpoint);
    request_free(&form->copy);
    free(form);
}
