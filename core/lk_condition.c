// SPDX-License-Identifier: MIT
/*
 * lk_condition.c: what must hold besides having a permission: channel, source address, time of the
 * week, owner. Kept as the text a person typed, checked when it is set, read again at each use.
 *
 *   channels  "console cli": one of these
 *   sources   "10.0.0.0/8 2001:db8::/32 192.0.2.7": in one of these; an IPv4 address that comes
 *             mapped into IPv6 counts as IPv4
 *   window    "mon-fri 08:00-18:00; sat 22:00-02:00": from the first minute on, until before the
 *             last, by the clock of the tenant's time_zone; past midnight it goes on into the day
 *             after; days alone are whole days, times alone every day
 */
#include "lk_engine.h"

#define CONDITION_DAY  1440u /* minutes */
#define CONDITION_WEEK (7 * CONDITION_DAY)
/* 1970-01-01 was a Thursday; weeks begin with Monday here. */
#define CONDITION_EPOCH_DAY 3u

/* ---- Words ---- */

static bool condition_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == ',';
}

/* Takes the next word off the front. */
static bool condition_word(struct lk_span *rest, struct lk_span *word)
{
    while (rest->size && condition_is_blank(*rest->data)) {
        rest->data++;
        rest->size--;
    }
    *word = (struct lk_span){rest->data, 0};
    while (rest->size && !condition_is_blank(*rest->data)) {
        rest->data++;
        rest->size--;
        word->size++;
    }
    return word->size != 0;
}

/* ---- Channels ---- */

static const char *const *condition_channels(void)
{
    return lk_field_named(&lk_kind_session, LK_TEXT("channel"))->choices;
}

/* The number of a channel, or -1. */
static int condition_channel(struct lk_span word)
{
    const char *const *names = condition_channels();
    int i;

    for (i = 0; names[i]; i++) {
        if (lk_text_equal_fold(word,
                               (struct lk_span){(const uint8_t *)names[i], strlen(names[i])})) {
            return i;
        }
    }
    return -1;
}

const char *lk_channels_form(struct lk_span text)
{
    struct lk_span word;
    unsigned count = 0;

    while (condition_word(&text, &word)) {
        if (condition_channel(word) < 0) {
            return "names something else than console, cli, pam, mqtt, http, api";
        }
        count++;
    }
    return count ? NULL : "names no channel";
}

static bool condition_channels_hold(struct lk_span text, enum lk_channel channel)
{
    struct lk_span word;

    while (condition_word(&text, &word)) {
        if (condition_channel(word) == (int)channel) {
            return true;
        }
    }
    return false;
}

/* ---- Source addresses ---- */

struct condition_net {
    uint8_t address[16];
    size_t size;   /* 4 or 16 */
    unsigned bits; /* of the prefix */
};

static const uint8_t condition_mapped[12] = {[10] = 0xFF, [11] = 0xFF};

static bool condition_is_mapped(const uint8_t *address, size_t size)
{
    return size == 16 && memcmp(address, condition_mapped, sizeof(condition_mapped)) == 0;
}

static bool condition_clear_behind(const struct condition_net *net)
{
    unsigned bit;

    for (bit = net->bits; bit < 8 * net->size; bit++) {
        if ((net->address[bit / 8] >> (7 - bit % 8)) & 1) {
            return false;
        }
    }
    return true;
}

/* The rule that a word breaks, or NULL. */
static const char *condition_net_parse(struct lk_span word, struct condition_net *net)
{
    const uint8_t *slash = memchr(word.data, '/', word.size);
    struct lk_span address = {word.data, slash ? (size_t)(slash - word.data) : word.size};
    uint64_t bits;

    if (lk_address_parse(address, net->address, &net->size)) {
        return "holds what is neither an IPv4 nor an IPv6 address";
    }
    bits = 8 * net->size;
    if (slash && (lk_uint_parse((struct lk_span){slash + 1, word.size - address.size - 1}, &bits) ||
                  bits > 8 * net->size)) {
        return "holds a prefix that is no number of bits, 0 to 32 (IPv4) or 128 (IPv6)";
    }
    net->bits = (unsigned)bits;
    if (!condition_clear_behind(net)) {
        return "holds an address with bits set behind its prefix";
    }
    if (net->bits >= 96 && condition_is_mapped(net->address, net->size)) {
        memmove(net->address, net->address + 12, 4);
        net->size = 4;
        net->bits -= 96;
    }
    return NULL;
}

