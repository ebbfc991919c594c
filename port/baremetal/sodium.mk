# SPDX-License-Identifier: MIT
# libsodium for a board without an operating system: the files that Latchkey uses, from Debian's
# source package, compiled with the board's flags. Included by a board.mk.

SODIUM_SOURCE := build/sources/libsodium
SODIUM_ROOT   := $(SODIUM_SOURCE)/src/libsodium
SODIUM_FILES  := $(addsuffix .c, \
	crypto_aead/chacha20poly1305/sodium/aead_chacha20poly1305 \
	crypto_aead/xchacha20poly1305/sodium/aead_xchacha20poly1305 \
	crypto_core/hchacha20/core_hchacha20 \
	crypto_generichash/blake2b/ref/blake2b-compress-ref \
	crypto_generichash/blake2b/ref/blake2b-ref \
	crypto_generichash/blake2b/ref/generichash_blake2b \
	crypto_generichash/crypto_generichash \
	crypto_onetimeauth/poly1305/donna/poly1305_donna \
	crypto_onetimeauth/poly1305/onetimeauth_poly1305 \
	crypto_pwhash/argon2/argon2 \
	crypto_pwhash/argon2/argon2-core \
	crypto_pwhash/argon2/argon2-encoding \
	crypto_pwhash/argon2/argon2-fill-block-ref \
	crypto_pwhash/argon2/blake2b-long \
	crypto_pwhash/argon2/pwhash_argon2id \
	crypto_shorthash/siphash24/ref/shorthash_siphash24_ref \
	crypto_shorthash/siphash24/shorthash_siphash24 \
	crypto_shorthash/crypto_shorthash \
	crypto_stream/chacha20/ref/chacha20_ref \
	crypto_stream/chacha20/stream_chacha20 \
	crypto_verify/sodium/verify \
	sodium/codecs \
	sodium/runtime \
	sodium/utils)
SODIUM_OBJ := $(patsubst %.c,$(BUILD)/obj/sodium/%.o,$(SODIUM_FILES))
SODIUM     := $(BUILD)/libsodium.a

$(SODIUM_SOURCE)/fetched: port/baremetal/source.sh
	@sh $< libsodium $(SODIUM_SOURCE)
	@sed -e 's/@VERSION@/debian/' -e 's/@SODIUM_LIBRARY_VERSION_M[A-Z]*@/0/' \
		-e 's/@SODIUM_LIBRARY_MINIMAL_DEF@/#define SODIUM_LIBRARY_MINIMAL 1/' \
		$(SODIUM_ROOT)/include/sodium/version.h.in >$(SODIUM_ROOT)/include/sodium/version.h
	@touch $@

# Its warnings are its authors' business. SODIUM_NOT: flags of the board that it is better off without.
# It wipes the stack below it by alloca(), where there is stack to spare.
$(BUILD)/obj/sodium/%.o: $(SODIUM_SOURCE)/fetched $(BUILD)/flags port/baremetal/sodium.mk
	@mkdir -p $(@D)
	$(say) CC $*.c
	$(Q)$(CC) $(filter-out -pedantic $(SODIUM_NOT),$(BOARD_CFLAGS)) -Os -w -DNDEBUG -DCONFIGURED=1 -DSODIUM_STATIC=1 \
		$(if $(SODIUM_SMALL),-DNATIVE_LITTLE_ENDIAN=1,-DHAVE_ALLOCA=1 -DHAVE_ALLOCA_H=1) \
		-ffunction-sections -fdata-sections -I$(SODIUM_ROOT)/include \
		-I$(SODIUM_ROOT)/include/sodium -I$(dir $(SODIUM_ROOT)/$*.c) \
		-c $(or $(SODIUM_FROM),$(SODIUM_ROOT)/$*.c) -o $@

# With SODIUM_SMALL, steps that are written out in the library are put into loops: NAME.sed.
ifdef SODIUM_SMALL
SODIUM_LOOPS := crypto_generichash/blake2b/ref/blake2b-compress-ref \
	crypto_generichash/blake2b/ref/blake2b-ref \
	crypto_shorthash/siphash24/ref/shorthash_siphash24_ref \
	crypto_stream/chacha20/ref/chacha20_ref
define sodium-loops
$(BUILD)/made/$(notdir $(1)).c: $(SODIUM_SOURCE)/fetched port/baremetal/$(notdir $(1)).sed
	@mkdir -p $$(@D)
	@sed -f port/baremetal/$(notdir $(1)).sed $(SODIUM_ROOT)/$(1).c >$$@
	@! grep -nE '^ *((SIP|QUARTER)?ROUND(\([0-9]+\))?|STORE64_LE\(buffer.*);$$$$' $$@ || \
		{ echo 'make: $(1): steps are left that are in no loop' >&2; exit 1; }
$(BUILD)/obj/sodium/$(1).o: $(BUILD)/made/$(notdir $(1)).c
$(BUILD)/obj/sodium/$(1).o: SODIUM_FROM = $(BUILD)/made/$(notdir $(1)).c
endef
$(foreach file,$(SODIUM_LOOPS),$(eval $(call sodium-loops,$(file))))
endif

$(SODIUM): $(SODIUM_OBJ)
	$(make-archive)

# Ports include the library's headers.
$(filter $(BUILD)/obj/port/%,$(LIBRARY_OBJ)): $(SODIUM_SOURCE)/fetched
