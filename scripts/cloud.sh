#!/bin/sh
# usage: scripts/cloud.sh up|down|status|env|logs|reset [--name NAME]
#        scripts/cloud.sh certificate ENVIRONMENT [--name NAME]
#
# The embedded AWS on this machine's loopback, private to .local/NAME (default: cloud).
#   up      start it, or reuse the one that runs ([--port PORT] for a fixed port). With --pessimistic it has AWS's
#           longest delays, its limits and its eventual consistency. With --speed N its clock runs N times faster
#   down    stop it and remove everything of it
#   status  say whether it runs, and where; the exit status is 0 if it runs, else 1
#   env     print the shell lines that point AWS's clients at it: eval "$(scripts/cloud.sh env)"
#   certificate  import the certificate of a test domain, and print a shell line. With that line deploy.sh and the
#           checklist use the certificate and that domain's names for ENVIRONMENT:
#           eval "$(scripts/cloud.sh certificate staging)"
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
