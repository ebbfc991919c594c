# SPDX-License-Identifier: MIT
# Latchkey. `make help` lists what can be made; everything made goes to build/.
#
# A folder under boards/ is a board; its board.mk says what the board is composed of:
#   BOARD_STORAGES, BOARD_PORTS  folders of storage/ and port/
#   BOARD_FRONTS                 folders of the command line
#   BOARD_WITHOUT                files that it does without (core/without/, cli/without/)
#   BOARD_LIBRARY                files of the board's own that belong to the library
#   BOARD_LIBS, BOARD_FRONT_LIBS what the library, and the front ends above it, link with
#   BOARD_CPPFLAGS, BOARD_CFLAGS, BOARD_LDFLAGS, BOARD_CC, BOARD_OBJCOPY, BOARD_SIZE, BOARD_AR
#   BOARD_HOSTED                 1: it runs here, so there are libraries, tests and `install`
#   BOARD_FOLDER                 where its sources and limits are, if not in its own folder
#   BOARD_RUNNER, BOARD_TESTS    what starts its programs here, and which tests `test` runs unless told
#   BOARD_TEST_SKIP, BOARD_TEST_LIBS  sources of tests that it cannot compile; its own cmocka
# and boards/NAME/rules.mk, where there is one, the rules of its own (firmware, run).

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

