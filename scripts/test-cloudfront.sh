#!/usr/bin/env bash
# usage: scripts/test-cloudfront.sh [dev|staging|prod|local] [pytest options]
#
# Runs the checklist's section CloudFront on a deployed stack: hits, misses, headers, invalidation, latency by edge.
# Without a name: local. Writes reports/<env>/cloudfront/. Exit status: pytest's (0 passed, 1 not, 4 could not start).
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
environment=local
case "${1:-}" in '' | -*) ;; *) environment=$1; shift ;; esac

need pytest
cd "$ROOT"
exec pytest verification -m cloudfront --env "$environment" --report-dir "reports/$environment/cloudfront" "$@"
