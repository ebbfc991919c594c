# SPDX-License-Identifier: MIT
# The libraries come before whatever is compiled with their headers.
$(SYSROOT)/fetched: boards/linux-s390x/sysroot.sh
	@sh $< $(SYSROOT)
	@touch $@
$(BUILD)/flags: | $(SYSROOT)/fetched
