/* secret.h - the bytes of secrets, for the files that pass them to the engine. */
#ifndef CEKURA_LUA_SECRET_H
#define CEKURA_LUA_SECRET_H

#include "object.h"

/* A shorter text is not treated as a secret, since it may occur in any text by chance. */
#define SECRET_MIN_LENGTH 8

/* The bytes of the secret or string at `index`, followed by a NUL. Raises for any other value. */
const char *secret_bytes(lua_State *L, int index, size_t *length);

/* The same for a list's element, which is on top of the stack. The bytes stay valid after it is
 * popped, since the list holds it. A number is refused, because its text would not stay valid. */
const char *secret_element_bytes(lua_State *L, size_t *length);

#endif
