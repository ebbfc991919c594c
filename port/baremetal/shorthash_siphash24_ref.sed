# SPDX-License-Identifier: MIT
# Puts the rounds of libsodium's SipHash, which follow each other in twos and fours, into loops.
:whole
$!{
N
b whole
}
s/SIPROUND;\n *SIPROUND;\n *SIPROUND;\n *SIPROUND;/for (int i = 0; i < 4; i++) SIPROUND;/
s/SIPROUND;\n *SIPROUND;/for (int i = 0; i < 2; i++) SIPROUND;/g
