# brood: `make` builds build/brood, `make run` shows it, `make test` tests it. Read from top to bottom.
#
# Everything that is made goes to $(O), so that builds with other compilers and sanitizers lie side by side:
#     make O=build/clang CC=clang
# or for another machine, with Debian's cross compiler and its libraries (`make arm64` does this, and tests it):
#     make O=build/arm64 CROSS=aarch64-linux-gnu-

O  ?= build
CROSS ?=
CC := $(if $(filter default,$(origin CC)),$(CROSS)gcc,$(CC))
AR := $(if $(filter default,$(origin AR)),$(CROSS)ar,$(AR))

# --- how things are compiled ------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
COMMON := -std=c17 -O2 -g -I. -ffile-prefix-map=$(CURDIR)=. $(WARNINGS) -fstack-protector-strong -fno-strict-overflow \
	-fno-strict-aliasing -fno-common -fno-omit-frame-pointer
HARDENED := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
ifneq (,$(findstring clang,$(CC)))
COMPILER := -ftrivial-auto-var-init=zero -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
else
COMPILER := -ftrivial-auto-var-init=zero
endif
MACHINE := $(shell $(CC) -dumpmachine)
ifneq (,$(findstring x86_64,$(MACHINE)))
ARCHITECTURE := -fstack-clash-protection -fcf-protection
else ifneq (,$(findstring aarch64,$(MACHINE)))
# The outlined atomics of libgcc ask a function of glibc's which instructions there are.
ARCHITECTURE := -mbranch-protection=standard -mno-outline-atomics
else
ARCHITECTURE :=
endif
WERROR :=  # -Werror in CI
CFLAGS := $(COMMON) $(HARDENED) $(COMPILER) $(ARCHITECTURE) $(WERROR) $(SANITIZE)

# The core knows nothing of the system: only init/, wrap/ and the tests see more than C17.
GNU := -D_GNU_SOURCE
LDFLAGS := -static -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections

# What is shipped is linked with musl: a program that was linked with glibc takes longer to start than brood and all
# that it does, and brood starts where a container starts (docs/speed.md). LIBC=glibc needs no sources of libraries, and
# is what is done where these can't be had. Other compilers than gcc, sanitizers and coverage know glibc alone, and so
# do the tests' own programs.
LIBS ?= build/libs$(CROSS:%-=-%)
LIBC ?= $(if $(SANITIZE)$(findstring clang,$(CC))$(wildcard $(LIBS)/unavailable),glibc,musl)
MUSL_CC ?= $(if $(CROSS),$(CC) -specs=/usr/lib/$(MACHINE:%-gnu=%-musl)/musl-gcc.specs,musl-gcc)
GET_LIBS = CC='$(CC)' AR='$(AR)' MUSL_CC='$(MUSL_CC)' tests/libs.sh $(LIBS)
MUSL_HEADERS = -I$(LIBS)/include -idirafter /usr/include -idirafter /usr/include/$(MACHINE) \
	-idirafter /usr/$(MACHINE)/include
# musl's macros for control messages convert signs; what brood's own code converts the glibc build tells.
MUSL_CFLAGS = $(COMMON) -Wno-sign-conversion $(COMPILER) $(ARCHITECTURE) $(WERROR) $(MUSL_HEADERS)

# --- what is compiled -------------------------------------------------------------------------------------------------

SUPERVISOR := supervisor lifecycle group above worker worker_table worker_facts probe backoff timers exit_status \
	descriptors lineage describe describe_trace signals words \
	config config_check config_endpoints config_faults config_json config_keys config_listen config_memory \
	config_names config_reader config_take config_values config_wraps
INIT := main options personality personality_texts load whole inherited cpus run outer sandbox outcome \
	loop perform children children_reap children_tell zombie pids descendants spawn terminal \
	readiness notify probes newer hosts manager \
	environment env_files env_lines wrapping sockets ids accounts privileges privileges_own privileges_plan \
	log output channel stream framing sink writer text unshared
