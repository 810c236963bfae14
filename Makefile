# Two commands matter: `make run` and `make test`. One debug build, made by scripts/build, serves both.
.POSIX:
.DELETE_ON_ERROR:
.PHONY: help run test fuzz bench build lint lint-shell clean packages test-packages bench-packages verify-github verify-github-variables

# Where the demonstration's containers run: process or docker.
ENGINE = process
RUNNERHUB = .build/debug/runnerhub
# Which benchmarks to run, such as `make bench ONLY="planner policy"`; empty: all.
ONLY =
# How long `make fuzz` runs, and from which seed; empty: another one each time.
FUZZ_SECONDS = 60
SEED =
SHELL_SCRIPTS = .ci/run scripts/build scripts/install-system-packages scripts/check-readme scripts/demo scripts/verify-github scripts/private-dockerd scripts/minimal-image Sources/Engines/init.sh Sources/Plugins/Garm/machine.sh Sources/Plugins/Garm/wrapper.sh Sources/Emulator/Runner/run.sh scripts/workflow-fuzzer Tests/Scripts/*.sh

help:
	@echo 'make run     install what is missing, build, and run the demonstration (ENGINE=process or docker)'
	@echo 'make test    install what is missing, build, and run every test'
	@echo 'make bench   install what is missing, build for release, and run the benchmarks (ONLY="planner policy")'
	@echo 'make verify-github REPO=OWNER/NAME TOKEN_FILE=FILE'
	@echo '             try the whole line on a real account: docs/verify-github.md'
	@echo 'make fuzz    build, and try random programs on the border to Lua, and random workflows (FUZZ_SECONDS=60 SEED=42)'
	@echo 'make build   install what is missing, and build the product and its tests'
	@echo 'make lint    check Swift, Lua and shell'
	@echo 'make clean   remove what was built; fetched dependencies stay'

run: build
	@scripts/demo $(ENGINE)

build: packages
	@scripts/build

test: test-packages
	@scripts/build
	@Tests/Scripts/install-system-packages.test.sh
	@python3 -B Tests/SourceEmulators/run.py
	@$(RUNNERHUB) policy check policies
	@$(RUNNERHUB) policy test policies
	@for example in policies/examples/*/; do \
	  $(RUNNERHUB) policy check "$${example%/}" && $(RUNNERHUB) policy test "$${example%/}" || exit 1; \
	done
	@$(RUNNERHUB) plugin test plugins
	@scripts/check-readme docs/policy-guide.md docs/plugin-guide.md docs/workflow.md
	@swift test --skip-build --no-parallel

# Said before anything is installed or built.
verify-github-variables:
	@scripts/verify-github check

verify-github: verify-github-variables build
	@scripts/verify-github run

# libFuzzer on workflow files for the whole time; beside it our own cases, on workflow files and on policies.
fuzz: build
	@scripts/workflow-fuzzer build
	@scripts/workflow-fuzzer run $(FUZZ_SECONDS) & fuzzer=$$!; \
	.build/debug/WorkflowFuzz --seconds $$(($(FUZZ_SECONDS) / 2)) $(if $(SEED),--seed $(SEED)) && \
	.build/debug/PolicyFuzz --seconds $$(($(FUZZ_SECONDS) / 2)) $(if $(SEED),--seed $(SEED)); status=$$?; \
	wait $$fuzzer && exit $$status

bench: bench-packages
	@scripts/build benchmarks
	@Benchmarks/.build/release/Benchmarks run $(ONLY) --json Benchmarks/.build/figures.json

lint: test-packages lint-shell
	@swift format lint --strict --recursive Sources Tests Package.swift Benchmarks/Sources Benchmarks/Package.swift
	@luacheck --quiet policies
	@luacheck --quiet --no-config --std lua54 --max-line-length 150 plugins Sources/Plugins/Kit/Templates

lint-shell:
	@shellcheck $(SHELL_SCRIPTS)
	@cd Sources/Plugins/Kit/Templates && shellcheck --shell=sh --external-sources *.sh

packages:
	@scripts/install-system-packages build

bench-packages:
	@scripts/install-system-packages build bench

test-packages:
	@scripts/install-system-packages build test docker registry

clean:
	@swift package clean
