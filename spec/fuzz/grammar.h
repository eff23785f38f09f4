/* grammar.h - a reference recognizer of JSON text, written as simply as possible. */
#ifndef CEKURA_FUZZ_GRAMMAR_H
#define CEKURA_FUZZ_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the whole text is one JSON value (RFC 8259) that nests no deeper than `depth`. */
bool grammar_accepts(const unsigned char *text, size_t length, unsigned depth);

#endif
