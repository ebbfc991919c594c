# SPDX-License-Identifier: MIT
# The three hashes of Mbed TLS, with HMAC over them, for a board without an operating system: from
# Debian's source package, compiled with the board's flags. Included by a board's rules.mk.

MBEDTLS_SOURCE := build/sources/mbedtls
MBEDTLS_OBJ    := $(patsubst %,$(BUILD)/obj/mbedtls/%.o,md platform_util sha1 sha256 sha512)
MBEDTLS        := $(BUILD)/libmbedcrypto.a
MBEDTLS_CONFIG := $(addprefix -DMBEDTLS_,MD_C SHA1_C SHA256_C SHA512_C)

# Its configuration stands on the command line: the file that it asks for is empty.
$(MBEDTLS_SOURCE)/fetched: port/baremetal/source.sh
	@sh $< mbedtls $(MBEDTLS_SOURCE)
	@: >$(MBEDTLS_SOURCE)/include/mbedtls_nothing.h
	@touch $@

$(BUILD)/obj/mbedtls/%.o: $(MBEDTLS_SOURCE)/fetched $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $*.c
	$(Q)$(CC) $(BOARD_CFLAGS) -Os -w -ffunction-sections -fdata-sections $(MBEDTLS_CONFIG) \
		'-DMBEDTLS_CONFIG_FILE="mbedtls_nothing.h"' -I$(MBEDTLS_SOURCE)/include \
		-c $(MBEDTLS_SOURCE)/library/$*.c -o $@

$(MBEDTLS): $(MBEDTLS_OBJ)
	$(make-archive)

$(BUILD)/obj/port/mbedtls/%.o: $(MBEDTLS_SOURCE)/fetched
