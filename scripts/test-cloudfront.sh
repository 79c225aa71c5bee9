#!/usr/bin/env bash
# usage: scripts/test-cloudfront.sh [dev|staging|prod|local] [pytest's arguments...]
#
# Runs the checklist's section CloudFront on a deployed stack (hits, misses, headers, invalidation, latency by edge), then
# measures the CDN: misses, hits, conditional requests, hit rate, and how long the latest change took. Without a name:
# local. Writes reports/<env>/cloudfront/ and, of the measurement, reports/<env>/cdn-<time>.json. prod is read-only: what
# needs an invalidation or an image of its own is not looked at there.
#
# Exit status: 0 all held, 1 not or not looked at, 4 nothing could be started.
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