BOARD ?= linux
ifeq ($(wildcard boards/$(BOARD)/board.mk),)
$(error BOARD=$(BOARD): no boards/$(BOARD)/board.mk; there are: \
	$(patsubst boards/%/board.mk,%,$(wildcard boards/*/board.mk)))
endif

all:

include boards/$(BOARD)/board.mk
BOARD_FOLDER ?= boards/$(BOARD)

# ---- Tools and flags -----------------------------------------------------------------------------

# A variant is the same board with other flags, in a build directory of its own.
VARIANT ?=
BUILD   := build/$(BOARD)$(addprefix -,$(VARIANT))

PYTHON       := /usr/bin/python3
CLANG_FORMAT ?= clang-format
CLANG_TIDY   ?= clang-tidy
PKG_CONFIG   ?= pkg-config

CC_clang := clang
CC_fuzz  := clang
ifneq ($(filter default undefined,$(origin CC)),)
CC := $(or $(CC_$(VARIANT)),$(BOARD_CC),gcc)
endif
ifneq ($(filter default undefined,$(origin AR)),)
AR := $(or $(BOARD_AR),ar)
endif
SIZE ?= $(or $(BOARD_SIZE),size)

sanitize := -fno-omit-frame-pointer -fno-sanitize-recover=all
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fstack-clash-protection
CFLAGS_  := -O2 -g $(HARDEN)
CFLAGS_clang := -O2 -g -fstack-protector-strong
CFLAGS_asan  := -O1 -g -fsanitize=address,undefined $(sanitize)
CFLAGS_ubsan := -O2 -g -fsanitize=undefined $(sanitize)
CFLAGS_fuzz  := -O1 -g -fsanitize=fuzzer-no-link,address,undefined $(sanitize)
CFLAGS_cov   := -O0 -g --coverage -fprofile-update=atomic
CFLAGS_size  := -Os
CFLAGS_stack := -Os -fstack-usage -fcallgraph-info=su
ifdef BOARD_HOSTED
CFLAGS  ?= $(CFLAGS_$(VARIANT))
LDFLAGS ?= -Wl,-z,relro,-z,now -Wl,--as-needed
else
CFLAGS  ?= -Os -g $(if $(filter stack,$(VARIANT)),-fstack-usage -fcallgraph-info=su)
LDFLAGS ?=
endif
# Sanitizers and coverage have a part in linking too.
LINK_VARIANT := $(filter -fsanitize=% --coverage,$(CFLAGS))

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla \
	$(if $(WERROR),-Werror)

STORAGE_DIRS := $(addprefix storage/,$(BOARD_STORAGES))
PORT_DIRS    := $(addprefix port/,$(BOARD_PORTS))
INCLUDE_DIRS := core core/kinds storage port cli cli/host $(STORAGE_DIRS) $(PORT_DIRS) $(BOARD_FOLDER)

# What may not be overridden, whatever CFLAGS says.
OWN_CPPFLAGS := $(addprefix -I,$(wildcard $(INCLUDE_DIRS)) $(BUILD)/made) $(BOARD_CPPFLAGS)
OWN_CFLAGS   := -std=c11 $(WARNINGS) -ffunction-sections -fdata-sections \
	$(if $(BOARD_HOSTED),-fPIC) $(BOARD_CFLAGS)
OWN_LDFLAGS  := -Wl,--gc-sections $(BOARD_LDFLAGS) $(LINK_VARIANT)
COMPILE       = $(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS)
LINK          = $(CC) $(OWN_LDFLAGS) $(LDFLAGS)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

# ---- Sources -------------------------------------------------------------------------------------

sources = $(sort $(wildcard $(addsuffix /*.c,$(1))))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter %.c,$(1))) \
	$(patsubst %.S,$(BUILD)/obj/%.o,$(filter %.S,$(1)))

# What a board leaves out has a file of the same name in core/without/ or cli/without/ that says so.
WITHOUT     := $(addsuffix .c,$(BOARD_WITHOUT))
CORE_SRC    := $(filter-out $(addprefix core/,$(WITHOUT)),$(call sources,core core/kinds core/migrations)) \
	$(wildcard $(addprefix core/without/,$(WITHOUT)))
STORAGE_SRC := $(call sources,$(STORAGE_DIRS))
PORT_SRC    := $(call sources,$(PORT_DIRS)) $(sort $(wildcard $(addsuffix /*.S,$(PORT_DIRS))))
FRONT_SRC   := $(filter-out $(addprefix cli/,$(WITHOUT)),$(call sources,$(BOARD_FRONTS))) \
	$(wildcard $(addprefix cli/without/,$(WITHOUT)))
BOARD_SRC   := $(filter-out $(BOARD_LIBRARY),$(call sources,$(BOARD_FOLDER)) \
	$(sort $(wildcard $(BOARD_FOLDER)/*.S)))

LIBRARY_OBJ := $(call objects,$(CORE_SRC) $(STORAGE_SRC) $(PORT_SRC) $(wildcard $(BOARD_LIBRARY)))
FRONT_OBJ   := $(call objects,$(FRONT_SRC))
BOARD_OBJ   := $(call objects,$(BOARD_SRC))

# Below the Linux front ends nothing allocates.
FRUGAL_SRC := $(CORE_SRC) $(call sources,cli storage/ram storage/fault storage/flash port/fake port/template)
FRUGAL_OBJ := $(filter $(call objects,$(FRUGAL_SRC)),$(LIBRARY_OBJ) $(FRONT_OBJ))

PREFIX    ?= /usr/local
LIBDIR    ?= $(PREFIX)/lib
VERSION   := $(shell sed -n 's/^\#define LK_VERSION *"\(.*\)"/\1/p' core/latchkey.h)
SOVERSION := 0

LIBRARY := $(BUILD)/liblatchkey.a
FRONTS  := $(BUILD)/fronts.a
PROGRAM := $(BUILD)/latchkey

# ---- What is built -------------------------------------------------------------------------------

ifdef BOARD_HOSTED
all: $(PROGRAM) $(LIBRARY) $(BUILD)/liblatchkey.so $(BUILD)/latchkey.pc ## the program and the libraries (default; BOARD=name for another board)
endif

# The flags, kept in a file that changes only when they do, so that objects follow them.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(COMPILE)' '$(LINK)' | cmp -s - $@ || printf '%s\n' '$(COMPILE)' '$(LINK)' >$@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(COMPILE) $(EXTRA_CPPFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.o: %.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) AS $<
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

# The common passwords that are refused, as a filter of the size that the board's limits allow. The
# list is Debian's, in python3-django; BLOCKLIST names another, one password a line, gzipped or not.
HOST_CC   ?= cc
BLOCKLIST ?= /usr/lib/python3/dist-packages/django/contrib/auth/common-passwords.txt.gz

$(BUILD)/made/make_blocklist: boards/make_blocklist.c core/lk_blocklist.h core/lk_limits.h \
		$(BOARD_FOLDER)/lk_board_limits.h
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOST_CC) -std=c11 -O1 $(WARNINGS) -Icore -I$(BOARD_FOLDER) $< -o $@

$(BUILD)/made/lk_blocklist_data.h: $(BUILD)/made/make_blocklist $(wildcard $(BLOCKLIST))
	@test -r '$(BLOCKLIST)' || { echo 'make: $(BLOCKLIST): the list of common passwords cannot be read.' \
		'It comes with the package python3-django: sh boards/linux/packages.sh build.' \
		'BLOCKLIST=FILE names another one.' >&2; exit 1; }
	$(say) MAKE $@
	$(Q)gzip -dcf '$(BLOCKLIST)' >$@.txt
	$(Q)$< <$@.txt >$@ 2>$@.log || { cat $@.log >&2; exit 1; }

$(BUILD)/obj/core/lk_blocklist.o: $(BUILD)/made/lk_blocklist_data.h

define make-archive
	$(say) AR $@
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)
endef

# Named in an archive's prerequisites, a list's file notices that a source came or went.
list = $(BUILD)/lists/$(1)
$(BUILD)/lists/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(LIST) | cmp -s - $@ || printf '%s\n' $(LIST) >$@
$(call list,library): LIST = $(LIBRARY_OBJ)
$(call list,fronts): LIST = $(FRONT_OBJ)

$(LIBRARY): $(LIBRARY_OBJ) $(call list,library)
	$(make-archive)

$(FRONTS): $(FRONT_OBJ) $(call list,fronts)
	$(make-archive)

$(BUILD)/liblatchkey.so.$(VERSION): $(LIBRARY_OBJ) boards/linux/liblatchkey.map $(call list,library)
	$(say) LD $@
	$(Q)$(LINK) -shared -Wl,-soname,liblatchkey.so.$(SOVERSION) \
		-Wl,--version-script=boards/linux/liblatchkey.map $(filter %.o,$^) $(BOARD_LIBS) -o $@

$(BUILD)/liblatchkey.so: $(BUILD)/liblatchkey.so.$(VERSION)
	$(Q)ln -sf liblatchkey.so.$(VERSION) $(BUILD)/liblatchkey.so.$(SOVERSION)
	$(Q)ln -sf liblatchkey.so.$(SOVERSION) $@

ifdef BOARD_HOSTED
$(PROGRAM): $(BOARD_OBJ) $(FRONTS) $(LIBRARY)
	$(say) LD $@
	$(Q)$(LINK) $(BOARD_OBJ) $(FRONTS) $(LIBRARY) $(BOARD_FRONT_LIBS) $(BOARD_LIBS) -o $@
endif

$(BUILD)/latchkey.pc: boards/linux/latchkey.pc.in core/latchkey.h FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBS@|$(BOARD_LIBS)|' $< >$@

# ---- Tests ---------------------------------------------------------------------------------------
# tests/<part>/test_*.c     one cmocka program each, linked with the other files of its folder
# tests/<part>/test_*.sh    a script; LATCHKEY names the program and BUILD the build directory
# tests/<part>/*_tool.c     a small program for scripts, at $(BUILD)/tests/
# tests/<part>/*_cross.py   compares with another implementation; gets the path of its *_tool
# tests/fuzz/fuzz_*.c       a fuzzer's harness; `make test` replays tests/fuzz/seeds/<name>/

TEST_SRC   := $(filter-out tests/bench/% tests/fuzz/% tests/house/% tests/board/% $(BOARD_TEST_SKIP), \
	$(call sources,tests/*))
CASE_SRC   := $(foreach s,$(TEST_SRC),$(if $(filter test_%,$(notdir $(s))),$(s)))
TOOL_SRC   := $(filter %_tool.c,$(TEST_SRC))
HELPER_SRC := $(filter-out $(CASE_SRC) $(TOOL_SRC),$(TEST_SRC))
FUZZ_SRC   := $(filter-out $(BOARD_TEST_SKIP),$(sort $(wildcard tests/fuzz/fuzz_*.c)))
BENCH_SRC  := $(sort $(wildcard tests/bench/*.c))
BENCH_HELP := $(filter-out tests/bench/bench_% tests/bench/floor_% tests/bench/latchkey_%,$(BENCH_SRC))

CASES   := $(patsubst tests/%.c,%,$(CASE_SRC))
TOOLS   := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TOOL_SRC)))
SCRIPTS := $(patsubst tests/%,%,$(sort $(wildcard tests/*/test_*.sh)))
CROSSES := $(patsubst tests/%,%,$(sort $(wildcard tests/*/*_cross.py)))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC))
BENCHES := $(patsubst tests/bench/%.c,%,$(filter tests/bench/bench_%,$(BENCH_SRC)))
REPLAYS := $(addprefix fuzz/,$(FUZZERS))

TEST_PROGRAMS := $(addprefix $(BUILD)/tests/,$(CASES))
# The core's tests once more, with their store on flash.
ON_FLASH := $(patsubst core/%,flash/%,$(filter core/%,$(CASES)))
# And some in a store that lacks the indexes that it can lack.
ON_LEAN := $(addprefix lean/test_,flow hold random rules_records s21_administrator s_session verify)
# Scripts start the program by itself, so they are not for a machine that has to be emulated.
RUNNER        ?= $(BOARD_RUNNER)
ALL_TESTS     := $(CASES) $(ON_FLASH) $(ON_LEAN) $(REPLAYS) $(if $(BOARD_RUNNER),,$(SCRIPTS) $(CROSSES) house/deps-check)

TEST         ?= $(or $(BOARD_TESTS),%)
TEST_TIMEOUT ?= 300
RESULTS      ?= $(BUILD)/results
WANTED       := $(filter $(subst *,%,$(TEST)),$(ALL_TESTS))
RERUN        ?= make$(addprefix $(space)BOARD=,$(filter-out linux,$(BOARD))) test$(addprefix $(space)VARIANT=,$(VARIANT)) TEST=
RUN_TEST      = BUILD=$(BUILD) LATCHKEY=$(abspath $(PROGRAM)) CC='$(CC)' TEST_TIMEOUT=$(TEST_TIMEOUT) \
	RERUN='$(RERUN)' sh tests/house/run_test.sh $(RESULTS)
RUN_SCRIPT    = $(RUN_TEST) $* script $(or $(shell sed -n '1s/^\#! *\(.*\)/\1/p' tests/$*),sh) $<
space := $() $()

TEST_LIBS := $(BOARD_FRONT_LIBS) $(BOARD_LIBS)
CMOCKA     = $(or $(BOARD_TEST_LIBS),-lcmocka)
$(BUILD)/obj/tests/%.o: EXTRA_CPPFLAGS = -I$(patsubst $(BUILD)/obj/%,%,$(@D)) -Itests

# The helpers of each folder, as an archive, and which folders use another's too ("core/bench.h").
helpers = $(BUILD)/tests/$(1)/helpers.a
HELPERS_cli    := core storage
HELPERS_core   := storage
HELPERS_fault  := core
HELPERS_golden := core
TEST_PARTS := $(sort $(patsubst tests/%/,%,$(dir $(TEST_SRC))))
define part-helpers
$$(call list,tests-$(1)): LIST = $$(call objects,$$(filter tests/$(1)/%,$$(HELPER_SRC)))
$$(call helpers,$(1)): $$(call objects,$$(filter tests/$(1)/%,$$(HELPER_SRC))) $$(call list,tests-$(1))
	$$(make-archive)
$$(BUILD)/tests/$(1)/test_%: $$(BUILD)/obj/tests/$(1)/test_%.o $$(call helpers,$(1)) \
		$$(foreach p,$$(HELPERS_$(1)),$$(call helpers,$$(p))) $$(FRONTS) $$(LIBRARY)
	$$(say) LD $$@
	$$(Q)$$(LINK) $$(filter %.o %.a,$$^) $$(TEST_LIBS) $$(CMOCKA) -o $$@
$$(BUILD)/tests/%_tool: $$(BUILD)/obj/tests/$(1)/%_tool.o $$(call helpers,$(1)) $$(FRONTS) $$(LIBRARY)
	$$(say) LD $$@
	$$(Q)$$(LINK) $$(filter %.o %.a,$$^) $$(TEST_LIBS) $$(CMOCKA) -o $$@
endef
$(foreach part,$(filter-out power,$(TEST_PARTS)),$(eval $(call part-helpers,$(part))))

# tests/power/ is linked with a core of its own, made with the limits of a small board.
SMALL     := $(BUILD)/obj/small
SMALL_OBJ := $(patsubst %.c,$(SMALL)/%.o,$(CORE_SRC) $(filter $(addprefix tests/,core/% storage/% power/%),$(HELPER_SRC)))
$(SMALL)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC '$< (small)'
	$(Q)$(COMPILE) -iquote tests/power/limits -iquote tests/core -iquote tests/storage -Itests -MMD -MP -c $< -o $@
$(call list,small): LIST = $(SMALL_OBJ)
$(BUILD)/tests/small.a: $(SMALL_OBJ) $(call list,small)
	$(make-archive)
$(BUILD)/tests/power/test_%: $(SMALL)/tests/power/test_%.o $(BUILD)/tests/small.a $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(TEST_LIBS) $(CMOCKA) -o $@

# Each result is made by running its test, every time. The run itself says what failed.
$(addprefix $(RESULTS)/,$(addsuffix .result,$(CASES))): $(RESULTS)/%.result: $(BUILD)/tests/% FORCE
	@$(RUN_TEST) $* cmocka $(RUNNER) $<
$(addprefix $(RESULTS)/,$(addsuffix .result,$(ON_FLASH))): $(RESULTS)/flash/%.result: $(BUILD)/tests/core/% FORCE
	@LATCHKEY_STORAGE=flash $(RUN_TEST) flash/$* cmocka $(RUNNER) $<
$(addprefix $(RESULTS)/,$(addsuffix .result,$(ON_LEAN))): $(RESULTS)/lean/%.result: $(BUILD)/tests/core/% FORCE
	@LATCHKEY_LEFT_OUT=1 $(RUN_TEST) lean/$* cmocka $(RUNNER) $<
$(addprefix $(RESULTS)/,$(addsuffix .result,$(filter-out house/%,$(SCRIPTS)))): $(RESULTS)/%.result: tests/% $(PROGRAM) $(TOOLS) FORCE
	@$(RUN_SCRIPT)
$(addprefix $(RESULTS)/,$(addsuffix .result,$(filter house/%,$(SCRIPTS)))): $(RESULTS)/%.result: tests/% FORCE
	@$(RUN_SCRIPT)
$(addprefix $(RESULTS)/,$(addsuffix .result,$(CROSSES))): $(RESULTS)/%.result: tests/% $(TOOLS) FORCE
	@$(RUN_TEST) $* script $(PYTHON) -B $< $(BUILD)/tests/$(notdir $(*:_cross.py=_tool))
$(addprefix $(RESULTS)/,$(addsuffix .result,$(REPLAYS))): $(RESULTS)/fuzz/%.result: $(BUILD)/tests/fuzz/% FORCE
	@$(RUN_TEST) fuzz/$* script $(RUNNER) $< $(sort $(wildcard tests/fuzz/seeds/$*/*))

# Its objects are prerequisites here as well, so that two makes never compile the same file.
$(RESULTS)/house/deps-check.result: $(call objects,$(CORE_SRC)) $(FRUGAL_OBJ) FORCE
	@$(RUN_TEST) house/deps-check script $(MAKE) deps-check

run-tests: $(addprefix $(RESULTS)/,$(addsuffix .result,$(WANTED)))

# A make of its own, so that one test that cannot be built fails alone: it leaves no result.
ifneq ($(BOARD_HOSTED)$(BOARD_RUNNER),)
test: ## every test, or TEST=part/test_name (patterns with *); -j runs them side by side
	@rm -f $(addprefix $(RESULTS)/,$(addsuffix .result,$(WANTED)))
	@$(MAKE) -k run-tests || :
	@sh tests/house/sum_results.sh $(RESULTS) $(WANTED)
else
test: board-test
endif

# ---- Power cuts ----------------------------------------------------------------------------------

# Without names, all cases at every cut; then the long runs of the other programs.
POWER := $(addprefix $(BUILD)/tests/power/test_,power differential end_of_life life)
power: $(POWER) $(BUILD)/tests/core/test_random ## every power cut on flash, and the long random and life runs; CASE=name[/geometry] CUT=id for one
	@LATCHKEY_POWER=full LATCHKEY_CASE='$(CASE)' LATCHKEY_CUT='$(CUT)' $(BUILD)/tests/power/test_power
ifeq ($(CASE)$(CUT),)
	@LATCHKEY_STEPS=1000000 $(BUILD)/tests/power/test_differential
	@LATCHKEY_STEPS=30000 $(BUILD)/tests/core/test_random
	@LATCHKEY_DAYS=60 $(BUILD)/tests/power/test_life
	@LATCHKEY_ROUNDS=20 $(BUILD)/tests/power/test_end_of_life
endif

# ---- Fuzzing and benchmarks ----------------------------------------------------------------------

FUZZ ?=
TIME ?= 60

$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/house/fuzz_replay.o $(FRONTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(TEST_LIBS) $(BOARD_TEST_LIBS) -o $@

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FRONTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LINK) -fsanitize=fuzzer $(filter %.o %.a,$^) $(TEST_LIBS) -o $@

ifeq ($(VARIANT),fuzz)
fuzz: $(addprefix $(BUILD)/fuzz/,$(or $(FUZZ),$(FUZZERS)))
	@set -e; for f in $(or $(FUZZ),$(FUZZERS)); do \
		mkdir -p $(BUILD)/corpus/$$f $(BUILD)/found; \
		echo "fuzz $$f for $(TIME) s"; \
		$(BUILD)/fuzz/$$f -max_total_time=$(TIME) -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(BUILD)/found/$$f- $(BUILD)/corpus/$$f \
			$$(ls -d tests/fuzz/seeds/$$f 2>/dev/null); \
	done
else
fuzz: ## libFuzzer on one harness or all: FUZZ=name TIME=seconds each
	@$(MAKE) VARIANT=fuzz fuzz
endif

# Engines share a harness, whose write and fsync stand before libc's, for the libraries too.
ENGINES     := latchkey floor naive sqlite
BENCH_USERS ?= $(if $(QUICK),1000$(comma)10000,1000$(comma)10000$(comma)100000$(comma)1000000)
BENCH_ARGS  ?= $(if $(QUICK),--turns 1 --rounds 5000,--life 2000)
BENCH_LIBS_sqlite := -lsqlite3
BENCH_LIBS_redis  := -lhiredis
BENCH_LIBS_slapd  := -lldap -llber
# Servers that are on this machine, with the libraries to talk to them.
SERVICES := $(foreach s,redis:redis-server:hiredis/hiredis.h slapd:slapd:ldap.h,$(strip \
	$(if $(and $(shell PATH=$$PATH:/usr/sbin command -v $(word 2,$(subst :, ,$(s)))),$(wildcard /usr/include/$(word 3,$(subst :, ,$(s))))),$(word 1,$(subst :, ,$(s))))))
comma := ,

$(addprefix $(BUILD)/bench/bench_,$(ENGINES) redis slapd): $(BUILD)/bench/bench_%: $(BUILD)/obj/tests/bench/bench_%.o \
		$(call objects,$(BENCH_HELP)) $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LINK) -rdynamic $(filter %.o %.a,$^) $(BENCH_LIBS_$*) $(BOARD_LIBS) -ldl -o $@