WRAP := wrap check shims set programs interpreter block template shimdir prebuilt strict strict_files strict_undo \
	strict_why journal environ pool context image paths redirect repair
SHIM := shim call context image node_args paths redirect repair
PRELOAD := preload preload_bind preload_exec preload_memory preload_real preload_search preload_spawn \
	context image paths redirect repair

# broodctl: the client, and what of brood it is made of.
BROODCTL := broodctl whole
IMPORT := import import_reader import_expand import_command import_units import_worker import_rest import_write
CONFIG := $(filter config%,$(SUPERVISOR)) words signals

# Unit tests of supervisor/, init/ and wrap/, in this order.
UNIT := backoff config config_keys config_memory config_text config_whole core describe descriptors import lineage \
	signals timers words worker \
	accounts channel cpus descendants env_lines environment framing hosts log notify options personality privileges \
	sandbox sink sockets stream terminal \
	block call context environ image node_args prebuilt programs redirect repair set shimdir strict strict_repair \
	wrap_memory

supervisor_objects := $(patsubst %,$(O)/supervisor/%.o,$(SUPERVISOR) $(IMPORT))
init_objects := $(INIT:%=$(O)/init/%.o)
wrap_objects := $(WRAP:%=$(O)/wrap/%.o) $(O)/wrap/embedded.o
library := $(O)/libsupervisor.a

.PHONY: all
all: $(O)/brood $(O)/broodctl

ifeq ($(LIBC),musl)
musl_objects := $(INIT:%=$(O)/musl/init/%.o) $(WRAP:%=$(O)/musl/wrap/%.o) $(SUPERVISOR:%=$(O)/musl/supervisor/%.o)

$(O)/brood: $(musl_objects) $(O)/wrap/embedded.o
	$(MUSL_CC) $(MUSL_CFLAGS) $(LDFLAGS) -o $@ $^ -L$(LIBS)/lib -linih -lcap

$(O)/broodctl: $(BROODCTL:%=$(O)/musl/init/%.o) $(patsubst %,$(O)/musl/supervisor/%.o,$(IMPORT) $(CONFIG))
	$(MUSL_CC) $(MUSL_CFLAGS) $(LDFLAGS) -o $@ $^ -L$(LIBS)/lib -linih

$(LIBS)/done: tests/libs.sh
	@$(GET_LIBS) || { echo 'Call make again: then it does without them.' >&2; exit 1; }

