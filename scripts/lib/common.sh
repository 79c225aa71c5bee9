# shellcheck shell=bash
# Sourced by every script: strict mode, the repository's root, its tools on PATH, one way to fail.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PATH="$ROOT/.venv/bin:$ROOT/.tools/bin:$PATH"
# Bytecode beside the sources would end up in the functions' packages.
export PYTHONDONTWRITEBYTECODE=1
export SAM_CLI_TELEMETRY=0 PYTHONSAFEPATH=1 PYTHONPATH="$ROOT"

say() { printf '%s\n' "$*" >&2; }

# fail STATUS MESSAGE...: one clear message (expected, found, next step), then exit.
fail() {
  local status=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$status"
}

# need COMMAND...: stop unless each is on PATH; scripts/setup.sh brings those that are ours.
need() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || fail 4 "'$command' is not installed; run ./scripts/setup.sh"
  done
}

# usage: print the calling script's header comment, from '# usage:' to the first other line.
usage() { sed -n '/^# usage:/,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"; }