const char *lk_sources_form(struct lk_span text)
{
    struct condition_net net;
    struct lk_span word;
    unsigned count = 0;

    while (condition_word(&text, &word)) {
        const char *rule = condition_net_parse(word, &net);

        if (rule) {
            return rule;
        }
        count++;
    }
    return count ? NULL : "names no address";
}

static bool condition_net_holds(const struct condition_net *net, struct lk_span address)
{
    size_t whole = net->bits / 8;

    if (condition_is_mapped(address.data, address.size)) {
        address = (struct lk_span){address.data + 12, 4};
    }
    if (address.size != net->size || memcmp(address.data, net->address, whole) != 0) {
        return false;
    }
    return net->bits % 8 == 0 ||
           (address.data[whole] ^ net->address[whole]) >> (8 - net->bits % 8) == 0;
}

static bool condition_sources_hold(struct lk_span text, struct lk_span address)
{
    struct condition_net net;
    struct lk_span word;

    while (condition_word(&text, &word)) {
        if (!condition_net_parse(word, &net) && condition_net_holds(&net, address)) {
            return true;
        }
    }
    return false;
}

/* ---- Time of the week ---- */

struct condition_span {
    uint8_t days;        /* bit 0: Monday */
    unsigned start, end; /* minutes of the day; end <= start: into the day after */
};

static const char condition_window_rule[] =
    "is not of the form mon-fri 08:00-18:00; sat,sun 22:00-02:00";

static int condition_day(struct lk_span word)
{
    static const char names[] = "montuewedthufrisatsun";
    int i;

    for (i = 0; word.size == 3 && i < 7; i++) {
        if (lk_text_equal_fold(word, (struct lk_span){(const uint8_t *)names + 3 * i, 3})) {
            return i;
        }
    }
    return -1;
}

/* "mon", "fri-mon". */
static bool condition_days(struct lk_span word, uint8_t *days)
{
    int first = condition_day((struct lk_span){word.data, word.size < 3 ? word.size : 3});
    int last = first, day;

    if (word.size == 7 && word.data[3] == '-') {
        last = condition_day((struct lk_span){word.data + 4, 3});
    } else if (word.size != 3) {
        return false;
    }
    if (first < 0 || last < 0) {
        return false;
    }
    for (day = first;; day = (day + 1) % 7) {
        *days = (uint8_t)(*days | 1u << day);
        if (day == last) {
            return true;
        }
    }
}

/* "08:00" */
static bool condition_clock(const uint8_t *at, unsigned most, unsigned *minutes)
{
    static const uint8_t digits[4] = {0, 1, 3, 4};
    unsigned i, value[4];

    for (i = 0; i < 4; i++) {
        if (at[digits[i]] < '0' || at[digits[i]] > '9') {
            return false;
        }
        value[i] = at[digits[i]] - (unsigned)'0';
    }
    *minutes = (value[0] * 10 + value[1]) * 60 + value[2] * 10 + value[3];
    return at[2] == ':' && value[2] < 6 && *minutes <= most;
}

/* Takes what stands before the next ';'. NULL, or the rule that it breaks. */
static const char *condition_span_take(struct lk_span *rest, struct condition_span *span)
{
    const uint8_t *semicolon = memchr(rest->data, ';', rest->size);
    struct lk_span part = {rest->data, semicolon ? (size_t)(semicolon - rest->data) : rest->size};
    struct lk_span word;
    bool times = false;

    rest->data += part.size + (semicolon ? 1 : 0);
    rest->size -= part.size + (semicolon ? 1 : 0);
    *span = (struct condition_span){0, 0, CONDITION_DAY};
    while (condition_word(&part, &word)) {
        if (times) {
            return condition_window_rule;
        }
        if (condition_days(word, &span->days)) {
            continue;
        }
        times = true;
        if (word.size != 11 || word.data[5] != '-' ||
            !condition_clock(word.data, CONDITION_DAY - 1, &span->start) ||
            !condition_clock(word.data + 6, CONDITION_DAY, &span->end)) {
            return condition_window_rule;
        }
        if (span->start == span->end) {
            return "ends when it begins; a whole day is 00:00-24:00";
        }
    }
    if (!times && !span->days) {
        return condition_window_rule;
    }
    span->days = span->days ? span->days : 0x7F;
    return NULL;
}

const char *lk_window_form(struct lk_span text)
{
    struct condition_span span;
    const char *rule = NULL;

    do {
        rule = condition_span_take(&text, &span);
    } while (!rule && text.size);
    return rule;
}

