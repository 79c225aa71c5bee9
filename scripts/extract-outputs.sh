#!/bin/sh
# usage: scripts/extract-outputs.sh ENVIRONMENT [--format json|dotenv] [--cloud NAME]
#
# Prints the deployed stack's outputs: as JSON, or as the variables that frontend/.env holds.
# Exit status: 0 printed, 1 the stack lacks an output, 4 the stack does not exist or cannot be reached.
. "$(dirname "$0")/lib/common.sh"

case "${1:-}" in
-h | --help) usage && exit 0 ;;
'' | -*) fail 4 "which environment? See scripts/extract-outputs.sh --help" ;;
esac
[ -x "$ROOT/.venv/bin/python" ] || fail 4 "the project is not set up; run ./scripts/setup.sh"

exec "$ROOT/.venv/bin/python" -m verification.deployment outputs "$@"
