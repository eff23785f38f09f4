# make                   builds the C core for LUA under build/$(LUA)/, with the Lua modules in it
# make redis             the library of cekura.redis, which needs hiredis (libhiredis-dev, and libssl-dev for TLS)
# make install           PREFIX=/usr/local LUA=lua5.4, DESTDIR honoured; with that library, if it was built
# make uninstall         with the same variables: removes what make install installed
# make dist              the tarball of a release, build/cekura-VERSION.tar.gz; make size: the size of what is installed
# make demo              a prompt improvement from start to end, against the local simulator
# make simulator         runs that simulator until Ctrl-C, and prints the two lines that direct programs to it
# make test              all checks and specs, on every Lua where they depend on it (make test LUA=lua5.4: on one)
# make test-hosts        the specs in hosts whose packages are large, and those that need Redis
# make test-redis        the latter alone; REDIS_SERVER=valkey-server: on Valkey
# make check-api         every operation and kind of job against the official document, by Stoplight Prism
# make spec              SPEC=spec/job_spec.lua LUA=lua5.4: one file of specs
# make lint              luacheck, clang-format, and the limits on a function's size
# make graph             the dependencies of C units and Lua modules; fails if they form a circle
# make test-debian       SUITE=trixie: demo and test in a chroot of that release of Debian, which is kept for
#                        later runs; SUITE=sid warns of coming changes, and is not a gate
# make deb               Debian's packages, in build/deb; make test-deb SUITE=trixie: builds them in that chroot, and
#                        installs, uses and purges them in a fresh one
# make bench             measures this module beside everything that a user could pick instead, see
#                        spec/bench/README.md; make bench CASE="request tls": some cases
# make bench-schedule    SEEDS=100: the polls that learn, simulated beside the best schedule, see
#                        spec/bench/schedule/README.md
# make soak              MINUTES=10: an nginx under load, with reloads
# make generate          writes what is made from tables of data: parts of docs/kinds.md and docs/options.md, the pages
#                        of docs/api, the annotations for editors in lua/cekura/meta, and the rockspecs
# make man               the manual page cekura-lua(1) in build/cekura-lua.1
# make docs              the reference of all public names in docs/reference, in Markdown, and in docs/reference/html
# make fuzz              FUZZ_SECONDS=600: random bytes for all parsers, see spec/fuzz/README.md
# make chaos             CHAOS_RUNS=100: faults on the wire and their outcomes, see spec/chaos/README.md
# make fleet-proof       FLEET_JOBS=10000: a fleet whose workers, Redis and service fail, see spec/fleet/README.md
# make fleet-measure     FLEET=takeover: figures of fleets, on the same page
# make outbox-proof      OUTBOX_WRITER=50: an outbox whose writers, sender, disk and service fail, see
#                        spec/outbox/README.md; make outbox-measure: how long put() takes
# make cycles            CYCLES=100000: starts jobs and closes clients, and fails if that leaks anything
# make check-memory      every allocation failing once, the specs under sanitizers and under valgrind, see
#                        spec/memory/README.md
# make clean             removes what was built
# make help              this
# A goal installs the Debian packages that it needs: .ci/install has the list.

# Else make would try to link the dependency files that are not there yet.
MAKEFLAGS += --no-builtin-rules

LUA    ?= lua5.4
LUA_GIVEN := $(filter command environment,$(origin LUA))
# Expanded only where it is used, since the list may have to be fetched.
LUAS    = $(if $(LUA_GIVEN),$(LUA),$(shell .ci/install luas))
PREFIX ?= /usr/local
BUILD  ?= build

# The Luas that compile the library into the core, each for itself: LuaJIT can share the core of lua5.1. A Lua that is
# not here loads the Lua files.
PRECOMPILERS ?= $(LUA)