$(BUILD)/bench/bench_floor: $(call objects,$(wildcard tests/bench/floor_*.c))
$(BUILD)/bench/bench_latchkey: $(call objects,$(wildcard tests/bench/latchkey_*.c))

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(FRONTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(TEST_LIBS) -lm -o $@

ifdef BENCH
bench: $(BUILD)/bench/$(BENCH)
	@$(BUILD)/bench/$(BENCH)
else
bench: $(addprefix $(BUILD)/bench/bench_,$(ENGINES)) ## costs beside other engines, as ratios; QUICK=1 in under a minute, BENCH_USERS=n,n; BENCH=bench_timing for time that might tell names
	@$(PYTHON) -B tests/bench/bench.py $(BUILD) --users $(BENCH_USERS) $(BENCH_ARGS)
endif

bench-services: $(addprefix $(BUILD)/bench/bench_,$(ENGINES) $(SERVICES)) ## the same beside Redis and OpenLDAP's slapd, where they are installed
	@$(PYTHON) -B tests/bench/bench.py $(BUILD) --users $(BENCH_USERS) $(BENCH_ARGS) \
		--engines latchkey,floor,naive,sqlite,$(subst $(space),$(comma),$(strip $(SERVICES)))

# On a flash of each board's form, by a core with its limits; then on the boards themselves, emulated.
BENCH_BOARDS := microbit qemu-riscv32
BENCH_PART_microbit     := 1024 64 4
BENCH_PART_qemu-riscv32 := 262144 16 4
LIMITS := $(BUILD)/obj/limits
LIMITS_SRC := $(CORE_SRC) tests/bench/bench_flash.c $(filter $(addprefix tests/,core/% storage/%),$(HELPER_SRC))
define limits-bench
$(LIMITS)/$(1)/%.o: %.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(say) CC '$$< ($(1))'
	$$(Q)$$(COMPILE) -iquote tests/bench/limits/$(1) -iquote tests/core -iquote tests/storage -Itests -MMD -MP -c $$< -o $$@
$(LIMITS)/$(1)/core/lk_blocklist.o: $(BUILD)/made/lk_blocklist_data.h
$(BUILD)/bench/flash_$(1): $(patsubst %.c,$(LIMITS)/$(1)/%.o,$(LIMITS_SRC)) $(LIBRARY)
	@mkdir -p $$(@D)
	$$(say) LD $$@
	$$(Q)$$(LINK) $$(filter %.o %.a,$$^) $$(TEST_LIBS) -lcmocka -o $$@
endef
$(foreach board,$(BENCH_BOARDS),$(eval $(call limits-bench,$(board))))

ifdef BOARD_HOSTED
bench-flash: $(addprefix $(BUILD)/bench/flash_,$(BENCH_BOARDS)) ## what operations cost on both boards: flash that is read, programmed, erased; instructions; build/bench/flash.json
	@mkdir -p build/bench
	@$(foreach board,$(BENCH_BOARDS),$(BUILD)/bench/flash_$(board) $(board) $(BENCH_PART_$(board)) \
		>build/bench/flash_$(board).jsonl && $(MAKE) BOARD=$(board) VARIANT= board-cost &&) :
	@$(PYTHON) -B tests/bench/flash.py build/bench $(BENCH_BOARDS)
.PHONY: bench-flash
endif

# Of the program alone, on a store in RAM: the same on every machine with the same compiler.
$(BUILD)/bench/bench_instructions: $(BUILD)/obj/tests/bench/bench_instructions.o $(call helpers,core) $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(TEST_LIBS) -lcmocka -o $@

ifdef BOARD_HOSTED
instructions: $(BUILD)/bench/bench_instructions ## instructions of fixed work, against a baseline with a budget of 3 %; BASELINE=write makes a new one
	@$(PYTHON) -B tests/bench/instructions.py $< tests/bench/instructions.txt $(if $(BASELINE),--$(BASELINE))
endif

# ---- The same tests under other eyes -------------------------------------------------------------

asan: ## build and test under AddressSanitizer and UndefinedBehaviorSanitizer
	@LATCHKEY_EVERY=$(EVERY) $(MAKE) VARIANT=asan test TEST_TIMEOUT=900

ubsan: ## build and test under UndefinedBehaviorSanitizer alone, optimised
	@$(MAKE) VARIANT=ubsan test TEST_TIMEOUT=900

# What fails call after call, or damages bit after bit, tries one in so many where each is slow.
asan: EVERY ?= 3
EVERY ?= 7

# Programs that valgrind would only slow down are listed with the reason.
VALGRIND_SKIP := $(shell sed 's/[ \t]*\#.*//' tests/house/valgrind_skip.txt)
VALGRIND      := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite

valgrind: ## the test programs under valgrind, but those in tests/house/valgrind_skip.txt; one in EVERY=7 failures
	@LATCHKEY_EVERY=$(EVERY) $(MAKE) test RUNNER='$(VALGRIND)' RESULTS=$(BUILD)/valgrind TEST_TIMEOUT=1800 \
		RERUN='make valgrind TEST=' \
		WANTED='$(filter-out $(VALGRIND_SKIP),$(filter $(subst *,%,$(TEST)),$(CASES)))'

COV_MIN ?= 90
# What reaches no line that the others do not, and is slow.
COV_SKIP := core/test_s_attack flash/% power/test_power power/test_power_harness \
	storage/test_lmdb_crash

ifeq ($(VARIANT),cov)
cov: cov-reset
	@LATCHKEY_EVERY=$(EVERY) $(MAKE) test TEST_TIMEOUT=900 WANTED='$(filter-out $(COV_SKIP),$(CASES))'
	@gcovr --root . --object-directory $(BUILD)/obj --filter core/ --filter storage/ \
		--exclude-throw-branches --json-summary $(BUILD)/coverage.json \
		--html-details $(BUILD)/coverage/index.html $(BUILD)/obj
	@$(PYTHON) -B tests/house/coverage.py $(BUILD)/coverage.json $(COV_MIN)
	@echo 'Line by line: $(BUILD)/coverage/index.html'
cov-reset:
	@mkdir -p $(BUILD)/obj $(BUILD)/coverage
	@find $(BUILD)/obj -name '*.gcda' -delete
else
cov: ## lines and branches of core/ and storage/ that the tests reach; fails under COV_MIN % of lines
	@$(MAKE) VARIANT=cov cov
endif

# ---- Sizes ---------------------------------------------------------------------------------------

# What tools look at images with is not linked on boards.
FLASH_SIZE := $(filter-out storage/flash/nor_look.c,$(call sources,storage/flash))
ifdef BOARD_RUNNER
size:
	@echo '$(BOARD) only runs tests: its size is nobody'\''s concern'
# Firmware is optimised for size anyway.
else ifeq ($(if $(BOARD_HOSTED),$(VARIANT),size),size)
size: size-parts
	@sh tests/house/flash_size.sh $(BUILD)/flash tests/house/flash_size.txt $(FLASH_SIZE)
size-parts: $(LIBRARY_OBJ) $(FRONT_OBJ)
	@printf '%-10s %8s %8s %8s   %s\n' part text data bss '($(BOARD), $(CC) $(CFLAGS))'
	@for part in core storage port cli; do \
		set -- $$(printf '%s\n' $^ | grep "^$(BUILD)/obj/$$part/"); \
		[ $$# -eq 0 ] || $(SIZE) -t "$$@" | awk -v part=$$part \
			'END { printf "%-10s %8d %8d %8d\n", part, $$1, $$2, $$3 }'; \
	done
else
size: ## bytes of text, data and bss of each part, optimised for size; firmware and flash log beside their budgets
	@$(MAKE) VARIANT=size size
endif

ifeq ($(VARIANT),stack)
stack: $(call objects,$(CORE_SRC))
	@$(PYTHON) -B tests/house/stack.py --calls tests/house/stack_calls.txt \
		--header core/latchkey.h $(patsubst %.o,%.ci,$^)
else
stack: ## the deepest stack of each public call, by the compiler's call graph
	@$(MAKE) VARIANT=stack CC=$(or $(BOARD_CC),gcc) stack
endif

# ---- The house's rules ---------------------------------------------------------------------------

# What an application, and the command line, may include.
PUBLIC_HEADERS := $(addprefix core/,latchkey.h lk_base.h lk_kind.h lk_limits.h lk_text.h lk_cbor.h) \
	$(BOARD_FOLDER)/lk_board_limits.h storage/lk_storage.h port/lk_port.h
BACKEND_HEADERS := $(filter-out $(PUBLIC_HEADERS),$(wildcard $(BOARD_FOLDER)/lk_*.h)) $(wildcard \
	$(foreach d,$(STORAGE_DIRS) $(PORT_DIRS),$(d)/lk_$(notdir $(d)).h) port/fake/lk_fake_flash.h \
	storage/flash/lk_nor.h storage/flash/lk_nor_look.h port/posix/lk_posix_flash.h)

deps-check: $(call objects,$(CORE_SRC)) $(FRUGAL_OBJ) ## what includes what, what the core's objects need, and the rules of the tree
	@$(PYTHON) -B tests/house/check_includes.py $(addprefix --public=,$(notdir $(PUBLIC_HEADERS))) \
		$(addprefix --host-public=,$(notdir $(wildcard $(BOARD_FOLDER)/lk_$(notdir $(BOARD_FOLDER)).h)))
	@$(PYTHON) -B tests/house/check_symbols.py --core $(call objects,$(CORE_SRC)) --frugal $(FRUGAL_OBJ)
	@$(PYTHON) -B tests/house/check_tree.py

C_FILES  := $(shell find core port storage cli tests boards -name '*.[ch]' 2>/dev/null | sort)
SH_FILES := $(sort $(wildcard .ci/run boards/*/*.sh port/*/*.sh tests/*.sh tests/*/*.sh))

format: ## rewrite every C file as .clang-format says
	$(Q)$(CLANG_FORMAT) -i $(C_FILES)

format-check: ## fail where a C file is not as .clang-format says
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(C_FILES)

# A file is looked at again when it, any header or the checks change.
LINT_SRC := $(CORE_SRC) $(STORAGE_SRC) $(PORT_SRC) $(FRONT_SRC) $(call sources,$(BOARD_FOLDER) port/template) \
	$(TEST_SRC) $(FUZZ_SRC) $(call sources,tests/house boards) \
	$(filter-out $(patsubst %,tests/bench/bench_%.c,$(filter-out $(SERVICES),redis slapd)),$(BENCH_SRC)) \
	$(filter-out %/host.c,$(call sources,tests/board/semihost))
LINT_FLAGS = $(OWN_CPPFLAGS) $(addprefix -I,$(wildcard tests/*/)) -Itests -std=c11
$(BUILD)/lint/core/lk_blocklist.c.ok: $(BUILD)/made/lk_blocklist_data.h
$(BUILD)/lint/%.c.ok: %.c .clang-tidy tests/.clang-tidy $(filter %.h,$(C_FILES))
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)$(CLANG_TIDY) --quiet --warnings-as-errors='*' $< -- $(LINT_FLAGS) 2>$@.err || \
		{ cat $@.err; exit 1; }
	@touch $@

lint: $(patsubst %,$(BUILD)/lint/%.ok,$(LINT_SRC)) ## clang-tidy, cppcheck and shellcheck
	$(say) CPPCHECK .
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppress=missingIncludeSystem --suppressions-list=tests/house/cppcheck.txt \
		--cppcheck-build-dir=$(BUILD)/lint $(OWN_CPPFLAGS) $(filter-out tests/%,$(LINT_SRC))
	$(say) SHELLCHECK .
	$(Q)shellcheck $(SH_FILES)

# ---- Installing ----------------------------------------------------------------------------------

ifdef BOARD_HOSTED
BINDIR     ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include/latchkey
PCDIR      ?= $(LIBDIR)/pkgconfig
MANDIR     ?= $(PREFIX)/share/man/man1
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions

$(BUILD)/latchkey.1: $(PROGRAM)
	$(Q)$(PROGRAM) help --man >$@

$(BUILD)/latchkey.bash: $(PROGRAM)
	$(Q)$(PROGRAM) help --completion bash >$@

install: all $(BUILD)/latchkey.1 $(BUILD)/latchkey.bash ## the program, libraries, headers, manual page and completion, under PREFIX (/usr/local) in DESTDIR
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR) $(INCLUDEDIR) $(PCDIR) $(MANDIR) $(COMPDIR))
	install -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/latchkey
	install -m 644 $(LIBRARY) $(DESTDIR)$(LIBDIR)/liblatchkey.a
	install -m 755 $(BUILD)/liblatchkey.so.$(VERSION) $(DESTDIR)$(LIBDIR)/
	ln -sf liblatchkey.so.$(VERSION) $(DESTDIR)$(LIBDIR)/liblatchkey.so.$(SOVERSION)
	ln -sf liblatchkey.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/liblatchkey.so
	install -m 644 $(PUBLIC_HEADERS) $(BACKEND_HEADERS) $(DESTDIR)$(INCLUDEDIR)/
	install -m 644 $(BUILD)/latchkey.pc $(DESTDIR)$(PCDIR)/latchkey.pc
	install -m 644 $(BUILD)/latchkey.1 $(DESTDIR)$(MANDIR)/latchkey.1
	install -m 644 $(BUILD)/latchkey.bash $(DESTDIR)$(COMPDIR)/latchkey

uninstall: ## take away what `install` put there
	rm -f $(addprefix $(DESTDIR),$(BINDIR)/latchkey $(PCDIR)/latchkey.pc $(MANDIR)/latchkey.1 $(COMPDIR)/latchkey)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/liblatchkey.,a so so.$(SOVERSION) so.$(VERSION))
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,$(notdir $(PUBLIC_HEADERS) $(BACKEND_HEADERS)))
	-rmdir $(DESTDIR)$(INCLUDEDIR)
endif

-include boards/$(BOARD)/rules.mk

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.* ## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 16
	@echo 'Variables: BOARD CC CFLAGS LDFLAGS BLOCKLIST PREFIX DESTDIR; V=1 shows commands, WERROR=1 stops at warnings.'
	@echo 'Boards: $(patsubst boards/%/board.mk,%,$(wildcard boards/*/board.mk))'

.PHONY: all test run-tests power bench bench-services fuzz asan ubsan valgrind cov cov-reset size size-parts stack \
	instructions deps-check format \
	format-check lint install uninstall clean help FORCE
FORCE:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
