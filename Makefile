# mirrorlab: what happens to your messages when the machine that holds them stops?
#
#   make          build everything into build/
#   make lab      install what is missing, build, open the lab at the lesson you are on
#                 PORT=10000: node1's ports are 10000, 20000 and 30000, for a host that is shared
#   make test     install what is missing, build, run every test
#   make test-long   300 kills, stops and cuts with producers and consumers at work; nothing may be lost
#   make test-rounds   the cluster tests 20 times in a row (ROUNDS=N): none may fail in any
#   make test-mutants   mistakes planted in the kit: the simulator must notice each (docs/mutants.md)
#   make test-rabbitmq   the scenarios that also hold on RabbitMQ, on RabbitMQ (make deps-rabbitmq)
#   make deps     install the packages that tests/deps/deps lists (Debian, Ubuntu; a list for others)
#   make lint     layers, purity, formatting, static checks
#   make fuzz     bytes that nobody wrote, for what reads bytes (clang; not part of make test)
#   make bench    speed and size, measured here
#   make install  into PREFIX (/usr/local), under DESTDIR
#   make clean
#
# One archive per folder of common/ (see docs/architecture.md for the layers), one program per folder of
# lessons/, and lab, labctl beside them.

BUILD    ?= build
CC       ?= cc
CSTD     := -std=c11 -D_GNU_SOURCE
WARN     := -Wall -Wextra -Wpedantic -Wconversion -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wswitch-enum -Wno-missing-field-initializers
OPT      ?= -O2 -g
SANITIZE ?=
CPPFLAGS := -Icommon -Itui -I.
CFLAGS   ?=
DEPGEN    = -MMD -MP

# what each layer may link
PKG      := $(shell command -v pkg-config 2>/dev/null)
LIB_PURE := -lrabbitmq -ljansson -lpcre2-8 -lxxhash
LIB_HOST := -levent -levent_pthreads -lcrypto -lpthread
LIB_LAB  := -lconfig
LIB_TUI  := -lncursesw -ltinfo

# a node takes rabbitmq-c's codec and OpenSSL's digest out of their archives, where these are installed: the
# shared libraries would be two fifths of an idle node's memory
archived  = $(if $(findstring /,$(shell $(CC) -print-file-name=lib$(1).a 2>/dev/null)),-l:lib$(1).a,-l$(1))
LIB_NODE := $(LIB_LAB) $(call archived,rabbitmq) -ljansson -lpcre2-8 -lxxhash -levent_core -levent_extra \
            $(call archived,crypto) -lpthread

LAYERS   := base mirror wire broker store host sim client lab
PURE     := base mirror wire broker
ARCHIVES := $(LAYERS:%=$(BUILD)/lib%.a)
LESSONS  := $(sort $(notdir $(wildcard lessons/[0-9]*)))

