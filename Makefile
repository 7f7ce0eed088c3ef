# brood: `make` builds build/brood, `make run` shows it, `make test` tests it. Read from top to bottom.
#
# Everything that is made goes to $(O), so that builds with other compilers and sanitizers lie side by side:
#     make O=build/clang CC=clang

O  ?= build
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
AR ?= ar

# --- how things are compiled ------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
COMMON := -std=c17 -O2 -g -I. $(WARNINGS) -fstack-protector-strong -fno-strict-overflow \
	-fno-strict-aliasing -fno-common -fno-omit-frame-pointer
HARDENED := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
ifneq (,$(findstring clang,$(CC)))
COMPILER := -ftrivial-auto-var-init=zero -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
else
COMPILER := -ftrivial-auto-var-init=zero
endif
ifeq ($(shell $(CC) -dumpmachine | cut -d- -f1),x86_64)
ARCHITECTURE := -fstack-clash-protection -fcf-protection
else
ARCHITECTURE :=
endif
WERROR :=  # -Werror in CI
CFLAGS := $(COMMON) $(HARDENED) $(COMPILER) $(ARCHITECTURE) $(WERROR) $(SANITIZE)

# The core knows nothing of the system: only init/, wrap/ and the tests see more than C17.
GNU := -D_GNU_SOURCE
LDFLAGS := -static -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections

# --- what is compiled -------------------------------------------------------------------------------------------------

SUPERVISOR := signals words config backoff timers worker_table worker group lifecycle lineage describe exit_status supervisor
INIT := main options loop children descendants spawn environment readiness sandbox perform log outcome
UNIT := words signals config backoff timers worker lineage describe core log options descendants

supervisor_objects := $(SUPERVISOR:%=$(O)/supervisor/%.o)
init_objects := $(INIT:%=$(O)/init/%.o)
library := $(O)/libsupervisor.a

.PHONY: all
all: $(O)/brood

$(O)/brood: $(init_objects) $(library)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(init_objects) $(library) -linih -lcap

$(library): $(supervisor_objects)
	rm -f $@
	$(AR) rcsD $@ $^

$(O)/supervisor/%.o: supervisor/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/init/%.o: init/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(GNU) -MMD -MP -c -o $@ $<

$(O)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(GNU) -MMD -MP -c -o $@ $<

# --- unit tests -------------------------------------------------------------------------------------------------------

$(O)/unit/%: $(O)/tests/unit/test_%.o $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(library) -linih -lcap -lcmocka

$(O)/unit/log: $(O)/init/log.o
$(O)/unit/options: $(O)/init/options.o
$(O)/unit/descendants: $(O)/init/descendants.o

-include $(shell find $(O) -name '*.d' 2>/dev/null)
