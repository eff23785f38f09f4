/* forget.c - preloaded behind the sanitizer's runtime. What this program starts is not sanitized;
 * and what it has loaded stays where it is: of memory that only an unmapped library knows, the
 * sanitizer would say that it leaks. */
#include <stdlib.h>

int dlclose(void *handle);

__attribute__((visibility("default"))) int dlclose(void *handle)
{
    (void)handle;
    return 0;
}

__attribute__((constructor)) static void forget(void)
{
    unsetenv("LD_PRELOAD");
}
