#!/usr/bin/env bash
# usage: scripts/run-loadtest.sh dev|staging|local [--light] [--yes] [--dry-run] [--scale FACTOR]
#                                [--on fargate|lambda [--count N]] [--cloud NAME]
#
# Loads a deployed API as 100 users do who are there at the same time, for 13 minutes, and judges how it bore that.
# Shows first what will be done and what it costs, and asks. scripts/loadtest/README.md says what the rest means.
#   --light     10 users for two and a half minutes
#   --yes       do not ask
#   --dry-run   show the plan, the command that would run among it, and end
#   --scale     make every phase longer or shorter: 0.3 takes four minutes
#   --on        let Artillery's workers in your AWS account generate the load, each of N the whole of it
#   --cloud     for local: which embedded AWS
#
# Artillery comes into .tools/load at the first use. Results: reports/<env>/load-<time>/, load.html among them.
# Exit status: 0 every criterion holds, 1 some do not or could not be measured, 4 it could not start.
. "$(dirname "$0")/lib/common.sh"

for argument; do case "$argument" in -h | --help) usage; exit 0 ;; esac; done
case "${1:-}" in '' | -*) usage >&2; exit 4 ;; esac

"$ROOT/scripts/setup.sh" --load
need python pytest
cd "$ROOT"
exec python -m scripts.loadtest "$@"
