#!/usr/bin/env bash
# usage: scripts/test.sh [--quick | --all]
#
# Sets up, then runs the project's own tests: lint and types, the backend, the frontend, the suite with
# its scripts and the embedded AWS. Then makes one fault for each item of the checklist. Faults that affect
# different items run together. Last, it deploys a sample of the templates' mutants. It fails if the items no longer
# detect a mutant that they detected before.
#   --quick   no faults and no mutants
#   --all     also the slow tests. Makes every fault alone and runs every check on it. Makes AWS calls fail in every
#             way. Sends thousands of requests generated from the API's contract. Tests the application under hundreds
#             of faults
. "$(dirname "$0")/lib/common.sh"

suite=(-m "not further")
faults=(-m "not further" --together 8)
case "${1:-}" in
  '') ;;
  --quick) faults=() ;;
  --all) suite=() faults=(-m "further or not further" --thorough) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 4 ;;
esac

"$ROOT/scripts/setup.sh"
cd "$ROOT"
export PYTEST_ADDOPTS="-p no:cacheprovider"

step() { say "test: $*"; }

step lint and types
ruff check --no-cache .
ruff format --no-cache --check .
mypy --cache-dir "$ROOT/.local/mypy"
lint-imports --no-cache
shellcheck scripts/*.sh scripts/lib/*.sh .ci/run
cfn-lint backend/template.yaml
git ls-files -z | xargs -0 codespell

step backend
# Bytecode beside these sources would end up in the functions' packages.
(cd backend && PYTHONDONTWRITEBYTECODE=1 pytest tests --quiet)

step frontend
(
  cd frontend
  npm run --silent lint
  npm run --silent typecheck
  npm run --silent test
  # A build needs the addresses of a deployment; these lead nowhere.
  VITE_API_ENDPOINT=https://api.example VITE_CLOUDFRONT_DOMAIN=images.example VITE_ENVIRONMENT=dev npm run --silent build
)

step suite, scripts and embedded AWS
pytest tests -n 2 --ignore tests/faults --quiet ${suite[@]+"${suite[@]}"}

[ ${#faults[@]} -eq 0 ] || {
  step fault matrix
  # A fault is waited for more than computed with.
  pytest tests/faults -n 3 --quiet "${faults[@]}"
  step mutants
  python -m tests.mutants --application guest-book --sample 20 --limit 2 --against tests/mutants/first.jsonl
}
