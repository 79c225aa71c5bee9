#!/usr/bin/env bash
# usage: scripts/lighthouse-audit.sh [pytest's arguments...]
#
# Builds the page, measures the size of its bundle, and serves the page compressed on loopback. Then runs Lighthouse's
# mobile preset five times on the page and on a hello-world page of the same framework. Compares the medians with the budgets
# in verification/budgets.py. Takes about three minutes, needs no stack. Writes HTML and JSON of every run to
# reports/lighthouse/<time>/, and the figures to reports/lighthouse/<time>.json.
#
# Exit status: 0 all within budget, 1 over budget or not measured, 4 could not start.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
need pytest node
cd "$ROOT"
mkdir -p reports/lighthouse
exec pytest benchmarks/test_bundle.py benchmarks/test_frontend.py -p no:cacheprovider --tb=short \
  --benchmark-json="reports/lighthouse/$(date -u +%Y%m%dT%H%M%SZ).json" "$@"
