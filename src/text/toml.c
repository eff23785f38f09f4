/* toml.c - finds the strings that a TOML document sets a name to; see toml.h. */
#include "toml.h"

#include "ascii.h"
#include "json_string.h"

#include <string.h>

/* How much of `name =` stands before the place. */
enum seen { NOTHING, NAME, EQUALS };

static bool is_bare(char c)
{
    return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '_' ||
           c == '-';
}

static char at(const struct toml_finder *finder, size_t offset)
{
    return offset < finder->length ? finder->text[offset] : '\0';
}

static size_t run_of(const struct toml_finder *finder, size_t offset, char quote)
{
    size_t count = 0;
    while (at(finder, offset + count) == quote)
        count++;
    return count;
}

static bool equals(const struct toml_finder *finder, struct toml_string string)
{
    return string.length == strlen(finder->name) &&
           memcmp(finder->text + string.start, finder->name, string.length) == 0;
}

static bool is_plain(const struct toml_finder *finder, struct toml_string string)
{
    const char *text = finder->text + string.start;
    for (size_t i = 0; i < string.length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 0x7f || c == '\\')
            return false;
    }
    return json_is_utf8(text, string.length);
}

/* The offset of the quote that ends a string; of a string without it, of the end of the line, or,
 * with three quotes, of the text. */
static size_t find_end(const struct toml_finder *finder, size_t from, char quote, bool triple)
{
    for (size_t offset = from; offset < finder->length; offset++) {
        char c = finder->text[offset];
        if (c == quote && (!triple || run_of(finder, offset, quote) >= 3))
            return offset;
        if (c == '\n' && !triple)
            return offset;
        if (c == '\\' && quote == '"')
            offset += at(finder, offset + 1) != '\n' || triple;
    }
    return finder->length;
}

/* Reads the string whose first quote is at the finder's offset, and moves that behind it. */
static struct toml_string read_string(struct toml_finder *finder)
{
    char quote = finder->text[finder->offset];
    size_t opening = run_of(finder, finder->offset, quote);
    bool triple = opening >= 3;
    struct toml_string string = {.start = finder->offset + (triple ? 3 : 1)};
    if (triple && at(finder, string.start) == '\r' && at(finder, string.start + 1) == '\n')
        string.start++;
    if (triple && at(finder, string.start) == '\n')
        string.start++; /* a newline behind the opening quotes does not count */
    size_t end = find_end(finder, string.start, quote, triple);
    size_t closing = run_of(finder, end, quote);
    if (triple && closing > 3 && closing <= 5) /* the last three of them close the string */
        end += closing - 3;
    string.length = end - string.start;
    finder->offset = end + (closing == 0 ? 0 : triple ? 3 : 1);
    return string;
}

bool toml_find(struct toml_finder *finder, struct toml_string *found)
{
    enum seen seen = NOTHING;
    while (finder->offset < finder->length) {
        char c = finder->text[finder->offset];
        struct toml_string string = {.start = finder->offset};
        if (c == '"' || c == '\'') {
            string = read_string(finder);
            if (seen == EQUALS && is_plain(finder, string)) {
                *found = string;
                return true;
            }
            seen = seen != EQUALS && equals(finder, string) ? NAME : NOTHING;
        } else if (is_bare(c)) {
            while (is_bare(at(finder, finder->offset)))
                finder->offset++;
            string.length = finder->offset - string.start;
            seen = equals(finder, string) ? NAME : NOTHING;
        } else if (c == '#') {
            while (finder->offset < finder->length && finder->text[finder->offset] != '\n')
                finder->offset++;
        } else {
            if (c != ' ' && c != '\t')
                seen = c == '=' && seen == NAME ? EQUALS : NOTHING;
            finder->offset++;
        }
    }
    return false;
}