# A Lua of another name needs its header directory; "rock" is what luarocks gives one.
LUA_NAMES := lua5.1 lua5.2 lua5.3 lua5.4 lua5.5 luajit
ifeq ($(filter command environment,$(origin LUA_INCDIR))$(filter $(LUA),$(LUA_NAMES)),)
  $(error LUA=$(LUA) is unknown$(if $(filter lua$(LUA),$(LUA_NAMES)),: type `make LUA=lua$(LUA)`,). \
    The Luas are $(LUA_NAMES); another one needs LUA_INCDIR)
endif

VERSION := $(shell sed -n 's/^return "\(.*\)"$$/\1/p' lua/cekura/version.lua)

LUA_ABI    := $(if $(filter luajit,$(LUA)),5.1,$(patsubst lua%,%,$(LUA)))
LUA_HEADER := $(if $(filter luajit,$(LUA)),luajit-2.1,$(LUA))
LUA_INCDIR ?= $(firstword $(wildcard /usr/local/include/$(LUA_HEADER) /usr/include/$(LUA_HEADER)) /usr/include)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion $(if $(WERROR),-Werror)
CFLAGS   ?= -O2 -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -Isrc -fPIC -fvisibility=hidden $(WARNINGS) $(CFLAGS)
LIBS     := -lcurl -lz -lpthread -ldl -lm

