/* receive.c - reads an answer: its head, and its body by slices.
 *
 * A body that arrives when the step is over is refused with CURL_WRITEFUNC_PAUSE: libcurl keeps
 * what it has just read, reads the socket no further, and the transfer waits in a queue until a
 * later step has room. */
#include "transfer_private.h"

/* What of a compressed body is decoded at once. */
#define PIECE ((size_t)16 * 1024)

/* What a callback gives back to have libcurl end the transfer. */
static size_t refuse(struct transfer *transfer, enum outcome_kind kind, const char *why)
{
    transfer->refused = kind;
    transfer->refusal = why;
    return 0;
}

bool receive_has_body(const struct transfer *transfer)
{
    int status = transfer->head.status;
    return !transfer->bodiless && status != 204 && status != 304;
}

size_t receive_header(char *line, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    struct head *head = &transfer->head;
    bool was_complete = head->complete;
    switch (head_add(head, line, size * count, transfer->began)) {
    case HEAD_OK:
        break;
    case HEAD_TOO_LARGE:
        return refuse(transfer, OUTCOME_TOO_LARGE, NULL);
    case HEAD_MALFORMED:
        return refuse(transfer, OUTCOME_MALFORMED,
            "the head has no status, or its first field continues none");
    case HEAD_CODED:
        return refuse(transfer, OUTCOME_GARBLED, UNASKED);
    case HEAD_NO_MEMORY:
        return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
    }
    if (!transfer->began && head->after == HEAD_STATUS_LINE)
        connection_tunnels(&transfer->connection);
    if (head->complete && !was_complete && receive_has_body(transfer)) {
        if (head->coding == CODING_SEVERAL)
            return refuse(transfer, OUTCOME_ENCODED, UNASKED);
        if (head->coding == CODING_OTHER)
            return refuse(transfer, OUTCOME_GARBLED, UNASKED);
        decoder_begin(&transfer->decoder, head->coding);
    }
    return size * count;
}

/* A body whose announced length is too large need not be waited for. */
static bool announces_too_much(const struct transfer *transfer)
{
    curl_off_t announced = -1;
    if (transfer->head.coding != CODING_NONE)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return announced > 0 && (uint64_t)announced > transfer->transfers->max_response;
}

void receive_count(struct transfer *transfer)
{
    curl_off_t received = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    transfer->transfers->bytes_in += (uint64_t)(received - transfer->received);
    transfer->received = received;
}

/* libcurl keeps what it has just handed out, and hands it out again from receive_resume(). */
static size_t put_off(struct transfer *transfer)
{
    STAILQ_INSERT_TAIL(&transfer->transfers->paused, transfer, paused_link);
    transfer->paused = true;
    return CURL_WRITEFUNC_PAUSE;
}

/* Bytes of the body, decoded. False: the transfer is refused. */
static bool keep(struct transfer *transfer, const char *bytes, size_t length)
{
    size_t limit = transfer->transfers->max_response;
    step_take(transfer->transfers->step, length);
    enum buffer_result result = buffer_append(&transfer->body, bytes, length, limit);
    if (result == BUFFER_NO_MEMORY)
        return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
    if (result == BUFFER_FULL) /* what fits stays, to be shown in the error */
        (void)buffer_append(&transfer->body, bytes, limit - transfer->body.length, limit);
    if (result == BUFFER_FULL || announces_too_much(transfer))
        return refuse(transfer, OUTCOME_TOO_LARGE, NULL);
    return true;
}

/* A few bytes may stand for many: what has been decoded of them when the step is over is skipped
 * when they come again. */
static size_t decode(struct transfer *transfer, const char *bytes, size_t length)
{
    struct decoder *decoder = &transfer->decoder;
    char piece[PIECE];
    struct decoder_work work = {.bytes = bytes,
        .length = length,
        .used = transfer->taken,
        .piece = piece,
        .room = sizeof piece};
    for (bool first = true; work.used < length || decoder->has_more; first = false) {
        transfer->taken = work.used;
        if (!first && step_is_over(transfer->transfers->step))
            return put_off(transfer);
        enum decoder_result result = decoder_step(decoder, &work);
        if (result == DECODER_NO_MEMORY)
            return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
        if (work.filled && !keep(transfer, piece, work.filled))
            return 0;
        if (result == DECODER_BROKEN)
            return refuse(transfer, OUTCOME_GARBLED, "the compressed body is broken");
    }
    transfer->taken = 0;
    return length;
}

/* What libcurl kept is read, however much of the slice is left: a body that is not compressed
 * as a whole, another by one piece at least. */
size_t receive_body(char *bytes, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    size_t length = size * count;
    receive_count(transfer);
    if (!transfer->resuming && step_is_over(transfer->transfers->step))
        return put_off(transfer);
    if (transfer->head.coding != CODING_NONE)
        return decode(transfer, bytes, length);
    return keep(transfer, bytes, length) ? length : 0;
}

/* ---- bodies that wait for a later step ---- */

void receive_leave_queue(struct transfer *transfer)
{
    if (!transfer->paused)
        return;
    STAILQ_REMOVE(&transfer->transfers->paused, transfer, transfer, paused_link);
    transfer->paused = false;
}

/* libcurl hands out what it kept from inside this call, and reports an error of receive_body() by
 * its result alone: left to itself, the transfer would go on, with a gap. */
CURLcode receive_resume(struct transfer *transfer)
{
    receive_leave_queue(transfer);
    transfer->resuming = true;
    CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    transfer->resuming = false;
    return code;
}
