#!/usr/bin/env bash
# usage: scripts/benchmark-lambda.sh [dev|staging|prod|local] [pytest options]
#
# Measures cold starts and warm calls of the API function beside a bare one. Without a name: local, which has to be
# deployed (./scripts/verify.sh). Writes reports/<env>/lambda-<time>.json.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
environment=local
case "${1:-}" in '' | -*) ;; *) environment=$1; shift ;; esac

cd "$ROOT"
mkdir -p "reports/$environment"
pytest benchmarks/test_lambda.py --env "$environment" --benchmark-only \
  --benchmark-json="reports/$environment/lambda-$(date +%Y%m%dT%H%M%S).json" "$@"
