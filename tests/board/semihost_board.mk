# SPDX-License-Identifier: MIT
# What boards of emulated tests have in common; each names its compiler, its core and its memory.

# The limits of Linux, for which the tests and the golden bytes are written.
BOARD_FOLDER   := boards/linux
BOARD_STORAGES := ram fault flash
BOARD_PORTS    := sodium mbedtls fake

BOARD_CPPFLAGS := -Itests/board/semihost -isystem build/sources/libsodium/src/libsodium/include \
	-isystem build/sources/mbedtls/include
# uint32_t is a long there, which the tests' messages are not written for.
BOARD_CFLAGS   += -Wno-format
BOARD_LDFLAGS   = $(BOARD_CFLAGS) --oslib=semihost --crt0=hosted -Wl,--no-warn-rwx-segments \
	-Wl,--wrap=main $(foreach s,$(BOARD_MEMORY) __stack_size=2M,-Wl,--defsym=$(s))

BOARD_TEST_LIBS  = -Wl,--start-group $(SEMIHOST) $(SODIUM) $(MBEDTLS) -Wl,--end-group

# What cannot be there: the command line (no test of core or storage uses it), and what it alone uses
BOARD_TEST_SKIP := cli/% unit/test_csv.c unit/test_host.c unit/test_json.c
# files, processes and terminals
BOARD_TEST_SKIP += unit/p% unit/test_port_posix% storage/test_host% storage/test_flash_image.c
# LMDB, which maps files into memory
BOARD_TEST_SKIP += storage/cut% storage/lmdb% storage/test_lmdb% storage/test_conformance_lmdb.c
# the hashes of other programs, which libcrypt computes
BOARD_TEST_SKIP += unit/test_port_foreign.c core/test_foreign.c
# addresses as the C library of Linux reads them, to compare with
BOARD_TEST_SKIP += unit/test_text_net.c fuzz/fuzz_text.c
# threads (tests/board/semihost/ has one without), what a process costs, the kernel's entropy
BOARD_TEST_SKIP += core/dead_stack_run.c core/test_s_hostile.c
# half a million logins and more, some minutes of an emulator's time; linux-s390x has them
BOARD_TEST_SKIP += core/test_s_attack.c
BOARD_TEST_SKIP := $(addprefix tests/,$(BOARD_TEST_SKIP))

include tests/board/emulated.mk
