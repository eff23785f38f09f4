/* number.h - numbers as JSON text, whatever the locale. */
#ifndef CEKURA_NUMBER_H
#define CEKURA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any number, without a terminating NUL. */
#define NUMBER_MAX_LENGTH 32

/* Writes a number, and returns its length. A finite double is written with as few digits as read
 * back as the same double; below 1e17, whole numbers have no exponent. */
size_t number_write_integer(int64_t value, char *to);
size_t number_write(double value, char *to);

/* Reads a JSON number without fraction and exponent. False: it has more than 64 bits. */
bool number_read_integer(const char *text, size_t length, int64_t *value);

/* Reads a JSON number, which is followed by anything that cannot be a part of it, such as NUL. The
 * result is the nearest double; infinite, if it is too large. */
double number_read(const char *text);

#endif
