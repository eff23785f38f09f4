/* forget.c - preloaded after the sanitizer's runtime. It removes LD_PRELOAD, so that programs which
 * this one starts run without the runtime. It also disables dlclose(): LeakSanitizer would report
 * memory that only an unmapped library refers to. */
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