# Only the binding depends on Lua; the rest is compiled once for all Luas.
ENGINE  := $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/engine/*.c src/text/*.c src/file/*.c))
BINDING := $(patsubst src/lua/%.c,$(BUILD)/$(LUA)/binding/%.o,$(wildcard src/lua/*.c))
CORE    := $(BUILD)/$(LUA)/cekura/core.so

.PHONY: all stage install uninstall size rock install-rock dist deb demo docs man simulator generate test test-hosts \
  test-redis check-api test-debian test-deb spec lint graph help bench bench-schedule soak fuzz \
  chaos fleet-proof fleet-measure outbox-proof outbox-measure cycles check-memory clean
all: $(CORE) $(BUILD)/$(LUA)/cekura/simulator.so

# What the compiler must find, checked once before anything is compiled. (A rock has no .ci.)
HEADERS := $(BUILD)/headers $(BUILD)/$(LUA)/headers $(BUILD)/$(LUA)/redis/headers
$(ENGINE): | $(BUILD)/headers
$(BINDING): | $(BUILD)/headers $(BUILD)/$(LUA)/headers
$(BUILD)/headers: WANTED = curl/curl.h zlib.h
$(BUILD)/$(LUA)/headers: WANTED = lua.h
$(HEADERS):
	@[ ! -e .ci/headers ] || .ci/headers $(LUA) "$(CC) -I$(LUA_INCDIR) $(CPPFLAGS)" $(WANTED)
	@mkdir -p $(@D) && touch $@

$(CORE): $(BINDING) $(ENGINE)
	@mkdir -p $(@D)
	$(CC) -shared $(LDFLAGS) -o $@ $^ $(LIBS)

$(ENGINE): $(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/$(LUA)/binding/%.o: src/lua/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# Connections to Redis are a library of their own, which needs hiredis; the core does not.
REDIS := $(BUILD)/$(LUA)/cekura/redis.so
REDIS_OBJECTS := $(patsubst src/%.c,$(BUILD)/$(LUA)/%.o,$(wildcard src/redis/*.c))
# hiredis has TLS since 1.0. Expanded only where it is used.
finds = $(shell $(CC) -I$(LUA_INCDIR) $(CPPFLAGS) $(1:%=-include %) -E -xc /dev/null >/dev/null 2>&1 && echo yes)
REDIS_TLS = $(call finds,hiredis/hiredis_ssl.h openssl/ssl.h)
.PHONY: redis
redis: $(CORE) $(REDIS)
$(BUILD)/$(LUA)/redis/headers: WANTED = hiredis/async.h
$(REDIS_OBJECTS): | $(BUILD)/$(LUA)/redis/headers
$(REDIS): $(REDIS_OBJECTS) $(BUILD)/$(LUA)/binding/object.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -shared $(LDFLAGS) -Wl,-z,nodelete -o $@ $^ \
	  $(if $(REDIS_TLS),-lhiredis_ssl -lssl -lcrypto) -lhiredis -lpthread
$(BUILD)/$(LUA)/redis/%.o: src/redis/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(REDIS_TLS),-DCEKURA_REDIS_TLS) -I$(LUA_INCDIR) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# So is the server of cekura.testing: a program that does not test does not load it.
SIMULATOR := $(BUILD)/$(LUA)/cekura/simulator.so
SIMULATOR_OBJECTS := $(patsubst src/%.c,$(BUILD)/$(LUA)/%.o,$(wildcard src/simulator/*.c))
$(SIMULATOR_OBJECTS): | $(BUILD)/$(LUA)/headers
$(SIMULATOR): $(SIMULATOR_OBJECTS) $(BUILD)/$(LUA)/binding/object.o $(BUILD)/engine/heap.o $(BUILD)/text/buffer.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -shared $(LDFLAGS) -Wl,-z,nodelete -o $@ $^ -lpthread
$(BUILD)/$(LUA)/simulator/%.o: src/simulator/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/$(LUA)/binding/version.o: lua/cekura/version.lua
$(BUILD)/$(LUA)/binding/version.o: ALL_CFLAGS += -DCEKURA_VERSION='"$(VERSION)"'

# All modules but those that lead to the core, and those that only tests load. Their folders are prerequisites, too,
# since a file may be removed.
MODULES := $(shell find lua/cekura ! -path 'lua/cekura/meta*' ! -path 'lua/cekura/simulator*' \
  ! -path 'lua/cekura/testing*' ! -path lua/cekura/init.lua ! -path lua/cekura/version.lua)
$(BUILD)/$(LUA)/binding/library.o: $(BUILD)/$(LUA)/modules.inc
$(BUILD)/$(LUA)/binding/library.o: ALL_CFLAGS += -I$(BUILD)/$(LUA)
$(BUILD)/$(LUA)/modules.inc: tools/precompile.lua $(MODULES)
	@mkdir -p $(@D)
	@for lua in $(PRECOMPILERS); do \
	  $$lua -v >/dev/null 2>&1 || { echo "$$lua cannot be run, so it will load the Lua files of the library." >&2; continue; }; \
	  $$lua $< $(sort $(filter lua/%.lua,$(MODULES))) || exit 1; \
	done >$@.new
	@mv $@.new $@

-include $(ENGINE:.o=.d) $(BINDING:.o=.d) $(REDIS_OBJECTS:.o=.d) $(SIMULATOR_OBJECTS:.o=.d)
# A dependency file of an earlier checkout may name a source that has moved. Nothing makes dependency files but the
# compiler: without the second rule, make would try to build a missing one from a source named FILE.d.c.
src/%.c: ;
%.d: ;

# Unit tests of the engine, without Lua.
UNITS := $(patsubst spec/engine/%.c,$(BUILD)/units/%,$(wildcard spec/engine/*_test.c))
.PHONY: units sanitized-units
units: $(UNITS)
# cmocka 2 deprecates functions for which cmocka 1 has no replacement.
$(BUILD)/units/%: spec/engine/%.c $(ENGINE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-deprecated-declarations $(CPPFLAGS) -o $@ $^ -lcmocka $(LIBS)
SANITIZED := BUILD=$(BUILD)/sanitized CC=gcc CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover"
sanitized-units:
	$(MAKE) units replays $(SANITIZED)

# For specs of forks and states: a Lua module with fork(), and a program with many Lua states.
LIFE := $(BUILD)/$(LUA)/spec/life/posix.so $(BUILD)/$(LUA)/states
.PHONY: life
life: $(LIFE)
$(BUILD)/$(LUA)/spec/life/posix.so: spec/life/posix.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) -shared -o $@ $<
$(BUILD)/$(LUA)/states: spec/life/states.c spec/support/slow_names.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fvisibility=default -I$(LUA_INCDIR) $(CPPFLAGS) -o $@ $^ -Wl,-E \
	  -l$(if $(filter luajit,$(LUA)),luajit-5.1,$(LUA)) -lpthread -ldl
.PHONY: sanitized-states raceless-states
sanitized-states:
	$(MAKE) all life $(SANITIZED)
raceless-states:
	$(MAKE) all life BUILD=$(BUILD)/races CC=clang CFLAGS="-O1 -g -fsanitize=thread"

# A module that interrupts Lua between any two instructions.
INTERRUPT := $(BUILD)/$(LUA)/spec/support/interrupt.so
.PHONY: interrupt
interrupt: $(INTERRUPT)
$(INTERRUPT): spec/support/interrupt.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) -shared -o $@ $<

# Targets of libFuzzer, which requires clang: those in C, and those in Lua, which share a program that selects the
# target by its own name. All code is sanitized. The targets in C are also built with their own main(), for any compiler.
FUZZ_C       := $(filter-out lua,$(patsubst spec/fuzz/%_fuzzer.c,%,$(wildcard spec/fuzz/*_fuzzer.c)))
FUZZ_LUA     := $(patsubst spec/fuzz/targets/%.lua,%,$(wildcard spec/fuzz/targets/*.lua))
FUZZ_TARGETS := $(FUZZ_C) $(FUZZ_LUA)
FUZZ_HEADERS := $(wildcard src/*/*.h spec/fuzz/*.h)
FUZZ_CC      ?= clang
SANITIZE     := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined

.PHONY: fuzzers fuzzer-programs
fuzzers:
	$(MAKE) fuzzer-programs BUILD=$(BUILD)/fuzz LUA=lua5.4 CC=$(FUZZ_CC) CFLAGS="$(SANITIZE) -fsanitize=fuzzer-no-link"
fuzzer-programs: $(FUZZ_TARGETS:%=$(BUILD)/%_fuzzer)
$(FUZZ_C:%=$(BUILD)/%_fuzzer): $(BUILD)/%_fuzzer: spec/fuzz/%_fuzzer.c spec/fuzz/grammar.c spec/fuzz/mutate.c \
  $(ENGINE) $(FUZZ_HEADERS)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $(filter %.c %.o,$^) $(LIBS)
$(BUILD)/lua_fuzzer: spec/fuzz/lua_fuzzer.c spec/fuzz/mutate.c $(ENGINE) $(BINDING) $(FUZZ_HEADERS)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) -fsanitize=fuzzer -o $@ $(filter %.c %.o,$^) -l$(LUA) $(LIBS)
$(FUZZ_LUA:%=$(BUILD)/%_fuzzer): $(BUILD)/lua_fuzzer
	ln -f $< $@
$(FUZZ_C:%=$(BUILD)/%_replay): $(BUILD)/%_replay: spec/fuzz/%_fuzzer.c spec/fuzz/grammar.c spec/fuzz/replay.c \
  $(ENGINE) $(FUZZ_HEADERS)
	$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)
.PHONY: replays
replays: $(FUZZ_C:%=$(BUILD)/%_replay)

# The pages for users, and what they link to.
DOCS := README.md CHANGELOG.md SECURITY.md CONTRIBUTING.md LICENSE docs examples

# See tools/setup. The stage contains the files of an installation, laid out as below PREFIX.
STAGE := $(BUILD)/$(LUA)/stage
SETUP  = LUA=$(LUA) LUA_ABI=$(LUA_ABI) CORE=$(CORE) STAGE=$(abspath $(STAGE)) DOCS="$(DOCS)" \
  PREFIX=$(abspath $(PREFIX)) DESTDIR=$(if $(DESTDIR),$(abspath $(DESTDIR))) tools/setup
stage: $(CORE) $(SIMULATOR) $(wildcard $(REDIS))
	@$(SETUP) stage
install: stage
	@$(SETUP) install
uninstall:
	@$(SETUP) uninstall
size: stage
	@$(SETUP) size

# For luarocks, which names the Lua only by its header directory: objects built for another Lua are removed.
rock:
	rm -rf $(BUILD)
	$(MAKE) all $(if $(call finds,hiredis/async.h),redis)

# In a checkout, the files that git tracks, as they are in the work tree; in an unpacked tarball, all files. The same
# files give the same bytes.
DIST  := cekura-$(VERSION)
FILES  = $(if $(wildcard .git),git -c safe.directory='*' ls-files -z,find . -type f ! -path './build/*' \
  ! -path './docs/reference/*' -printf '%P\0')
EPOCH  = $(or $(SOURCE_DATE_EPOCH),$(shell if [ -e .git ]; then git -c safe.directory='*' log -1 --format=%ct; \
  else stat -c %Y Makefile; fi))
dist:
	@mkdir -p $(BUILD)
	@$(FILES) >$(BUILD)/$(DIST).files
	@LC_ALL=C sort -z $(BUILD)/$(DIST).files | tar --create --null --files-from=- --ignore-failed-read --format=gnu \
	  --transform='s,^,$(DIST)/,S' --mtime=@$(EPOCH) --owner=root:0 --group=root:0 --mode=u=rwX,go=rX \
	  | gzip -9 -n >$(BUILD)/$(DIST).tar.gz
	@$(LUA) tools/rockspec.lua release file://$(abspath $(BUILD))/$(DIST).tar.gz >$(BUILD)/$(DIST)-1.rockspec
	@echo $(BUILD)/$(DIST).tar.gz

deb:
	@.ci/install deb
	@$(MAKE) --no-print-directory dist
	@LUA=$(LUA) EPOCH=$(EPOCH) tools/deb $(BUILD)/$(DIST).tar.gz

# Installs the files that LuaRocks does not install itself.
install-rock:
	cd lua && find cekura -name '*.lua' -exec install -D -m 644 {} $(INST_LUADIR)/{} \;
	install -D -m 755 $(CORE) $(INST_LIBDIR)/cekura/core.so
	install -D -m 755 $(SIMULATOR) $(INST_LIBDIR)/cekura/simulator.so
	[ ! -e $(REDIS) ] || install -D -m 755 $(REDIS) $(INST_LIBDIR)/cekura/redis.so
	find $(DOCS) -type f ! -path 'docs/reference/*' -exec install -D -m 644 {} $(INST_DOCDIR)/{} \;

# The environment of a program that uses this build.
HERE = LUA_PATH="lua/?.lua;lua/?/init.lua;./?.lua;;" LUA_CPATH="$(BUILD)/$(LUA)/?.so;;"

demo:
	@LUA=$(LUA) .ci/install demo
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@$(HERE) $(LUA) spec/support/demo.lua

simulator:
	@LUA=$(LUA) .ci/install demo
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@$(HERE) $(LUA) bin/cekura-lua sim

test:
	@.ci/install test
	@spec/run test $(LUAS)

test-redis:
	@REDIS_SERVER=$(REDIS_SERVER) .ci/install redis
	@$(if $(REDIS_SERVER),REDIS_SERVER=$(REDIS_SERVER)) spec/run redis $(LUAS)

test-hosts:
	@.ci/install hosts
	@spec/run hosts $(LUAS)

check-api:
	@.ci/install api
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@spec/env $(LUA) $(LUA) /usr/bin/busted spec/hosts/api_spec.lua

spec:
	@test -n "$(SPEC)" || { echo "usage: make spec SPEC=spec/job_spec.lua [LUA=lua5.4]" >&2; exit 2; }
	@.ci/install test
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@spec/env $(LUA) $(LUA) /usr/bin/busted $(SPEC)

# The output of clang-format depends on its version; the sources have the style of this one.
CLANG_FORMAT_VERSION := 14
lint:
	@.ci/install lint
	@luacheck -q lua spec examples tools
	@lua5.1 spec/support/loop_variables.lua lua spec examples tools
	@lua5.4 tools/sizes.lua
	@if clang-format --version | grep -q 'version $(CLANG_FORMAT_VERSION)\.'; then \
	  clang-format --dry-run -Werror src/*/*.[ch] spec/*/*.[ch] spec/bench/*/*.c; \
	else echo "clang-format is not version $(CLANG_FORMAT_VERSION): the format of the C sources is not checked"; fi

