/* receive.c - libcurl's callbacks that receive an answer: its head, and its body in slices.
 *
 * When the step is over, the body's callback returns CURL_WRITEFUNC_PAUSE. libcurl then holds what
 * it has just read and stops reading the socket. The transfer is queued until a later step resumes
 * it. */
#include "transfer_private.h"

/* The most bytes that one call of the decoder writes. */
#define PIECE ((size_t)16 * 1024)

/* Records why a callback aborts the transfer. Returns what the callback must return for that. */
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
            "the head has no valid status line, or begins with a continuation line");
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

/* Whether Content-Length exceeds the limit, so that the body need not be received. */
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

/* Pauses the transfer. libcurl holds the bytes of this call, and passes them again in
 * receive_resume(). */
static size_t pause_body(struct transfer *transfer)
{
    STAILQ_INSERT_TAIL(&transfer->transfers->paused, transfer, paused_link);
    transfer->paused = true;
    return CURL_WRITEFUNC_PAUSE;
}

/* Appends decoded bytes of the body. Returns false if the transfer is aborted. */
static bool append_body(struct transfer *transfer, const char *bytes, size_t length)
{
    size_t limit = transfer->transfers->max_response;
    step_take(transfer->transfers->step, length);
    enum buffer_result result = buffer_append(&transfer->body, bytes, length, limit);
    if (result == BUFFER_NO_MEMORY)
        return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
    if (result == BUFFER_FULL) /* what fits is kept for the error */
        (void)buffer_append(&transfer->body, bytes, limit - transfer->body.length, limit);
    if (result == BUFFER_FULL || announces_too_much(transfer))
        return refuse(transfer, OUTCOME_TOO_LARGE, NULL);
    return true;
}

/* Decodes bytes until the step is over, since a few of them may expand to many. Input that was
 * decoded by then is skipped when libcurl passes it again. */
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
            return pause_body(transfer);
        enum decoder_result result = decoder_step(decoder, &work);
        if (result == DECODER_NO_MEMORY)
            return refuse(transfer, OUTCOME_NO_MEMORY, NULL);
        if (work.filled && !append_body(transfer, piece, work.filled))
            return 0;
        if (result == DECODER_BROKEN)
            return refuse(transfer, OUTCOME_GARBLED, "the compressed body is broken");
    }
    transfer->taken = 0;
    return length;
}

/* When a transfer is resumed, something is read even if the step is over: all bytes of a plain
 * body, one piece of a compressed one. */
size_t receive_body(char *bytes, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    size_t length = size * count;
    receive_count(transfer);
    if (!transfer->resuming && step_is_over(transfer->transfers->step))
        return pause_body(transfer);
    if (transfer->head.coding != CODING_NONE)
        return decode(transfer, bytes, length);
    return append_body(transfer, bytes, length) ? length : 0;
}

/* ---- paused transfers ---- */

void receive_leave_queue(struct transfer *transfer)
{
    if (!transfer->paused)
        return;
    STAILQ_REMOVE(&transfer->transfers->paused, transfer, transfer, paused_link);
    transfer->paused = false;
}

/* curl_easy_pause() calls receive_body() with what libcurl held, and reports an error of it only by
 * its result. If that were ignored, the transfer would go on with a gap. */
CURLcode receive_resume(struct transfer *transfer)
{
    receive_leave_queue(transfer);
    transfer->resuming = true;
    CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    transfer->resuming = false;
    return code;
}
