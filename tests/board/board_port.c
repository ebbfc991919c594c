// SPDX-License-Identifier: MIT
/*
 * board_port.c: a firmware that tries what a board's port supplies, one service after the other,
 * and says "ok" or "not ok" of each. board_port.py starts it twice, and compares.
 *
 * It works in the store's sectors: what was in them is lost.
 */
#include <string.h>

#include "firmware.h"

int main(void);

#define PORT_PIECE 64u  /* bytes that are programmed and compared at once */
#define PORT_WAIT  500u /* milliseconds, which board_port.py takes the time of */

static const uint8_t port_mark[] = "port test\0\0\0\0\0\0";

static const struct lk_port *port(void)
{
    return lk_firmware.config.port;
}

static void port_case(const char *name, bool good)
{
    lk_firmware_say(good ? "ok " : "not ok ");
    lk_firmware_say(name);
    lk_firmware_say("\r\n");
}

static void port_bytes(const char *name, const uint8_t *bytes, size_t size)
{
    char text[3] = "";
    size_t i;

    lk_firmware_say(name);
    for (i = 0; i < size; i++) {
        text[0] = "0123456789abcdef"[bytes[i] >> 4];
        text[1] = "0123456789abcdef"[bytes[i] & 15];
        lk_firmware_say(text);
    }
    lk_firmware_say("\r\n");
}

/* ---- Console and clock ---- */

static uint64_t port_ms(void)
{
    uint64_t ms = 0;

    port_case("the monotonic clock answers", port()->clock->monotonic(port()->self, &ms) == 0);
    return ms;
}

static void port_console(void)
{
    uint8_t byte = 0;

    lk_firmware_say("wait\r\n");
    port_case("reading ends when nothing is typed",
              port()->console->read(port()->self, &byte, PORT_WAIT) == 0);
    lk_firmware_say("type k\r\n");
    port_case("what is typed is read",
              port()->console->read(port()->self, &byte, 0) == 1 && byte == 'k');
}

static void port_clock(void)
{
    const struct lk_clock *clock = port()->clock;
    uint64_t start = port_ms(), now, last, boot = 0, again = 1, wall = 0;
    enum lk_clock_quality quality = LK_CLOCK_UNSET;
    bool steady = true;

    port_console();
    now = port_ms();
    port_case("the monotonic clock goes on while a read waits",
              now >= start + PORT_WAIT && now < start + 600000u);
    for (last = now; now < start + PORT_WAIT + 100u && steady; last = now) {
        steady = clock->monotonic(port()->self, &now) == 0 && now >= last;
    }
    port_case("and never back", steady);
    if (clock->boot) {
        port_case("a start has a number", clock->boot(port()->self, &boot) == 0 && boot != 0 &&
                                              clock->boot(port()->self, &again) == 0 &&
                                              again == boot);
        port_bytes("boot ", (const uint8_t *)&boot, sizeof(boot));
    }
    port_case("the wall clock answers", clock->wall(port()->self, &wall, &quality) == 0);
    if (clock->set) {
        port_case("it can be set", clock->set(port()->self, 1700000000000u) == 0 &&
                                       clock->wall(port()->self, &wall, &quality) == 0 &&
                                       quality >= LK_CLOCK_SET && wall - 1700000000000u < 60000u);
    } else {
        port_case("it was set", quality >= LK_CLOCK_SET && wall > 1700000000000u);
    }
}

/* ---- Entropy, secret, crypto ---- */

static unsigned port_ones(const uint8_t *bytes, size_t size)
{
    unsigned ones = 0;
    size_t i;

    for (i = 0; i < size * 8; i++) {
        ones += bytes[i / 8] >> (i % 8) & 1u;
    }
    return ones;
}

static void port_entropy(void)
{
    uint8_t a[64] = {0}, b[64] = {0};

    port_case("entropy is there", port()->entropy->fill(port()->self, a, sizeof(a)) == 0 &&
                                      port()->entropy->fill(port()->self, b, sizeof(b)) == 0);
    port_case("other bytes each time", memcmp(a, b, sizeof(a)) != 0);
    /* Of 512 bits, seven standard deviations of 11.3 each way. */
    port_case("as many ones as zeros, about",
              port_ones(a, sizeof(a)) - 177u < 158u && port_ones(b, sizeof(b)) - 177u < 158u);
    port_bytes("entropy ", a, 16);
}

