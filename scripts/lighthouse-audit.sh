#!/usr/bin/env bash
# usage: scripts/lighthouse-audit.sh [pytest's arguments...]
#
# Builds the page, weighs its bundle, serves it compressed on loopback, runs Lighthouse's mobile preset five times on it
# and on a hello world of the same framework, and holds the medians against verification/budgets.py. Takes about three
# minutes. HTML and JSON of every run stay in reports/lighthouse/<time>/, the figures in reports/lighthouse/<time>.json.
# Needs no stack.
#
# Exit status: 0 all within budget, 1 not or not measured, 4 nothing could be started.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
need pytest node
cd "$ROOT"
mkdir -p reports/lighthouse
exec pytest benchmarks/test_bundle.py benchmarks/test_frontend.py -p no:cacheprovider --tb=short \
  --benchmark-json="reports/lighthouse/$(date -u +%Y%m%dT%H%M%SZ).json" "$@"