static bool condition_window_holds(struct lk_span text, uint64_t ms, int zone_minutes)
{
    uint64_t minutes = ms / 60000 + CONDITION_EPOCH_DAY * CONDITION_DAY + CONDITION_WEEK;
    unsigned now = (unsigned)((minutes + (uint64_t)(int64_t)zone_minutes) % CONDITION_WEEK);
    unsigned day = now / CONDITION_DAY, before = (day + 6) % 7;
    struct condition_span span;

    now %= CONDITION_DAY;
    do {
        if (condition_span_take(&text, &span)) {
            return false;
        }
        if (span.start < span.end) {
            if ((span.days >> day) & 1 && now >= span.start && now < span.end) {
                return true;
            }
        } else if (((span.days >> day) & 1 && now >= span.start) ||
                   ((span.days >> before) & 1 && now < span.end)) {
            return true;
        }
    } while (text.size);
    return false;
}

/* ---- Time zone ---- */

const char *lk_zone_form(struct lk_span text)
{
    unsigned minutes;

    return text.size == 6 && (text.data[0] == '+' || text.data[0] == '-') &&
                   condition_clock(text.data + 1, 14 * 60, &minutes)
               ? NULL
               : "is not an offset from UTC like +02:00 or -05:30, up to 14 hours";
}

int lk_zone_minutes(struct lk_span text)
{
    unsigned minutes = 0;

    if (lk_zone_form(text)) {
        return 0;
    }
    (void)condition_clock(text.data + 1, 14 * 60, &minutes); /* the form holds */
    return text.data[0] == '-' ? -(int)minutes : (int)minutes;
}

/* ---- All of them ---- */

static enum lk_holds condition_channel_holds(const struct lk_permission *permission,
                                             const struct lk_context *context)
{
    if (!context->channel) {
        return LK_HOLDS_UNKNOWN;
    }
    return condition_channels_hold(permission->channels, (enum lk_channel)(context->channel - 1))
               ? LK_HOLDS_YES
               : LK_HOLDS_NO;
}

/* Somebody at the device itself comes from no network. */
static enum lk_holds condition_source_holds(const struct lk_permission *permission,
                                            const struct lk_context *context)
{
    if (context->ip.size != 4 && context->ip.size != 16) {
        return context->channel == 1 + LK_CHANNEL_CONSOLE || context->channel == 1 + LK_CHANNEL_CLI
                   ? LK_HOLDS_NO
                   : LK_HOLDS_UNKNOWN;
    }
    return condition_sources_hold(permission->sources, context->ip) ? LK_HOLDS_YES : LK_HOLDS_NO;
}

static enum lk_holds condition_time_holds(const struct lk_permission *permission,
                                          const struct lk_context *context)
{
    if (!context->clock_trusted) {
        return LK_HOLDS_UNKNOWN;
    }
    return condition_window_holds(permission->window, context->at_ms, context->zone_minutes)
               ? LK_HOLDS_YES
               : LK_HOLDS_NO;
}

static enum lk_holds condition_owner_holds(const struct lk_context *context)
{
    return !context->owner                   ? LK_HOLDS_UNKNOWN
           : context->owner == context->user ? LK_HOLDS_YES
                                             : LK_HOLDS_NO;
}

enum lk_holds lk_condition_holds(const struct lk_permission *permission,
                                 const struct lk_context *context, uint64_t *failed)
{
    enum lk_holds all = LK_HOLDS_YES;
    unsigned field;

    *failed = 0;
    for (field = LK_CONDITION_FIRST; field <= LK_CONDITION_LAST; field++) {
        enum lk_holds one = LK_HOLDS_YES;

        if (!LK_HAS(&permission->record, field)) {
            continue;
        }
        switch (field) {
        case 12: one = condition_channel_holds(permission, context); break;
        case 13: one = condition_source_holds(permission, context); break;
        case 14: one = condition_time_holds(permission, context); break;
        default: one = permission->owner_only ? condition_owner_holds(context) : LK_HOLDS_YES;
        }
        if (one != LK_HOLDS_YES) {
            *failed |= LK_BIT(field);
            all = one == LK_HOLDS_NO || all == LK_HOLDS_NO ? LK_HOLDS_NO : LK_HOLDS_UNKNOWN;
        }
    }
    return all;
}

unsigned lk_condition_flags(const struct lk_permission *permission)
{
    uint64_t texts = LK_BIT(12) | LK_BIT(13) | LK_BIT(14);

    return (permission->deny ? LK_P_DENY : 0u) |
           (permission->record.present & texts || permission->owner_only ? LK_P_CONDITION : 0u) |
           (permission->approval ? LK_P_APPROVAL : 0u) |
           (permission->login_age ? LK_P_LOGIN_AGE : 0u);
}
