/* special_portable_test.c - the same as special_test.c, for processors without SSE2. */
#undef __SSE2__
#include "special_test.c"
