# shellcheck shell=sh
# Sourced by every script: strict mode, the repository's root, its tools on PATH, one way to fail. Plain POSIX shell,
# since scripts of both kinds source it: those for `sh`, and those for `bash`, which may be macOS's 3.2.

set -eu
# A pipe fails with its first failure in every shell that knows how; dash before 0.5.13 does not.
# shellcheck disable=SC3040  # asked for in a shell of its own first
if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi

# Every script lies in scripts/.
ROOT=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$ROOT/.venv/bin:$ROOT/.tools/bin:$PATH"
# Bytecode beside the sources would end up in the functions' packages.
export PYTHONDONTWRITEBYTECODE=1
export SAM_CLI_TELEMETRY=0 PYTHONSAFEPATH=1 PYTHONPATH="$ROOT"

say() { printf '%s\n' "$*" >&2; }

# fail STATUS MESSAGE...: one clear message (expected, found, next step), then exit.
fail() {
  failed_with=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$failed_with"
}

# need COMMAND...: stop unless each is on PATH; scripts/setup.sh brings those that are ours.
need() {
  for needed in "$@"; do
    command -v "$needed" >/dev/null || fail 4 "'$needed' is not installed; run ./scripts/setup.sh"
  done
}

# usage: print the calling script's header comment, from '# usage:' to the first other line.
usage() { sed -n '/^# usage:/,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"; }
