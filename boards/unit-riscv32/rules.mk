# SPDX-License-Identifier: MIT
include tests/board/semihost.mk
