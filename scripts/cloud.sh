#!/bin/sh
# usage: scripts/cloud.sh up|down|status|env|logs|reset [--name NAME]
#        scripts/cloud.sh certificate ENVIRONMENT [--name NAME]
#
# The embedded AWS on this machine's loopback, private to .local/NAME (default: cloud).
#   up      start it, or reuse the one that runs ([--port PORT] for a fixed port). With --pessimistic it has the delays,
#           limits and looseness of AWS at its worst, with --speed N on a clock that runs N times faster
#   down    stop it and remove everything of it
#   status  say whether and where it runs; exit 0 when it does, 1 when not
#   env     print the shell lines that point AWS's clients at it: eval "$(scripts/cloud.sh env)"
#   certificate  import the certificate of a domain, print the shell line by which deploy.sh and the checklist use it
#           and names below that domain for ENVIRONMENT: eval "$(scripts/cloud.sh certificate staging)"
#   logs    print the server's log
#   reset   remove every resource in it
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in
  up | down | status | env | certificate | logs | reset) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 4 ;;
esac
[ -x "$ROOT/.venv/bin/python" ] || fail 4 "expected .venv, found nothing; run ./scripts/setup.sh"
exec "$ROOT/.venv/bin/python" -m verification.embedded.cloud "$@"
