/* toml.h - finds the strings that a TOML document sets a name to. */
#ifndef CEKURA_TOML_H
#define CEKURA_TOML_H

#include <stdbool.h>
#include <stddef.h>

struct toml_finder {
    const char *text;
    size_t length, offset;
    const char *name;
};

struct toml_string {
    size_t start, length; /* in the text, without the quotes */
};

/* Finds the next string that the name is set to, in whatever table: `name = "…"`, with any of the
 * four kinds of quotes. It knows comments and strings, and checks nothing else. It skips a string
 * with a backslash, a newline, a control character or invalid UTF-8: what that stands for, or why
 * it is refused, is for a reader of the whole document to say. False: there is no further one. */
bool toml_find(struct toml_finder *finder, struct toml_string *found);

#endif
