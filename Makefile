# Each target finds a working Python, sets up .venv and hands over to `python -m portal.house <target>`.
# `make demo` needs nothing but Python 3.12 to 3.14; `make help` tells what else there is.

HOUSE = @sh portal/house/run.sh

FOR ?= owner@jetblue.example

.PHONY: help demo code dev test test-full check fix doctor lock stop

help: ## Say what each target does
	@sed -n 's/^\([a-z%-]*\): .*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: ## Everything on this machine, with real data, until Ctrl-C (ONCE=1: stop after the first preflight; FRESH=1: empty databases)
	$(HOUSE) demo $(if $(ONCE),--once) $(if $(FRESH),--fresh)

code: ## The one-time code of a demo persona (FOR=owner@jetblue.example)
	$(HOUSE) code $(FOR)

dev: ## The demo with a web server that reloads itself
	$(HOUSE) dev

test: ## All tests but the slow ones, in parallel and in random order (ARGS="-k …" passes on to pytest)
	$(HOUSE) test $(ARGS)

test-full: ## All tests
	$(HOUSE) test-full $(ARGS)

check: ## Everything a machine can judge about the code
	$(HOUSE) check

fix: ## Mend what a machine can mend
	$(HOUSE) fix

bench-%: ## A benchmark of bench/ by its name (bench-pages, bench-parity, …)
	$(HOUSE) bench $* $(ARGS)

doctor: ## What is missing or misconfigured, and what to do
	$(HOUSE) doctor

lock: ## Pin requirements/*.in anew, with hashes (UPGRADE=1: to the newest allowed)
	$(HOUSE) lock $(if $(UPGRADE),--upgrade)

stop: ## End whatever still runs for this checkout; its data stay
	$(HOUSE) stop
