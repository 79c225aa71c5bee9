#!/usr/bin/env bash
# usage: scripts/benchmark-lambda.sh [dev|staging|local] [pytest's arguments...]
#
# Measures cold starts and warm calls of the API function and of a minimal function with the same settings. Measures the
# parts of a start, starts with more memory, and starts without each optimisation. For each cold start it publishes a
# version of the function and deletes it again. The function keeps its code, its settings and its warm environments, also
# when the run is interrupted. If a run is killed, the next run deletes the versions that it left. The default is local,
# which must be deployed (./scripts/verify.sh). Takes a minute or two, writes reports/<env>/lambda-<time>.json.
#
# Exit status: 0 all within budget, 1 over budget or not measured, 2 interrupted, 4 could not start.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
environment=local
case "${1:-}" in '' | -*) ;; *) environment=$1; shift ;; esac

need pytest
cd "$ROOT"
mkdir -p "reports/$environment"
exec pytest benchmarks/test_lambda.py --env "$environment" --tb=short \
  --benchmark-json="reports/$environment/lambda-$(date -u +%Y%m%dT%H%M%SZ).json" "$@"
