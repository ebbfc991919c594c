# SPDX-License-Identifier: MIT
# Linux on s390x, where the bytes of a number stand the other way round (big-endian), under QEMU's
# user mode. For tests:
#   make BOARD=linux-s390x test            those of BOARD_TESTS
#   make BOARD=linux-s390x test TEST='*'   all that need no script

include boards/linux/board.mk

SYSROOT := build/sources/s390x

BOARD_FOLDER   := boards/linux
BOARD_CC       := s390x-linux-gnu-gcc
BOARD_AR       := s390x-linux-gnu-ar
BOARD_SIZE     := s390x-linux-gnu-size
BOARD_CPPFLAGS := -isystem $(SYSROOT)/usr/include
BOARD_LDFLAGS  := -L$(SYSROOT)/usr/lib/s390x-linux-gnu
BOARD_RUNNER   := qemu-s390x-static -L $(SYSROOT)
# The small Argon2id hashes blocks as they lie in memory, on little-endian boards only.
BOARD_TEST_SKIP := tests/unit/test_port_small.c
include tests/board/emulated.mk
