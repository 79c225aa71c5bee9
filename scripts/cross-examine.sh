#!/usr/bin/env bash
# usage: scripts/cross-examine.sh [local|dev|staging|prod]
#        scripts/cross-examine.sh --tools
#
# Runs Prowler, Checkov, cfn-lint and parliament on a deployed stack and its template. Each of their findings needs a
# row in docs/coverage.toml: the items that cover it, or the reason why it does not matter here. Writes
# docs/COVERAGE.md. The default is local, which must be deployed (./scripts/verify.sh). For any
# other environment, the tools use the default credential chain, and AWS or the endpoint in AWS_ENDPOINT_URL. The script
# changes nothing there.
#
# The first run installs the tools that setup.sh does not install, at pinned versions, into .local/cross-examination.
# This needs the package registry and a few minutes. PYTHON names an interpreter that Prowler supports (3.11 or 3.12).
# The tools' output stays in .local/cross-examination/answers. --tools only installs the tools. It also installs
# cosmic-ray, because `python -m tests.mutants --of source` uses its operators.
#
# Exit status: 0 every finding has a row, 1 findings without a row (the output lists them), 4 could not start, or a tool
# printed nothing.
. "$(dirname "$0")/lib/common.sh"

PROWLER=5.46.0
CHECKOV=3.3.30
PARLIAMENT=1.6.4
COSMIC_RAY=8.7.0
# parliament needs pkg_resources, which setuptools no longer has; it does not say so.
SETUPTOOLS=80.9.0
SERVICES=(s3 awslambda apigatewayv2 cloudfront iam cloudwatch dynamodb sqs sns secretsmanager kms)

environment=local
only_tools=
case "${1:-}" in
-h | --help) usage && exit 0 ;;
--tools) only_tools=yes ;;
-*) usage >&2 && exit 4 ;;
?*) environment=$1 ;;
esac

cd "$ROOT"
tools=$ROOT/.local/cross-examination
answers=$tools/answers
[ -x .tools/uv/bin/uv ] || fail 4 "expected .tools/uv, found nothing; run ./scripts/setup.sh"
need python cfn-lint

uv() { .tools/uv/bin/uv --quiet --no-config "$@"; }

# brought NAME VERSION [MORE]: the tool in an environment of its own, for its pins fight ours and the others'.
brought() {
  [ "$(cat "$tools/$1/.version" 2>/dev/null)" = "$2" ] && return
  say "cross-examine: $1 $2 -> .local/cross-examination/$1"
  rm -rf "${tools:?}/$1"
  uv venv --python "${PYTHON:-python3}" "$tools/$1"
  VIRTUAL_ENV="$tools/$1" uv pip install "$1==$2" ${3+"$3"}
  printf %s "$2" >"$tools/$1/.version"
}

# ask NAME VERSION COMMAND...: one tool's answer, complaints, exit status and seconds, for Python to judge.
ask() {
  local name=$1 status=0 TIMEFORMAT=%R
  printf %s "$2" >"$answers/$name.version"
  shift 2
  say "cross-examine: asks $name"
  { time env -u PYTHONPATH "$@" >"$answers/$name.out" 2>"$answers/$name.err" </dev/null; } 2>"$answers/$name.seconds" ||
    status=$?
  printf %s "$status" >"$answers/$name.status"
}

brought prowler "$PROWLER"
brought checkov "$CHECKOV"
brought parliament "$PARLIAMENT" "setuptools==$SETUPTOOLS"
if [ -n "$only_tools" ]; then
  brought cosmic-ray "$COSMIC_RAY"
  exit 0
fi

# An answer of an earlier run must not pass for one of this run.
rm -rf "$answers"
mkdir -p "$answers"
region=$(python -m scripts.cross_examination prepare "$environment" "$answers")

variables=
if [ "$environment" = local ]; then variables=$("$ROOT/scripts/cloud.sh" env); fi
(
  eval "$variables"
  ask prowler "$PROWLER" "$tools/prowler/bin/prowler" aws --region "$region" --services "${SERVICES[@]}" \
    --output-formats json-ocsf --output-directory "$answers" --output-filename prowler \
    --log-level ERROR --log-file "$answers/prowler.log" --ignore-exit-code-3 --no-banner
)
ask checkov "$CHECKOV" "$tools/checkov/bin/checkov" --file backend/template.yaml "$answers/processed.json" \
  --skip-download --compact --soft-fail --output json
ask cfn-lint "" cfn-lint --format json --include-checks I -- backend/template.yaml "$answers/processed.json" "$answers/control.json"
ask parliament "$PARLIAMENT" "$tools/parliament/bin/parliament" --json --minimum_severity INFO \
  --auth-details-file "$answers/roles.json"

exec python -m scripts.cross_examination judge "$answers" "${SERVICES[@]}"
