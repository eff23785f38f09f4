/* interface.c - what core.so offers to other C modules; see interface.h. */
#include "interface.h"

#include "client.h"
#include "parts.h"

static struct engine *engine_of(lua_State *L, int client)
{
    return client_check(L, client)->engine;
}

static const struct interface interface = {
    .version = INTERFACE_VERSION,
    .engine_of = engine_of,
    .anchor = client_anchor,
    .release_anchor = client_release_anchor,
    .retain = engine_retain,
    .release = engine_release,
    .enter = guest_enter,
    .leave = guest_leave,
    .may_work = guest_may_work,
    .move_in = guest_move_in,
    .move_out = guest_move_out,
    .watch = guest_watch,
    .register_item = guest_register,
    .forget_item = guest_forget,
    .list_item = guest_list,
    .reserve_timer = guest_reserve_timer,
    .unreserve_timer = guest_unreserve_timer,
    .set_timer = guest_set_timer,
    .stop_timer = guest_stop_timer,
};

void interface_open(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)(intptr_t)&interface);
    lua_setfield(L, -2, "interface");
}
