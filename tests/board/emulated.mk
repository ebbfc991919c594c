# SPDX-License-Identifier: MIT
# What is tested on an emulated processor unless TEST= says otherwise, in seconds: the golden bytes, the
# codec, the crypto and what it leaves on the stack, the map in RAM and on flash, and a way through the
# core on either.
BOARD_TESTS := golden/% fuzz/% $(addprefix unit/test_,cbor_vectors fake_flash% port_crypto) \
	storage/test_conformance core/test_s09_policy core/test_totp \
	$(foreach on,core flash,$(addprefix $(on)/test_,flow login))
# What fails call after call, or damages bit after bit, tries one in so many.
export LATCHKEY_EVERY ?= 25
