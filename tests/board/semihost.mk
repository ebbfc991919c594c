# SPDX-License-Identifier: MIT
# Test programs on an emulated core without an operating system: files, arguments and exit codes by
# semihosting. Included by the rules.mk of a board that consists of such tests.

include port/baremetal/sodium.mk
include port/baremetal/mbedtls.mk

all: $(LIBRARY) $(FRONTS) ## what the tests are linked with

SEMIHOST_OBJ := $(call objects,$(call sources,tests/board/semihost))
SEMIHOST     := $(BUILD)/tests/semihost.a
$(call list,semihost): LIST = $(SEMIHOST_OBJ)
$(SEMIHOST): $(SEMIHOST_OBJ) $(call list,semihost)
	$(make-archive)
# The libraries' headers come before whatever includes them.
$(BUILD)/flags: | $(SODIUM_SOURCE)/fetched $(MBEDTLS_SOURCE)/fetched
$(TEST_PROGRAMS) $(addprefix $(BUILD)/tests/,$(REPLAYS)): $(SEMIHOST) $(SODIUM) $(MBEDTLS)
