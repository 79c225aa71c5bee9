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

# need_venv: stop unless scripts/setup.sh has made .venv, and completely: it writes .made-from last.
need_venv() {
  [ -x "$ROOT/.venv/bin/python" ] || fail 4 "expected .venv, found nothing; run ./scripts/setup.sh"
  [ -f "$ROOT/.venv/.made-from" ] || fail 4 "expected a complete .venv, found a part of it; run ./scripts/setup.sh"
}

# Temporary files of this script and of its child processes are in one folder, removed when the last of them ends: those
# tools leave some behind. A guard waits for the end of the pipe that all of them hold, since `exec` drops a trap and a
# kill skips it. A script that another one called uses that one's folder.
case "${TMPDIR:-}" in
  */pixel-prompt.??????) ;;
  *)
    own=$(mktemp -d "${TMPDIR:-/tmp}/pixel-prompt.XXXXXX") ||
      fail 4 "cannot make a folder for temporary files in ${TMPDIR:-/tmp}; make room there, or set TMPDIR"
    export TMPDIR="$own"
    mkfifo "$TMPDIR/.held" "$TMPDIR/.guarded"
    # Opened both ways, or it would wait for the guard. Where there is `setsid`, a kill of the whole group spares the guard.
    exec 8<>"$TMPDIR/.held"
    # shellcheck disable=SC2016,SC2046  # for the guard's own shell; no word where there is no setsid
    $(command -v setsid || :) sh -c 'trap "" HUP INT TERM; : >"$1/.guarded"; cat; rm -rf "$1" || { sleep 2; rm -rf "$1"; }' \
      guard "$TMPDIR" <"$TMPDIR/.held" >/dev/null 2>&1 8>&- &
    # Ends once the guard is out of the signals' way.
    read -r _ <"$TMPDIR/.guarded" || :
    ;;
esac
# npm's compiled code is worth keeping.
export NODE_COMPILE_CACHE="$ROOT/.local/node-compile-cache"

# usage: print the calling script's header comment, from '# usage:' to the first other line.
usage() { sed -n '/^# usage:/,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"; }
