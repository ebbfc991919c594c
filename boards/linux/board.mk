# SPDX-License-Identifier: MIT
# Linux: the program, the two libraries, and every test.

BOARD_HOSTED   := 1
BOARD_STORAGES := ram lmdb fault flash
BOARD_PORTS    := sodium mbedtls foreign posix fake
BOARD_FRONTS   := cli cli/host

# Of boards/linux/, these belong to the library; the rest to the program.
BOARD_LIBRARY  := $(wildcard boards/linux/host*.c)

BOARD_LIBS     := -llmdb -lsodium -lmbedcrypto -lcrypt -lpthread
BOARD_FRONT_LIBS := -ljansson -lqrencode
