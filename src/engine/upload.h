/* upload.h - the body of a request in parts, some of which are files.
 *
 * A file is read while it is sent, one piece at a time, so its size does not matter. It is read by
 * offset, so several requests may send the same file, and a further try begins at its start. */
#ifndef CEKURA_UPLOAD_H
#define CEKURA_UPLOAD_H

#include "request.h"

/* How far a try has come. */
struct upload {
    const struct request *request;
    uint64_t offset;
    bool broken; /* a file could not be read to its end */
};

/* The length of all parts. */
uint64_t upload_length(const struct request *request);

/* The callbacks CURLOPT_READFUNCTION and CURLOPT_SEEKFUNCTION; `user` is the upload. A file that
 * has become shorter aborts the transfer. */
size_t upload_read(char *bytes, size_t size, size_t count, void *user);
int upload_seek(void *user, int64_t offset, int origin);

/* Opens the files of the parts anew, in place of their descriptors. On failure, returns false, and
 * none is open. */
bool upload_open(struct body_part *parts, size_t count);

void upload_close(const struct body_part *parts, size_t count);

#endif
