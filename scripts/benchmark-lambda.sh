#!/usr/bin/env bash
# usage: scripts/benchmark-lambda.sh [dev|staging|local] [pytest's arguments...]
#
# Measures cold starts and warm calls of the API function beside a bare one, what a start is made of, and what more
# memory or the code before each optimisation would make of it. Cold starts come from versions that are published and
# deleted again: the function keeps its code, its settings and its warm environments, also when the run is interrupted.
# What a run that was killed has left, the next one deletes. Without a name: local, which has to be deployed
# (./scripts/verify.sh). Takes a minute or two, writes reports/<env>/lambda-<time>.json.
#
# Exit status: 0 all within budget, 1 not or not measured, 2 interrupted, 4 nothing could be started.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
environment=local
case "${1:-}" in '' | -*) ;; *) environment=$1; shift ;; esac

need pytest
cd "$ROOT"
mkdir -p "reports/$environment"
exec pytest benchmarks/test_lambda.py --env "$environment" --tb=short \
  --benchmark-json="reports/$environment/lambda-$(date -u +%Y%m%dT%H%M%SZ).json" "$@"
