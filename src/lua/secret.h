/* secret.h - the bytes of secrets, for the files that pass them on to the engine. */
#ifndef CEKURA_LUA_SECRET_H
#define CEKURA_LUA_SECRET_H

#include "object.h"

/* A shorter text is not treated as a key: it may stand in any other text. */
#define SECRET_LEAST_LENGTH 8

/* The bytes of the secret at `index`, or of a string; a NUL follows them. */
const char *secret_bytes(lua_State *L, int index, size_t *length);

/* The same for the element of a list, on top of the stack. The bytes stay valid after it is popped,
 * since the list holds it; so a number, whose text would not stay, is refused. */
const char *secret_element_bytes(lua_State *L, size_t *length);

#endif
