// SPDX-License-Identifier: MIT
/* lk_cli_clock.c: what time it is in the store, and setting it. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

static const char *const clock_qualities[] = {"unset", "held", "set", "synchronised"};

static void clock_line(struct lk_cli *cli, const char *name)
{
    lk_cli_put(cli->out, name);
    lk_cli_put(cli->out, ":");
    lk_cli_put_spaces(cli->out, 12 - strlen(name));
}

static void clock_time(struct lk_cli *cli, const char *name, uint64_t ms, const char *quality)
{
    clock_line(cli, name);
    lk_cli_put_time(cli->out, ms);
    if (quality) {
        lk_cli_put(cli->out, " (");
        lk_cli_put(cli->out, quality);
        lk_cli_put(cli->out, ")");
    }
    lk_cli_put(cli->out, "\n");
}

static void clock_json(struct lk_cli *cli, const struct lk_clock_state *state)
{
    struct lk_cli_json json;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "now");
    lk_cli_json_time(&json, state->now_ms);
    lk_cli_json_key(&json, "quality");
    lk_cli_json_text(&json, lk_cli_span(clock_qualities[state->quality]));
    lk_cli_json_key(&json, "machine");
    lk_cli_json_time(&json, state->wall_ms);
    lk_cli_json_key(&json, "machine_quality");
    lk_cli_json_text(&json, lk_cli_span(clock_qualities[state->wall]));
    lk_cli_json_key(&json, "newest");
    lk_cli_json_time(&json, state->high_water_ms);
    lk_cli_json_key(&json, "powered_s");
    lk_cli_json_number(&json, state->powered_ms / 1000);
    lk_cli_json_key(&json, "epoch");
    lk_cli_json_number(&json, state->time_epoch);
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

int lk_cli_clock_show(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_clock_state state;
    int error = lk_cli_begin(cli, LK_READ);

    (void)args;
    if (!error) {
        error = lk_clock_tell(&cli->work->txn, &state);
    }
    if (error || cli->json) {
        if (!error) {
            clock_json(cli, &state);
        }
        return error;
    }
    clock_time(cli, "now", state.now_ms, clock_qualities[state.quality]);
    clock_time(cli, "machine", state.wall_ms, clock_qualities[state.wall]);
    clock_time(cli, "newest", state.high_water_ms, NULL);
    clock_line(cli, "powered");
    lk_cli_put_number(cli->out, state.powered_ms / 1000);
    lk_cli_put(cli->out, " s\n");
    clock_line(cli, "epoch");
    lk_cli_put_number(cli->out, state.time_epoch);
    lk_cli_put(cli->out, "\n");
    if (state.wall >= LK_CLOCK_SET && state.quality < LK_CLOCK_SET && !cli->quiet) {
        lk_cli_put(cli->err, "the machine's clock is behind the store's: if it is right, "
                             "clock set has the store follow it\n");
    }
    return 0;
}

/* The time given, and whether it is before the store's; the rights are checked on the way. */
static int clock_plan(struct lk_cli *cli, const struct lk_cli_args *args, uint64_t *ms, bool *back,
                      struct lk_actor *actor)
{
    struct lk_clock_state state;
    int error = lk_cli_begin(cli, LK_WRITE);

    *ms = 0;
    if (!error) {
        error = lk_clock_tell(&cli->work->txn, &state);
    }
    if (!error && args->count &&
        lk_time_parse(lk_cli_span(args->words[0]), lk_now(&cli->work->txn), ms)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "time", args->words[0],
                              "is not a time (RFC 3339, or a span like 30m, 12h, 7d)");
    }
    if (!error) {
        *actor = cli->work->txn.actor;
        *back = (*ms ? state.can_set : state.wall >= LK_CLOCK_SET) &&
                (*ms ? *ms : state.wall_ms) < state.now_ms;
    }
    lk_cli_abort(cli);
    return error;
}

int lk_cli_clock_set(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_actor actor;
    uint64_t ms;
    bool back = false;
    int error = clock_plan(cli, args, &ms, &back, &actor);

    if (!error && back) {
        error = lk_cli_confirm(cli, args,
                               "The time goes back: all sessions end, and what has ended is gone. "
                               "Go on?");
    }
    if (!error) {
        error = lk_clock_set(cli->store, &actor, ms, &cli->problem);
    }
    if (!error && lk_store_scrub_due(cli->store)) {
        uint64_t bytes;

        error = lk_cli_scrub(cli, &bytes);
    }
    return error;
}