/* The secret itself is not shown: a hash tells whether it is the same. */
static void port_secret(void)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE], hash[LK_HASH_SIZE] = {0};
    const struct lk_secret *its = port()->secret;
    int error = its->read(port()->self, secret);

    if (error == LK_E_SECRET) {
        port_case("a device secret is made", its->create(port()->self) == 0);
        error = its->read(port()->self, secret);
    }
    port_case("the device secret is read", error == 0);
    error = its->create(port()->self);
    port_case("it is made once", error == LK_E_EXISTS || error == LK_E_UNSUPPORTED);
    error = port()->crypto->hash(port()->self, port_mark, sizeof(port_mark),
                                 (struct lk_span){secret, sizeof(secret)},
                                 (struct lk_span){NULL, 0}, hash);
    port_case("it is hashed", error == 0);
    port_bytes("secret ", hash, 16);
    port()->crypto->wipe(secret, sizeof(secret));
}

static void port_crypto(void)
{
    /* RFC 7693's function over "abc" with 32 bytes of output; SipHash's paper, appendix A. */
    static const uint8_t blake[LK_HASH_SIZE] =
        "\xbd\xdd\x81\x3c\x63\x42\x39\x72\x31\x71\xef\x3f\xee\x98\x57\x9b"
        "\x94\x96\x4e\x3b\xb1\xcb\x3e\x42\x72\x62\xc8\xc0\x68\xd5\x23\x19";
    static const uint8_t sip[8] = "\xe5\x45\xbe\x49\x61\xca\x29\xa1";
    const struct lk_crypto *crypto = port()->crypto;
    uint8_t key[LK_SEAL_KEY_SIZE], nonce[LK_SEAL_NONCE_SIZE] = {1}, out[LK_HASH_SIZE] = {0};
    uint8_t sealed[sizeof(port_mark) + LK_SEAL_TAG_SIZE], plain[sizeof(port_mark)] = {0};
    struct lk_span mark = {port_mark, sizeof(port_mark)}, none = {NULL, 0};
    size_t i;

    for (i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)i;
    }
    port_case("BLAKE2b is right",
              crypto->hash(port()->self, NULL, 0, (struct lk_span){(const uint8_t *)"ab", 2},
                           (struct lk_span){(const uint8_t *)"c", 1}, out) == 0 &&
                  memcmp(out, blake, sizeof(blake)) == 0);
    crypto->mac64(port()->self, key, (struct lk_span){key, 15}, out);
    port_case("SipHash is right", memcmp(out, sip, sizeof(sip)) == 0);
    port_case("what is sealed opens",
              crypto->seal(port()->self, key, nonce, mark, none, sealed) == 0 &&
                  crypto->open(port()->self, key, nonce, (struct lk_span){sealed, sizeof(sealed)},
                               none, plain) == 0 &&
                  memcmp(plain, port_mark, sizeof(plain)) == 0);
    sealed[3] ^= 1;
    port_case("and not when a bit of it is another",
              crypto->open(port()->self, key, nonce, (struct lk_span){sealed, sizeof(sealed)}, none,
                           plain) == LK_E_CORRUPT);
}

/* ---- Flash ---- */

static uint8_t port_piece[PORT_PIECE], port_read[PORT_PIECE];

static int flash_get(uint32_t address)
{
    memset(port_read, 0x55, sizeof(port_read));
    return port()->flash->read(port()->self, address, port_read, sizeof(port_read));
}

static bool flash_is(uint32_t address, const uint8_t *piece, const uint8_t *mapped)
{
    return flash_get(address) == 0 && memcmp(port_read, piece, sizeof(port_read)) == 0 &&
           (!mapped || memcmp(mapped + address, piece, sizeof(port_read)) == 0);
}

static int flash_put(uint32_t address)
{
    return port()->flash->program(port()->self, address, port_piece, sizeof(port_piece));
}

static bool flash_blank(const struct lk_flash_geometry *part, uint32_t sector)
{
    static uint8_t ones[PORT_PIECE];
    uint32_t at;
    bool blank = true;

    memset(ones, 0xFF, sizeof(ones));
    for (at = 0; blank && at < part->sector_size; at += PORT_PIECE) {
        blank = flash_is(sector * part->sector_size + at, ones, part->mapped);
    }
    return blank;
}

