/* faults.c - three allocators that count allocations, and of which one fails once; see faults.h. */
#include "faults.h"

#include <curl/curl.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *const allocator_names[ALLOCATORS] = {"lua", "malloc", "curl"};

struct allocator_state allocators[ALLOCATORS];

/* The names that --wrap gives to the real functions. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);
void *__real_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset);
void *__real_mremap(void *address, size_t length, size_t longer, int flags);
int __real_munmap(void *address, size_t length);

static bool armed, tracing, met;
static enum allocator failing;
static unsigned long failing_at;

/* Lua's failed allocation. Lua then collects garbage and requests the same again, which counts as
 * the same allocation. No two threads use the same state. */
static _Thread_local struct {
    bool pending;
    void *block;
    size_t old_size, size;
} refused;

bool faults_met(void)
{
    return met;
}

static void tell_frames(void)
{
    void *frames[40];
    backtrace_symbols_fd(frames, backtrace(frames, 40), STDERR_FILENO);
}

static void on_crash(int number)
{
    static const char line[] = "and the crash:\n";
    signal(number, SIG_DFL);
    if (write(STDERR_FILENO, line, sizeof line - 1) > 0)
        tell_frames();
    raise(number);
}

void faults_trace(void)
{
    tracing = true;
    signal(SIGSEGV, on_crash);
    signal(SIGFPE, on_crash);
    signal(SIGABRT, on_crash);
}

void faults_arm(enum allocator which, unsigned long n)
{
    failing = which;
    failing_at = n;
    armed = true;
}

void faults_disarm(void)
{
    armed = refused.pending = false;
}

static bool fails(enum allocator which)
{
    if (!armed || atomic_fetch_add(&allocators[which].made, 1) + 1 != failing_at ||
        which != failing)
        return false;
    met = true;
    if (tracing)
        tell_frames();
    errno = ENOMEM;
    return true;
}

static void *count(enum allocator which, void *block)
{
    allocators[which].live += block != NULL;
    return block;
}

static void uncount(enum allocator which, const void *block)
{
    allocators[which].live -= block != NULL;
}

/* ---- Lua's ---- */

static bool is_asked_again(const void *block, size_t old_size, size_t size)
{
    bool again = refused.pending && refused.block == block && refused.old_size == old_size &&
                 refused.size == size;
    refused.pending = false;
    return again && armed;
}

/* Shrinking a block does not fail: Lua relies on that. */
static void *allocate(void *user, void *block, size_t old_size, size_t size)
{
    (void)user;
    if (size == 0) {
        uncount(BY_LUA, block);
        __real_free(block);
        return NULL;
    }
    if (!block || size > old_size) {
        if (is_asked_again(block, old_size, size))
            return NULL;
        if (fails(BY_LUA)) {
            refused.pending = true;
            refused.block = block;
            refused.old_size = old_size;
            refused.size = size;
            return NULL;
        }
    }
    void *moved = __real_realloc(block, size);
    return block ? moved : count(BY_LUA, moved);
}

lua_State *faults_state(void)
{
#if LUA_VERSION_NUM >= 505
    return lua_newstate(allocate, NULL, 1); /* the seed of its hashes */
#else
    return lua_newstate(allocate, NULL);
#endif
}

lua_State *__wrap_luaL_newstate(void)
{
    return faults_state();
}

/* ---- this module's ---- */

void *__wrap_malloc(size_t size)
{
    return fails(BY_MALLOC) ? NULL : count(BY_MALLOC, __real_malloc(size));
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails(BY_MALLOC) ? NULL : count(BY_MALLOC, __real_calloc(number, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (fails(BY_MALLOC))
        return NULL;
    void *moved = __real_realloc(block, size);
    return block ? moved : count(BY_MALLOC, moved);
}

char *__wrap_strdup(const char *text)
{
    return fails(BY_MALLOC) ? NULL : count(BY_MALLOC, __real_strdup(text));
}

void __wrap_free(void *block)
{
    uncount(BY_MALLOC, block);
    __real_free(block);
}

void *__wrap_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (fails(BY_MALLOC))
        return MAP_FAILED;
    void *pages = __real_mmap(address, length, protection, flags, fd, offset);
    if (pages != MAP_FAILED)
        count(BY_MALLOC, pages);
    return pages;
}

void *__wrap_mremap(void *address, size_t length, size_t longer, int flags)
{
    return fails(BY_MALLOC) ? MAP_FAILED : __real_mremap(address, length, longer, flags);
}

int __wrap_munmap(void *address, size_t length)
{
    uncount(BY_MALLOC, address);
    return __real_munmap(address, length);
}

/* ---- libcurl's ---- */

static void *curl_malloc(size_t size)
{
    return fails(BY_CURL) ? NULL : count(BY_CURL, __real_malloc(size));
}

static void curl_release(void *block)
{
    uncount(BY_CURL, block);
    __real_free(block);
}

static void *curl_realloc(void *block, size_t size)
{
    if (fails(BY_CURL))
        return NULL;
    void *moved = __real_realloc(block, size);
    return block ? moved : count(BY_CURL, moved);
}

static char *curl_strdup(const char *text)
{
    return fails(BY_CURL) ? NULL : count(BY_CURL, __real_strdup(text));
}

static void *curl_calloc(size_t number, size_t size)
{
    return fails(BY_CURL) ? NULL : count(BY_CURL, __real_calloc(number, size));
}

bool faults_begin(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_realloc,
               curl_strdup, curl_calloc) == CURLE_OK;
}
