#!/usr/bin/env bash
# usage: scripts/test-cloudfront.sh [dev|staging|prod|local] [pytest's arguments...]
#
# Runs the checklist's section CloudFront on a deployed stack (hits, misses, headers, invalidation, latency by edge). Then
# measures the CDN: misses, hits, conditional requests, hit rate, and the time that its latest change took to deploy. The
# default is local. Writes the report to reports/<env>/cloudfront/ and the measurement to reports/<env>/cdn-<time>.json.
# prod is read-only: the run omits the checks that write to the stack.
#
# Exit status: 0 all items hold and all figures are within budget, 1 not all of them, 4 could not start.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
environment=local
case "${1:-}" in '' | -*) ;; *) environment=$1; shift ;; esac

need pytest
cd "$ROOT"
status=0
pytest verification -m cloudfront --env "$environment" --report-dir "reports/$environment/cloudfront" "$@" || status=$?
[ "$status" -le 1 ] || exit "$status"
pytest benchmarks/test_cdn.py --env "$environment" --tb=short \
  --benchmark-json="reports/$environment/cdn-$(date -u +%Y%m%dT%H%M%SZ).json" "$@" || status=$?
exit "$status"