/* Nothing that is out of range, or no whole units, may be tried at all. */
static void flash_bounds(const struct lk_flash_geometry *part, uint32_t at)
{
    const struct lk_flash *flash = port()->flash;
    uint32_t end = part->sector_size * part->sector_count;

    port_case("reading past the end is refused", flash_get(end) != 0 &&
                                                     flash_get(end - PORT_PIECE + 1) != 0 &&
                                                     flash_get(UINT32_MAX - 8) != 0);
    port_case("so is programming there", flash_put(end) != 0 && flash_put(UINT32_MAX - 63) != 0);
    port_case("so is erasing there",
              flash->erase(port()->self, part->sector_count) != 0 &&
                  flash->erase(port()->self, UINT32_MAX / part->sector_size + 1) != 0);
    port_case("so is programming less than a unit",
              part->program_unit == 1 ||
                  (flash_put(at + 1) != 0 &&
                   flash->program(port()->self, at, port_piece, part->program_unit + 1) != 0));
}

static void flash_work(const struct lk_flash_geometry *part, uint32_t sector)
{
    const struct lk_flash *flash = port()->flash;
    uint32_t at = sector * part->sector_size, next = at + part->sector_size,
             last = next - PORT_PIECE;
    bool raised = false;
    size_t i;

    for (i = 0; i < sizeof(port_piece); i++) {
        port_piece[i] = (uint8_t)(i * 37 + 1);
    }
    port_case("a sector is erased", flash->erase(port()->self, sector) == 0 &&
                                        flash->erase(port()->self, sector + 1) == 0 &&
                                        flash_blank(part, sector));
    port_case("and programmed at both ends", flash_put(at) == 0 && flash_put(last) == 0 &&
                                                 flash_put(next) == 0 &&
                                                 flash->sync(port()->self) == 0);
    port_case("and read back, as memory too", flash_is(at, port_piece, part->mapped) &&
                                                  flash_is(last, port_piece, part->mapped) &&
                                                  flash_is(next, port_piece, part->mapped));
    flash_bounds(part, at);
    for (i = 0; i < sizeof(port_piece); i++) {
        port_piece[i] = (uint8_t)~port_piece[i];
    }
    port_case("what is not erased is not programmed in silence", flash_put(at) != 0);
    for (i = 0; i < sizeof(port_piece) && flash_get(at) == 0; i++) {
        raised |= (port_read[i] & port_piece[i]) != 0;
    }
    port_case("and no 0 becomes 1", !raised);
    for (i = 0; i < sizeof(port_piece); i++) {
        port_piece[i] = (uint8_t)~port_piece[i];
    }
    port_case("erasing leaves the next sector alone", flash->erase(port()->self, sector) == 0 &&
                                                          flash_blank(part, sector) &&
                                                          flash_is(next, port_piece, part->mapped));
}

/* In the store's sectors; the last one keeps a mark for the next start. */
static void port_flash(void)
{
    const struct lk_nor_config *region = &lk_firmware.flash;
    struct lk_flash_geometry part = {0};
    uint32_t last = region->first_sector + region->sector_count - 1;
    int error = port()->flash->geometry(port()->self, &part);

    if (error || region->sector_count < 4 || last >= part.sector_count ||
        part.sector_size % PORT_PIECE || part.program_unit == 0 || PORT_PIECE % part.program_unit ||
        region->flash != port()->flash) {
        port_case("the store's sectors are the part's", false);
        return;
    }
    memset(port_piece, 0, sizeof(port_piece));
    memcpy(port_piece, port_mark, sizeof(port_mark));
    lk_firmware_say(flash_is(last * part.sector_size, port_piece, NULL) ? "kept\r\n" : "new\r\n");
    port_case("the last of the store's sectors takes a mark",
              port()->flash->erase(port()->self, last) == 0 &&
                  flash_put(last * part.sector_size) == 0);
    flash_work(&part, region->first_sector);
}

int main(void)
{
    int error = lk_firmware.start();

    lk_firmware_say("\r\nPort test on ");
    lk_firmware_say(lk_firmware.name);
    lk_firmware_say("\r\n");
    port_case("the board starts", error == 0);
    port_clock();
    port_crypto();
    port_entropy();
    port_flash();
    port_secret();
    lk_firmware_say("done\r\n");
    lk_firmware_stop();
}
