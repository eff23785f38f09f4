# make                   builds the C core for LUA under build/$(LUA)/
# make install           PREFIX=/usr/local LUA=lua5.4, DESTDIR honoured
# make demo              a prompt improvement from start to end, against the local simulator
# make test              every spec on every Lua (make test LUA=lua5.4: on one)
# make bench             measurements, see spec/bench/README.md; make bench-nginx: in an nginx worker;
#                        make soak MINUTES=10: an nginx under load, with reloads
# make readme            writes the README's table of the kinds of job
# make fuzz              FUZZ_SECONDS=60: random bytes for the readers, see spec/fuzz/README.md
# make chaos             CHAOS_RUNS=100: faults on the wire and what comes of them, see spec/chaos/README.md
# make check-memory      every allocation failing once, the specs under sanitizers and under valgrind, see
#                        spec/memory/README.md
# demo, test, bench, soak, fuzz, chaos and check-memory install what they miss: .ci/install has the list of packages

LUA    ?= lua5.4
LUAS   := $(if $(filter command line environment,$(origin LUA)),$(LUA),lua5.1 lua5.2 lua5.3 lua5.4 luajit)
PREFIX ?= /usr/local
BUILD  ?= build

LUA_ABI    := $(if $(filter luajit,$(LUA)),5.1,$(patsubst lua%,%,$(LUA)))
LUA_HEADER := $(if $(filter luajit,$(LUA)),luajit-2.1,$(LUA))
LUA_INCDIR ?= $(firstword $(wildcard /usr/local/include/$(LUA_HEADER) /usr/include/$(LUA_HEADER)) /usr/include)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion $(if $(WERROR),-Werror)
CFLAGS   ?= -O2 -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) $(CFLAGS)
LIBS     := -lcurl -lpthread -ldl

# The engine knows no Lua, so it is compiled once; the binding once for each.
ENGINE  := $(patsubst src/%.c,$(BUILD)/engine/%.o,$(wildcard src/*.c))
BINDING := $(patsubst src/lua/%.c,$(BUILD)/$(LUA)/binding/%.o,$(wildcard src/lua/*.c))
CORE    := $(BUILD)/$(LUA)/cekura/core.so

.PHONY: all install rock demo test bench bench-nginx soak fuzz chaos check-memory clean
all: $(CORE)

$(CORE): $(BINDING) $(ENGINE)
	@mkdir -p $(@D)
	$(CC) -shared $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/engine/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/$(LUA)/binding/%.o: src/lua/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) -MMD -MP -c -o $@ $<

-include $(ENGINE:.o=.d) $(BINDING:.o=.d)

# The engine's pure parts, tested without Lua and without a network.
UNITS := $(patsubst spec/engine/%.c,$(BUILD)/units/%,$(wildcard spec/engine/*_test.c))
.PHONY: units
units: $(UNITS)
$(BUILD)/units/%: spec/engine/%.c $(ENGINE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -Isrc -o $@ $^ -lcmocka $(LIBS)

# The same parts under libFuzzer, which is clang's; and with a main of their own, for any compiler.
FUZZ_SECONDS ?= 60
FUZZ_CC      ?= clang
FUZZED       := src/json.c src/record.c $(wildcard spec/fuzz/*.c)
SANITIZE     := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined
FUZZ_FLAGS   := -std=c11 -D_GNU_SOURCE $(WARNINGS) $(SANITIZE) -Isrc
$(BUILD)/fuzz/record_fuzzer: $(FUZZED) $(wildcard src/*.h spec/fuzz/*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $(FUZZED)
$(BUILD)/fuzz/record_replay: $(FUZZED) $(wildcard src/*.h spec/fuzz/*.h)
	@mkdir -p $(@D)
	$(CC) $(FUZZ_FLAGS) -DREPLAY -o $@ $(FUZZED)

INST_LUADIR ?= $(abspath $(DESTDIR)$(PREFIX))/share/lua/$(LUA_ABI)
INST_LIBDIR ?= $(abspath $(DESTDIR)$(PREFIX))/lib/lua/$(LUA_ABI)
install: $(CORE)
	cd lua && find cekura -name '*.lua' -exec install -D -m 644 {} $(INST_LUADIR)/{} \;
	install -D -m 755 $(CORE) $(INST_LIBDIR)/cekura/core.so

# For luarocks, which names the Lua only by its header directory: nothing of another is left over.
rock:
	rm -rf $(BUILD)
	$(MAKE) all

# Runs a program with what was built here.
HERE = LUA_PATH="lua/?.lua;lua/?/init.lua;./?.lua;;" LUA_CPATH="$(BUILD)/$(LUA)/?.so;;"

demo:
	@LUA=$(LUA) .ci/install demo
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@$(HERE) $(LUA) spec/support/demo.lua

test:
	@.ci/install test
	@spec/run $(LUAS)

bench:
	@LUA=$(LUA) .ci/install bench
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@$(HERE) spec/bench/run $(LUA)

# nginx's Lua is LuaJIT.
bench-nginx soak: override LUA = luajit
bench-nginx:
	@LUA=$(LUA) .ci/install bench
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@mkdir -p $(BUILD)/bench
	@$(CC) -O2 -o $(BUILD)/bench/bare spec/bench/bare.c -lcurl
	@$(HERE) $(LUA) spec/bench/nginx/figures.lua

MINUTES ?= 10
soak:
	@LUA=$(LUA) .ci/install bench
	@$(MAKE) --no-print-directory -s all LUA=$(LUA)
	@$(HERE) $(LUA) spec/bench/nginx/soak.lua $(MINUTES)

# What it finds on its way stays in build/fuzz/corpus, for the next time.
fuzz:
	@.ci/install fuzz
	@$(MAKE) --no-print-directory -s $(BUILD)/fuzz/record_fuzzer
	@mkdir -p $(BUILD)/fuzz/corpus
	@$(BUILD)/fuzz/record_fuzzer -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -dict=spec/fuzz/json.dict \
	  -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus spec/fuzz/corpus

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

# The module and what asks for its memory in one program, so that the linker can put our functions in
# libc's place.
LUA_LIBRARY := $(if $(filter luajit,$(LUA)),luajit-5.1,$(LUA))
INTERPOSED  := malloc calloc realloc strdup free mmap mremap munmap
FAULTY      := $(patsubst %,spec/memory/%.c,faulty faults server)
$(BUILD)/$(LUA)/faulty: $(FAULTY) $(wildcard spec/memory/*.h) $(BINDING) $(ENGINE)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(LUA_INCDIR) $(CPPFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -Wl,-E \
	  $(INTERPOSED:%=-Wl,--wrap=%) -l$(LUA_LIBRARY) $(LIBS) -lm

check-memory:
	@.ci/install check-memory
	@spec/memory/run

readme: all
	@$(HERE) $(LUA) spec/support/kinds_table.lua README.md

clean:
	rm -rf $(BUILD)
