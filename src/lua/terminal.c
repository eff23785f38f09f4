/* terminal.c - what the command `cekura-lua` needs and Lua does not provide: the size of the
 * terminal, the columns that a text takes on it, and signals that are only recorded. */
#include "engine/clock.h"
#include "parts.h"
#include "text/utf8.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* ---- the terminal ---- */

/* core.terminal(fd) -> columns, rows; nothing if the descriptor is not a terminal. A terminal that
 * does not know its size, such as a serial line, counts as 80 by 24. */
static int core_terminal(lua_State *L)
{
    int fd = (int)luaL_checkinteger(L, 1);
    struct winsize size = {0};
    if (!isatty(fd))
        return 0;
    (void)ioctl(fd, TIOCGWINSZ, &size);
    lua_pushinteger(L, size.ws_col ? size.ws_col : 80);
    lua_pushinteger(L, size.ws_row ? size.ws_row : 24);
    return 2;
}

/* core.open_streams(): opens /dev/null in place of each standard stream that the process was
 * started without, for the opposite direction, so that using the stream fails. Otherwise the next
 * descriptor, such as a connection, would get its number, and receive what is written to it. */
static int core_open_streams(lua_State *L)
{
    (void)L;
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* the lowest that is free */
    return 0;
}

/* ---- columns ---- */

static locale_t unicode; /* C.UTF-8; 0 if this system does not have it */

static void make_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The columns of the character in the locale of the thread. Characters that wcwidth() does not
 * know count as one. */
static int columns_of(uint32_t point)
{
    int columns = unicode ? wcwidth((wchar_t)point) : 1;
    return columns < 0 ? 1 : columns;
}

/* The length of the longest prefix of whole characters that takes at most `most` columns; `width`
 * becomes what it takes. Marks without a column of their own stay with the character before them.
 */
static size_t fit(const char *text, size_t length, double most, size_t *width)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    *width = 0;
    while (at < length) {
        size_t step = utf8_length(bytes + at, length - at);
        int columns = step ? columns_of(utf8_code_point(bytes + at, step)) : 1;
        if (!((double)(*width + (size_t)columns) <= most))
            break;
        *width += (size_t)columns;
        at += step ? step : 1;
    }
    return at;
}

/* core.fit(text, columns) -> bytes, width: the length of the longest prefix of the UTF-8 text that
 * takes at most so many columns of a terminal, and the columns that it takes. An invalid byte takes
 * one. The locale of the program is ignored and not changed. */
static int core_fit(lua_State *L)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t length, width;
    const char *text = luaL_checklstring(L, 1, &length);
    double most = luaL_checknumber(L, 2);
    pthread_once(&once, make_unicode);
    locale_t before = unicode ? uselocale(unicode) : (locale_t)0;
    size_t bytes = fit(text, length, most, &width);
    if (before)
        uselocale(before);
    lua_pushinteger(L, (lua_Integer)bytes);
    lua_pushinteger(L, (lua_Integer)width);
    return 2;
}

/* ---- signals ---- */

static volatile sig_atomic_t caught; /* 0: none */
static int64_t caught_us;            /* when; only the handler uses it */

/* timeout(1) sends its signal twice, to the process and to its group. So a signal that follows
 * another within this span is the same one. */
#define SAME_SIGNAL_US 200000

/* Records the first signal. A later one gets its default action, which ends the process: it is
 * blocked until the handler returns. */
static void on_signal(int number)
{
    if (!caught) {
        caught_us = clock_monotonic_us();
        caught = number;
    } else if (clock_monotonic_us() - caught_us > SAME_SIGNAL_US) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

/* Each of the two signals is blocked while the other is handled. */
static void act(int number)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(number, &action, NULL);
}

/* core.catch_signals(): from now on the first SIGINT or SIGTERM is only recorded, and interrupts a
 * blocking system call; a second one ends the process. That includes a SIGINT which a shell ignores
 * in its background processes: kill(1) may still send it. */
static int core_catch_signals(lua_State *L)
{
    (void)L;
    act(SIGINT);
    act(SIGTERM);
    return 0;
}

/* core.caught_signal() -> "SIGINT" or "SIGTERM", the last one recorded; nil if there was none. */
static int core_caught_signal(lua_State *L)
{
    int number = (int)caught;
    if (!number)
        return 0;
    lua_pushstring(L, number == SIGINT ? "SIGINT" : "SIGTERM");
    return 1;
}

void terminal_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"terminal", core_terminal},
        {"open_streams", core_open_streams},
        {"fit", core_fit},
        {"catch_signals", core_catch_signals},
        {"caught_signal", core_caught_signal},
        {NULL, NULL},
    };
    compat_set_functions(L, functions);
}
