#!/usr/bin/env bash
# usage: scripts/run-loadtest.sh dev|staging|local [--light] [--yes] [--dry-run] [--scale FACTOR]
#                                [--on fargate|lambda [--count N]] [--cloud NAME]
#
# Loads a deployed API with 100 simultaneous users for 13 minutes, and compares the results with the criteria. Shows
# the plan and its cost first, and asks for consent. scripts/loadtest/README.md explains phases, criteria and results.
#   --light     10 users for two and a half minutes
#   --yes       do not ask
#   --dry-run   show the plan and its command, then end
#   --scale     multiply the length of every phase by FACTOR; with 0.3 the test takes four minutes
#   --on        generate the load with Artillery's workers in your AWS account
#   --count     number of these workers; each generates the whole load, so N workers are N times 100 users
#   --cloud     for local: the embedded AWS to use
#
# The first use installs Artillery into .tools/load. The results, such as load.html, are in reports/<env>/load-<time>/.
# Exit status: 0 every criterion holds; 1 a criterion does not hold, could not be measured, or consent was not given;
# 4 could not start.
. "$(dirname "$0")/lib/common.sh"

for argument; do case "$argument" in -h | --help) usage; exit 0 ;; esac; done
case "${1:-}" in '' | -*) usage >&2; exit 4 ;; esac

"$ROOT/scripts/setup.sh" --load
need python pytest
cd "$ROOT"
exec python -m scripts.loadtest "$@"