$(O)/musl/supervisor/%.o: supervisor/%.c | $(LIBS)/done
	@mkdir -p $(@D)
	$(MUSL_CC) $(MUSL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/musl/init/%.o: init/%.c | $(LIBS)/done
	@mkdir -p $(@D)
	$(MUSL_CC) $(MUSL_CFLAGS) $(GNU) -MMD -MP -c -o $@ $<

$(O)/musl/wrap/%.o: wrap/%.c | $(LIBS)/done
	@mkdir -p $(@D)
	$(MUSL_CC) $(MUSL_CFLAGS) $(GNU) -MMD -MP -c -o $@ $<
else
$(O)/brood: $(init_objects) $(wrap_objects) $(library)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(init_objects) $(wrap_objects) $(library) -linih -lcap

$(O)/broodctl: $(BROODCTL:%=$(O)/init/%.o) $(library)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih
endif

$(library): $(supervisor_objects)
	rm -f $@
	$(AR) rcsD $@ $^

$(O)/supervisor/%.o: supervisor/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/init/%.o: init/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(GNU) -MMD -MP -c -o $@ $<

$(O)/wrap/%.o: wrap/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(GNU) -MMD -MP -c -o $@ $<

# The shim and the preload library: no C library, hence nothing in them that calls one (stack protector, fortify,
# sanitizers, a memset() that the compiler makes up). The context is a segment of its own, at the highest address, so
# that brood can put one of any length there (wrap/template.c); one segment for code and constants keeps the shim to few
# pages.
FREESTANDING := -std=c17 -I. $(WARNINGS) $(WERROR) -ffreestanding -fno-builtin -fno-stack-protector \
	-fno-strict-overflow -fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables -ffunction-sections \
	-fdata-sections $(GNU) $(filter -mno-outline-atomics,$(ARCHITECTURE))
ifeq (,$(findstring clang,$(CC)))
FREESTANDING += -fno-tree-loop-distribute-patterns
endif
SHIM_LDFLAGS := -nostdlib -static -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,norelro,-z,noseparate-code \
	-Wl,--section-start=.brood_context=0x800000 -s
PRELOAD_LDFLAGS := -nostdlib -shared -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,relro,-z,now \
	-Wl,-z,noseparate-code,--hash-style=gnu -Wl,--section-start=.brood_context=0x100000 -s

$(O)/wrap/shim/%.o: wrap/%.c
	@mkdir -p $(@D)
	$(CC) $(FREESTANDING) -Os -fno-pic -MMD -MP -c -o $@ $<

$(O)/wrap/preload/%.o: wrap/%.c
	@mkdir -p $(@D)
	$(CC) $(FREESTANDING) -Os -fPIC -fvisibility=hidden -fasynchronous-unwind-tables -fno-plt $(ARCHITECTURE) \
	    -MMD -MP -c -o $@ $<

$(O)/wrap/shim.elf: $(SHIM:%=$(O)/wrap/shim/%.o)
	$(CC) $(SHIM_LDFLAGS) -o $@ $^

$(O)/wrap/preload.so: $(PRELOAD:%=$(O)/wrap/preload/%.o)
	$(CC) $(PRELOAD_LDFLAGS) -o $@ $^

$(O)/wrap/embedded.o: wrap/embedded.S $(O)/wrap/shim.elf $(O)/wrap/preload.so wrap/node/adapter.cjs \
	wrap/node/preload.cjs
	$(CC) -I. -DSHIM='"$(O)/wrap/shim.elf"' -DLIBRARY='"$(O)/wrap/preload.so"' -c -o $@ wrap/embedded.S

$(O)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(GNU) -MMD -MP -c -o $@ $<

# --- unit tests -------------------------------------------------------------------------------------------------------

$(O)/unit/%: $(O)/tests/unit/test_%.o $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(library) -linih -lcap -lcmocka

logging := $(patsubst %,$(O)/init/%.o,log sink text writer)
$(O)/unit/log: $(logging)
$(O)/unit/framing: $(O)/init/framing.o $(O)/init/text.o
$(O)/unit/sink: $(O)/init/sink.o $(O)/init/writer.o
$(O)/unit/channel: $(O)/init/channel.o $(O)/init/unshared.o $(logging)
$(O)/unit/stream: $(O)/init/stream.o
$(O)/unit/options: $(O)/init/options.o
$(O)/unit/personality: $(patsubst %,$(O)/init/%.o,personality personality_texts options)
$(O)/unit/descendants: $(O)/init/descendants.o
$(O)/unit/cpus: $(O)/init/cpus.o
$(O)/unit/notify: $(O)/init/notify.o
$(O)/unit/hosts: $(O)/init/hosts.o $(O)/init/whole.o
$(O)/unit/sockets: $(patsubst %,$(O)/init/%.o,sockets ids hosts whole) $(logging)
$(O)/unit/accounts $(O)/unit/privileges: $(patsubst %,$(O)/init/%.o,ids accounts privileges privileges_own privileges_plan) \
	$(logging)
$(O)/unit/terminal: $(O)/init/terminal.o $(O)/init/inherited.o
$(O)/unit/sandbox: $(O)/init/sandbox.o
$(O)/unit/environ: $(O)/wrap/environ.o $(O)/wrap/paths.o
$(O)/unit/environment: $(O)/init/environment.o $(O)/wrap/environ.o $(O)/wrap/paths.o
$(O)/unit/env_lines: $(O)/init/env_lines.o $(O)/wrap/environ.o $(O)/wrap/paths.o
$(O)/unit/node_args: $(O)/wrap/node_args.o
strict_objects := $(patsubst %,$(O)/wrap/%.o,strict strict_files strict_undo strict_why journal)
$(O)/unit/context: $(O)/wrap/context.o
$(O)/unit/repair: $(O)/wrap/repair.o $(O)/wrap/paths.o
$(O)/unit/image: $(O)/wrap/image.o
$(O)/unit/redirect: $(patsubst %,$(O)/wrap/%.o,redirect image paths context)
$(O)/unit/call: $(O)/wrap/call.o
$(O)/unit/block: $(patsubst %,$(O)/wrap/%.o,block pool context template image embedded)
$(O)/unit/programs $(O)/unit/set $(O)/unit/prebuilt: $(wrap_objects)
$(O)/unit/shimdir: $(O)/wrap/shimdir.o
$(O)/unit/wrap_memory: $(filter-out %/wrap.o %/set.o %/pool.o %/prebuilt.o,$(wrap_objects))
$(O)/unit/strict: $(strict_objects)
$(O)/unit/strict_repair: $(strict_objects)

# --- tests: what is compiled ------------------------------------------------------------------------------------------

SIM := sim examine cells run lives kernel scenario checker check_actions check_descriptors check_extras check_rest \
	check_status check_verdict
GOLDEN := golden story facts
FUZZ := import framing config words env_file node_args journal script context notify
SEEDS ?= 20000
WITHOUT ?=
FUZZ_SECONDS ?= 30
FUZZ_MIN ?= $(shell expr $(FUZZ_SECONDS) '*' 100000 / 60)
TESTS ?=

unit_programs := $(patsubst %,$(O)/unit/%,$(filter-out $(WITHOUT),$(UNIT)))
replay_programs := $(FUZZ:%=$(O)/replay/%)

$(O)/sim/sim: $(SIM:%=$(O)/tests/sim/%.o) $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -linih

$(O)/golden/golden: $(GOLDEN:%=$(O)/tests/golden/%.o) $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -linih

$(O)/replay/%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/replay.o $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -linih

$(O)/fuzzer/%: $(O)/tests/fuzz/fuzz_%.o $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ -linih

$(O)/replay/env_file $(O)/fuzzer/env_file: $(O)/init/env_lines.o $(O)/wrap/environ.o $(O)/wrap/paths.o
$(O)/replay/framing $(O)/fuzzer/framing: $(O)/init/framing.o $(O)/init/text.o
$(O)/replay/node_args $(O)/fuzzer/node_args: $(O)/wrap/node_args.o
$(O)/replay/notify $(O)/fuzzer/notify: $(O)/init/notify.o
$(O)/replay/script $(O)/fuzzer/script: $(O)/wrap/image.o
$(O)/replay/context $(O)/fuzzer/context: $(O)/wrap/context.o
$(O)/replay/journal $(O)/fuzzer/journal: $(O)/wrap/journal.o $(O)/wrap/strict_files.o

$(O)/diagram: $(O)/tests/diagram.o $(library)
	$(CC) $(CFLAGS) -o $@ $^

.PRECIOUS: $(O)/tests/%.o
.PHONY: programs
programs: all $(unit_programs) $(replay_programs) $(O)/sim/sim $(O)/golden/golden $(O)/diagram

# --- what people call -------------------------------------------------------------------------------------------------

MAKE_QUIETLY := $(MAKE) --no-print-directory
JOBS := $(shell nproc)

.PHONY: deps run install test checks unit golden replay sim docs node system containers test-containers arm64 asan fuzz \
	mutants bench cover tidy format diagram clean

deps:
	@tests/deps.sh test

# The sandbox needs user namespaces, which some hosts and most containers refuse.
run:
	@tests/deps.sh run
	@$(GET_LIBS) || true
	@$(MAKE_QUIETLY) -s -j$(JOBS) all
	@if $(O)/brood --sandbox -- /bin/true; then mode=--sandbox; else \
	    mode=--subreaper; echo 'No sandbox here: brood runs as a subreaper instead.'; fi; \
	echo "$(O)/brood $$mode -c examples/hello.ini"; $(O)/brood $$mode -c examples/hello.ini

# DESTDIR= for packages. Images need none of this: they take build/brood alone.
PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
install: all
	install -D -t $(DESTDIR)$(PREFIX)/bin $(O)/brood $(O)/broodctl
	@for page in docs/*.[1-8]; do install -D -m 644 -t $(SHARE)/man/man$${page##*.} $$page || exit 1; done
	install -D -m 644 docs/broodctl.bash $(SHARE)/bash-completion/completions/broodctl

test:
	@tests/deps.sh test
	@$(GET_LIBS) || true
	@$(MAKE_QUIETLY) -s -j$(JOBS) programs
	@$(MAKE_QUIETLY) checks docs node system
	@echo 'make test: all passed'

# What needs no other process: seconds.
checks: unit replay golden sim

unit: $(unit_programs)
	@failed=0; for program in $(unit_programs); do $$program >$(O)/unit.log 2>&1 || \
	    { cat $(O)/unit.log; echo "$$program failed"; failed=1; }; done; [ $$failed = 0 ]
	@echo 'unit: $(words $(unit_programs)) programs passed'

replay: $(replay_programs)
	@for name in $(FUZZ); do $(O)/replay/$$name tests/fuzz/corpus/$$name || exit 1; done

golden: $(O)/golden/golden
	@$(O)/golden/golden tests/golden/*.story

sim: $(O)/sim/sim
	@$(O)/sim/sim --seeds $(SEEDS) --cells --unreached tests/sim/UNREACHED

docs: all $(O)/diagram
	@tests/docs.sh $(O)

# What an example needs of npm's registry, pinned by its lock file: installed once, beside what is built.
$(O)/examples/%/installed: examples/%/package.json examples/%/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D) && cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund && touch installed

# The adapter under each pinned version of Node, which lie beside what is built; another build directory shares them.
NODES ?= build
node:
	@CC='$(CC)' tests/node/run.sh $(NODES)

system: all $(O)/examples/wrap-coverage/installed
	@tests/system/run.py --brood $(O)/brood $(TESTS:%=-k %)

# Real containers of Docker and podman; root alone can do this. The first run makes two base images, about a minute.
test-containers: containers
containers:
	@tests/deps.sh containers
	@$(GET_LIBS) || true
	@$(MAKE_QUIETLY) -s -j$(JOBS) all
	@tests/containers/run.py --brood $(O)/brood $(TESTS:%=-k %)

# brood of arm64, under an emulator. It stands for the kernel in what one process asks for, not in namespaces,
# subreapers and writing without blocking, which the five programs left out are about.
ARM64 := O=$(O)/arm64 CROSS=aarch64-linux-gnu-
arm64:
	@tests/deps.sh arm64
	@$(MAKE_QUIETLY) -s -j$(JOBS) $(ARM64) programs
	@SLOWER=20 tests/emulated.py $(MAKE_QUIETLY) $(ARM64) SEEDS=500 \
	    WITHOUT='descendants sandbox strict strict_repair log' unit replay golden && \
	    tests/emulated.py $(O)/arm64/sim/sim --seeds 500
	@tests/emulated.py tests/arm64.sh $(O)/arm64 aarch64-linux-gnu-gcc

# A dynamic brood: a static one can't have the address sanitizer. Fewer seeds, each costs several times as much. The
# sanitizer itself does without neither /proc nor its first mmap() nor a descriptor: five tests take these away. And one
# reads all of brood's memory, which is terabytes of the sanitizer's then.
ASAN := O=$(O)/asan LDFLAGS= SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'
asan:
	@$(MAKE_QUIETLY) -s -j$(JOBS) $(ASAN) programs
	@$(MAKE_QUIETLY) $(ASAN) SEEDS=2000 unit replay golden
	@$(O)/asan/sim/sim --seeds 2000
	@$(MAKE_QUIETLY) -s $(O)/examples/wrap-coverage/installed
	@tests/system/run.py --brood $(O)/asan/brood --slower 4 -x without_proc_as -x any_call_may_be_refused \
	    -x wrap_faults_of_brood -x remap_leaves_broods_own -x identity_without_proc -x buffers_of_env_file_are_wiped \
	    $(TESTS:%=-k %)

# Without trace-cmp: it costs more than it finds, since the sanitizer's strcmp() and the like tell of words all the
# same. With -fstrict-overflow, which comes last: -fwrapv's arithmetic has no overflow that could be found.
FUZZ_SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fstrict-overflow \
	-fno-sanitize-coverage=trace-cmp -fsanitize-coverage-ignorelist=tests/fuzz/uncovered -DFUZZING
fuzz:
	@$(MAKE_QUIETLY) -s -j$(JOBS) O=$(O)/fuzz CC=clang SANITIZE='$(FUZZ_SANITIZE)' $(FUZZ:%=$(O)/fuzz/fuzzer/%)
	@printf '%s\n' $(FUZZ) | xargs -n 1 -P $(JOBS) tests/fuzz/run.sh $(O)/fuzz $(FUZZ_SECONDS) $(FUZZ_MIN)
	@echo 'fuzz: $(words $(FUZZ)) targets, at least $(FUZZ_MIN) executions each, no fault'

mutants:
	@tests/mutants/run.sh

$(O)/bench/core: $(O)/tests/bench/core.o $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -linih

# Ratios within one run; no test, its status says nothing of them. The peers are Debian's.
bench:
	@tests/deps.sh bench
	@$(GET_LIBS) || true
	@$(MAKE_QUIETLY) -s -j$(JOBS) all $(O)/bench/core
	@$(O)/bench/core 3
	@CC='$(CC)' tests/bench/run.sh $(O)
	@tests/bench/output.sh $(O)

# Lines and branches of supervisor/ that unit, golden and simulation reach. An assert's failing half is no branch to
# take.
cover:
	@$(MAKE_QUIETLY) -s -j$(JOBS) O=$(O)/cover LDFLAGS= SANITIZE=--coverage unit replay golden sim SEEDS=20000
	@gcov -b -n $(patsubst %,$(O)/cover/supervisor/%.o,$(SUPERVISOR) $(IMPORT)) 2>/dev/null | \
	    sed -n -e "/^File 'supervisor/{s/^File '\(.*\)'/\1/;N;s/\nLines executed:/ lines /;N;N" \
	        -e 's/\nBranches.*\nTaken at least once:/, branches /p;}'

# One file at a time: with several clang-tidy 14 takes every va_list for an uninitialised one. A file that had nothing
# to say is asked again only once it, a header or the rules have changed: all of them take a minute.
TIDY := $(patsubst %,$(O)/tidy/supervisor/%,$(SUPERVISOR) $(IMPORT)) \
	$(patsubst %,$(O)/tidy/init/%,$(sort $(INIT) $(BROODCTL))) \
	$(patsubst %,$(O)/tidy/wrap/%,$(sort $(WRAP) $(SHIM) $(PRELOAD)))
tidy: $(library)
	@tests/tidy.sh $(O)
	@$(MAKE_QUIETLY) -s -k -j$(JOBS) $(TIDY)
	@echo 'tidy: nothing to say'

$(O)/tidy/%: %.c $(wildcard supervisor/*.h init/*.h wrap/*.h) .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=c17 -I. $(if $(filter supervisor/%,$<),,$(GNU)) 2>/dev/null
	@touch $@

format:
	find $(wildcard supervisor init wrap tests) -name '*.[ch]' | xargs clang-format -i

diagram: $(O)/diagram
	$(O)/diagram >docs/worker-states.md

clean:
	rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