# deps, test, lint, bench: each has its fragment in tests/; tests.mk comes first, the others use its functions
include tests/tests.mk $(filter-out tests/tests.mk,$(wildcard tests/*.mk))

.DEFAULT_GOAL := all
.PHONY: all lab clean install
all: $(ARCHIVES) $(BUILD)/lab $(BUILD)/labctl lessons catalogues

# ---- compiling ---------------------------------------------------------------------------------------------

# one short line a file; make V=1 shows the whole command
ifeq ($(V),)
Q := @
say = @printf '  %-4s %s\n' $(1) $(2)
endif

compile = $(Q)$(CC) $(CSTD) $(WARN) $(OPT) $(SANITIZE) $(CPPFLAGS) $(CFLAGS) $(DEPGEN) -c $< -o $@

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(compile)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c))

define archive
$(BUILD)/lib$(1).a: $(call objects,common/$(1))
	@rm -f $$@
	$$(call say,AR,$$@)
	$(Q)ar rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call archive,$(layer))))

# ---- programs ----------------------------------------------------------------------------------------------

lib = $(1:%=$(BUILD)/lib%.a)
link = $(Q)$(CC) $(OPT) $(SANITIZE) $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS)

LAB_OBJ    := $(call objects,tui)
LAB_MAIN   := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tui/main/lab.c tui/main/lab_*.c))
LABCTL_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tui/main/labctl*.c))

$(BUILD)/lab: $(LAB_OBJ) $(LAB_MAIN) $(call lib,lab client sim store wire mirror base)
	$(call say,LINK,$@)
	$(link) -o $@ $(LIB_LAB) $(LIB_TUI) $(LIB_PURE) $(LIB_HOST)

$(BUILD)/labctl: $(LABCTL_OBJ) $(call lib,lab client base)
	$(call say,LINK,$@)
	$(link) -o $@ $(LIB_LAB) $(LIB_PURE) $(LIB_HOST)

# a lesson's three programs
define lesson
.PHONY: lesson-$(1)
lesson-$(1): $(BUILD)/lessons/$(1)/node $(BUILD)/lessons/$(1)/producer $(BUILD)/lessons/$(1)/consumer
$(BUILD)/lessons/$(1)/node: $(BUILD)/obj/lessons/$(1)/node.o $(call lib,host store broker wire mirror base)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(link) -o $$@ $(LIB_NODE)
$(BUILD)/lessons/$(1)/producer: $(BUILD)/obj/lessons/$(1)/producer.o $(call lib,client base)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(link) -o $$@ $(LIB_PURE)
$(BUILD)/lessons/$(1)/consumer: $(BUILD)/obj/lessons/$(1)/consumer.o $(call lib,client base)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(link) -o $$@ $(LIB_PURE)
endef
$(foreach l,$(LESSONS),$(eval $(call lesson,$(l))))
.PHONY: lessons
lessons: $(LESSONS:%=lesson-%)

# ---- languages: the screen's texts (tui/words.h), one catalogue for each tui/po/LANGUAGE.po ----------------

LANGUAGES  := $(patsubst tui/po/%.po,%,$(wildcard tui/po/*.po))
CATALOGUES := $(if $(shell command -v msgfmt 2>/dev/null),$(LANGUAGES:%=$(BUILD)/locale/%/LC_MESSAGES/mirrorlab.mo))
$(BUILD)/locale/%/LC_MESSAGES/mirrorlab.mo: tui/po/%.po tui/po/lessons/%.po
	@mkdir -p $(@D)
	$(call say,MO,$@)
	$(Q)msgcat --use-first $^ | msgfmt --check -o $@ -
.PHONY: catalogues
catalogues: $(CATALOGUES)

# ---- using -------------------------------------------------------------------------------------------------

# PORT: node1's AMQP port; HTTP and peers stand 10,000 and 20,000 above it, as RabbitMQ's do. All stay below
# 32768: from there on Linux takes ports for outgoing connections, and one of those may hold the port of a node
# that is stopped, for a minute after its end.
COMMA     := ,
LAB_PORTS  = $(if $(PORT),--ports "$(PORT)$(COMMA)$$(($(PORT) + 10000))$(COMMA)$$(($(PORT) + 20000))")
lab: lab-port deps
	+@$(MAKE) --no-print-directory all
	@$(BUILD)/lab $(LAB_PORTS)
.PHONY: lab-port
lab-port:
	@[ -z "$(PORT)" ] || { [ "$(PORT)" -ge 1024 ] && [ "$(PORT)" -le 12700 ]; } 2>/dev/null || \
	    { echo "make lab PORT=$(PORT): choose 1024 to 12700, such as PORT=10000: node1 takes that port, 10,000" \
	           "and 20,000 above it, and above 32767 an outgoing connection may hold a port that a node wants"; \
	      exit 2; } >&2

# Programs stand together with the lessons in lib/mirrorlab; what is on the PATH are links to them.
PREFIX ?= /usr/local
HOME_OF = $(DESTDIR)$(PREFIX)/lib/mirrorlab
install: all
	install -d $(HOME_OF) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install $(BUILD)/lab $(BUILD)/labctl $(HOME_OF)
	cp -R lessons $(HOME_OF)
	set -e; for l in $(LESSONS); do install $(BUILD)/lessons/$$l/node $(BUILD)/lessons/$$l/producer \
	    $(BUILD)/lessons/$$l/consumer $(HOME_OF)/lessons/$$l; done
	ln -sf ../lib/mirrorlab/lab ../lib/mirrorlab/labctl $(DESTDIR)$(PREFIX)/bin
	install -m 644 docs/man/lab.1 docs/man/labctl.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/man/node.1 $(DESTDIR)$(PREFIX)/share/man/man1/mirrorlab-node.1
	set -e; for l in $(if $(CATALOGUES),$(LANGUAGES)); do \
	    install -d $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES; \
	    install -m 644 $(BUILD)/locale/$$l/LC_MESSAGES/mirrorlab.mo $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES; \
	    done

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
