// SPDX-License-Identifier: MIT
/* fault.c: what a board says of itself when it cannot go on. */
#include "firmware.h"

#include <string.h>

_Noreturn void lk_board_trap(uint32_t cause, uint32_t at, uint32_t more);

void lk_firmware_say(const char *text)
{
    const struct lk_port *port = lk_firmware.config.port;

    /* The line takes everything, sooner or later. */
    (void)port->console->write(port->self, (const uint8_t *)text, strlen(text));
}

static void fault_number(uint32_t number)
{
    char text[12];
    size_t at = sizeof(text);

    text[--at] = '\0';
    do {
        text[--at] = "0123456789abcdef"[number % 16];
        number /= 16;
    } while (number != 0);
    lk_firmware_say(text + at);
}

void lk_firmware_stop(void)
{
    const struct lk_port *port = lk_firmware.config.port;
    uint8_t byte;

    lk_firmware_say("\r\nstopped: type a key\r\n");
    (void)port->console->read(port->self, &byte, 0);
    for (;;) {
        lk_firmware.reset();
    }
}

/* From lk_start.S. On Cortex-M: the exception's number, the stacked program counter and link
 * register; on RISC-V mcause, mepc, mtval. */
void lk_board_trap(uint32_t cause, uint32_t at, uint32_t more)
{
    lk_firmware_say("\r\ntrap ");
    fault_number(cause);
    lk_firmware_say(" at ");
    fault_number(at);
    lk_firmware_say(": ");
    fault_number(more);
    lk_firmware_stop();
}

void lk_assert_failed(const char *file, int line)
{
    lk_firmware_say("\r\n");
    lk_firmware_say(file);
    lk_firmware_say(": line 0x");
    fault_number((uint32_t)line);
    lk_firmware_stop();
}
