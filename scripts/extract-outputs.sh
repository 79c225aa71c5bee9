#!/bin/sh
# usage: scripts/extract-outputs.sh ENVIRONMENT [--format json|dotenv] [--cloud NAME]
#
# Prints the deployed stack's outputs, as JSON (the default) or as the variables of frontend/.env.
# Exit status: 0 printed, 1 the stack lacks an output, 4 the stack does not exist or cannot be reached.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in
-h | --help) usage && exit 0 ;;
'' | -*) fail 4 "expected an environment, found none; see scripts/extract-outputs.sh --help" ;;
esac
need_venv

exec "$ROOT/.venv/bin/python" -m verification.deployment outputs "$@"
