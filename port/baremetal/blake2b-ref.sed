# SPDX-License-Identifier: MIT
# Puts the words of a finished BLAKE2b hash out in a loop.
s/^    STORE64_LE(buffer + 8 \* 0, S->h\[0\]);/    for (int i = 0; i < 8; i++) STORE64_LE(buffer + 8 * i, S->h[i]);/
/^    STORE64_LE(buffer + 8 \* [1-7], S->h\[[1-7]\]);/d