graph: all
	@$(LUA) tools/graph.lua -v $(BUILD) $(LUA)

# See .ci/debian.
SUITE ?= trixie
test-debian:
	@.ci/debian $(SUITE) $(if $(LUA_GIVEN),LUA=$(LUA))

# See .ci/deb.
test-deb:
	@.ci/deb $(SUITE)

bench:
	@.ci/install bench
	@$(MAKE) --no-print-directory -s all LUA=lua5.4
	@$(MAKE) --no-print-directory -s all LUA=luajit
	@spec/bench/run $(CASE)

SEEDS ?= 100
$(BUILD)/bench/schedule/simulate: $(wildcard spec/bench/schedule/*.[ch]) $(ENGINE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)
bench-schedule:
	@.ci/install bench-schedule
	@$(MAKE) --no-print-directory -s $(BUILD)/bench/schedule/simulate
	@spec/bench/schedule/run $(BUILD)/bench/schedule $(SEEDS)

# nginx's Lua is LuaJIT.
soak: override LUA = luajit
MINUTES ?= 10
soak:
	@LUA=$(LUA) .ci/install soak
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@$(HERE) $(LUA) spec/bench/nginx/soak.lua $(MINUTES)

# Two targets at a time. New inputs stay in build/fuzz/corpus for later runs.
FUZZ_SECONDS ?= 600
fuzz: override LUA = lua5.4
fuzz:
	@.ci/install fuzz
	@$(MAKE) --no-print-directory -s all fuzzers LUA=$(LUA)
	@status=0; $(HERE) $(LUA) spec/fuzz/compare.lua || status=1; \
	printf '%s\n' $(FUZZ_TARGETS) | xargs -P 2 -I TARGET \
	  spec/fuzz/run TARGET build/fuzz/corpus/TARGET -max_total_time=$(FUZZ_SECONDS) || status=1; exit $$status

CHAOS_RUNS ?= 100
$(BUILD)/chaos/fault_server: spec/chaos/fault_server.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -o $@ $< -lssl -lcrypto -lpthread
$(BUILD)/chaos/preload.so: spec/chaos/preload.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fvisibility=default $(CPPFLAGS) -shared -o $@ $< -ldl

chaos:
	@LUA=$(LUA) .ci/install chaos
	@$(MAKE) --no-print-directory -s all $(BUILD)/chaos/fault_server $(BUILD)/chaos/preload.so LUA=$(LUA)
	@$(HERE) CHAOS_RUNS=$(CHAOS_RUNS) CHAOS_BUILD=$(abspath $(BUILD))/chaos spec/chaos/run $(LUA)

# FLEET names campaigns or measurements, else all; the numbers are in the environment.
fleet-proof:
	@LUA=$(LUA) .ci/install fleet
	@spec/fleet/run $(LUA) spec/fleet/proof.lua $(FLEET)

outbox-proof:
	@LUA=$(LUA) .ci/install test
	@spec/outbox/run $(LUA) spec/outbox/proof.lua

outbox-measure:
	@LUA=$(LUA) .ci/install demo
	@spec/outbox/run $(LUA) spec/outbox/measure.lua

fleet-measure:
	@LUA=$(LUA) .ci/install fleet
	@spec/fleet/run $(LUA) spec/fleet/measure.lua $(FLEET)

CYCLES ?= 100000
cycles:
	@LUA=$(LUA) .ci/install cycles
	@$(MAKE) --no-print-directory -s all life LUA=$(LUA)
	@$(HERE) $(LUA) spec/life/cycles.lua $(CYCLES)

# The module and the test of its allocations in one program, so that the linker can wrap libc's functions.
LUA_LIBRARY := $(if $(filter luajit,$(LUA)),luajit-5.1,$(LUA))
INTERPOSED  := malloc calloc realloc strdup free mmap mremap munmap luaL_newstate
FAULTY      := $(patsubst %,spec/memory/%.c,faulty faults server)
# The objects of the simulator as one: it has functions of the same names as the engine.
SIMULATOR_ALONE := $(BUILD)/$(LUA)/faulty_simulator.o
$(SIMULATOR_ALONE): $(SIMULATOR_OBJECTS)
	@mkdir -p $(@D)
	ld -r -o $@ $^
	objcopy --keep-global-symbol=luaopen_cekura_simulator $@
$(BUILD)/$(LUA)/faulty: $(FAULTY) $(wildcard spec/memory/*.h) $(BINDING) $(ENGINE) $(SIMULATOR_ALONE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -Wl,-E \
	  $(INTERPOSED:%=-Wl,--wrap=%) -l$(LUA_LIBRARY) $(LIBS)

# The same with the library of Redis, for the scenarios in spec/memory/redis.
$(BUILD)/$(LUA)/faulty_redis: $(FAULTY) $(wildcard spec/memory/*.h) $(BINDING) $(ENGINE) $(SIMULATOR_ALONE) \
  $(REDIS_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DCEKURA_REDIS -I$(LUA_INCDIR) $(CPPFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -Wl,-E \
	  $(INTERPOSED:%=-Wl,--wrap=%) -l$(LUA_LIBRARY) $(if $(REDIS_TLS),-lhiredis_ssl -lssl -lcrypto) -lhiredis $(LIBS)

check-memory:
	@.ci/install check-memory
	@spec/memory/run

generate: all
	@rm -f cekura-*.rockspec
	@$(LUA) tools/rockspec.lua scm >cekura-scm-1.rockspec
	@$(LUA) tools/rockspec.lua release >cekura-$(VERSION)-1.rockspec
	@$(HERE) $(LUA) spec/support/kinds_table.lua docs/kinds.md
	@$(HERE) $(LUA) spec/support/options_table.lua docs/options.md
	@$(HERE) $(LUA) tools/meta/files.lua
	@$(HERE) $(LUA) tools/api_pages.lua
	@$(HERE) $(LUA) tools/simulator_document.lua >$(BUILD)/document.lua
	@mv $(BUILD)/document.lua lua/cekura/simulator/document.lua

man: all
	@$(HERE) $(LUA) tools/manual.lua >$(BUILD)/cekura-lua.1

# LDoc reads a translation of the annotations: tools/reference/source.lua says why.
REFERENCE := docs/reference
docs:
	@LUA=$(LUA) .ci/install docs
	@rm -rf $(BUILD)/reference $(REFERENCE)
	@mkdir -p $(BUILD)/reference $(REFERENCE)/html
	@$(HERE) $(LUA) tools/reference/source.lua $(BUILD)/reference
	@ldoc --quiet --fatalwarnings -c tools/reference/config.ld -x .md -d $(REFERENCE) $(BUILD)/reference >$(BUILD)/reference/log
	@mv $(REFERENCE)/modules/*.md $(REFERENCE) && rmdir $(REFERENCE)/modules
	@for page in $(REFERENCE)/*.md; do \
	  name=$$(basename $$page .md); \
	  sed 's/\.md\([)#]\)/.html\1/g' $$page \
	    | lowdown -s -m "title: $$name" --html-no-head-ids --html-no-skiphtml --html-no-escapehtml \
	      >$(REFERENCE)/html/$$name.html || exit 1; \
	done

clean:
	rm -rf $(BUILD) $(REFERENCE)

help:
	@sed -n '/^# make/,/^[^#]/s/^# //p' Makefile
