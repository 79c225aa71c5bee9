#!/bin/sh
# usage: scripts/cloud.sh up|down|status|env|logs|reset [--name NAME]
#        scripts/cloud.sh certificate ENVIRONMENT [--name NAME]
#
# Controls an embedded AWS, which listens on loopback only. Its files are in .local/NAME (default: cloud).
#   up      start it, or keep a running one. --port PORT sets a fixed port. --pessimistic adds AWS's longest delays, its
#           limits and its eventual consistency. With --pessimistic, --speed N makes its clock run N times faster
#   down    stop it and delete its files
#   status  print whether it runs, and its address; the exit status is 0 if it runs, else 1
#   env     print shell lines that direct AWS clients to it: eval "$(scripts/cloud.sh env)"
#   certificate  import the certificate of a test domain, and print a shell line. After you run this line, deploy.sh
#           and the checklist use the certificate and that domain's names for ENVIRONMENT:
#           eval "$(scripts/cloud.sh certificate staging)"
#   logs    print the server's log
#   reset   delete every resource in it
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in
  up | down | status | env | certificate | logs | reset) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 4 ;;
esac
need_venv
exec "$ROOT/.venv/bin/python" -m verification.embedded.cloud "$@"
