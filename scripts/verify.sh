#!/usr/bin/env bash
# usage: scripts/verify.sh [--env NAME] [--cloud NAME] [pytest's arguments...]
#
# Sets the project up, runs the checklist and writes its report. It needs only a checkout.
# For `local` (the default) it first starts the embedded AWS, and deploys the application unless the same
# version is deployed there. It then checks that the emulator's resources agree with the template.
# For any other environment it uses the deployed stack. It includes the paid checks, which request images
# from the AI providers. A run without paid checks is never READY. Paid checks cost at most 1 USD a run, or
# --budget USD. On a read-only environment the paid checks run only with -m paid.
#
#   scripts/verify.sh -m security                 one section
#   scripts/verify.sh --env staging               the staging stack
#   scripts/verify.sh --env staging --budget 0    the same without paid requests; the verdict is NOT READY
#
# The last line of the output is the report's path.
#
# Exit status: 0 ready, 1 not ready, 4 could not start, 6 a replay with the recorded outcomes. If an
# earlier step fails, the exit status of that step.
. "$(dirname "$0")/lib/common.sh"

# A bare name would go to pytest, after the checklist's own environment was started and deployed.
case "${1:--}" in
-*) ;;
*)
  [ -e "$ROOT/${1%%::*}" ] || fail 4 "expected an option or a check's file, found '$1'; for an environment: ./scripts/verify.sh --env $1"
  ;;
esac

environment=local
cloud=()
app=()
reports=
previous=
for argument; do
  case "$previous" in
  --env) environment=$argument ;;
  --cloud) cloud=(--cloud "$argument") ;;
  --app) app=(--app "$argument") ;;
  --report-dir) reports=$argument ;;
  esac
  case "$argument" in
  -h | --help) usage && exit 0 ;;
  --env=*) environment=${argument#*=} ;;
  --cloud=*) cloud=(--cloud "${argument#*=}") ;;
  --app=*) app=(--app "${argument#*=}") ;;
  --report-dir=*) reports=${argument#*=} ;;
  esac
  previous=$argument
done
# Every path on the command line counts from the repository, as the report's own does.
cd "$ROOT"
: "${reports:=reports/$environment}"

# bash 3.2 takes an empty array for an unset variable, hence the ${array[@]+...}.
options=(${cloud[@]+"${cloud[@]}"} ${app[@]+"${app[@]}"})

# progress NAME: what runs, and how long the one before it took.
progress() { say "==> verify: $1 (${SECONDS} s)"; }

progress "set-up"
"$ROOT/scripts/setup.sh"

if [ "$environment" = local ]; then
  progress "embedded AWS"
  name=${cloud[1]:-cloud}
  "$ROOT/scripts/cloud.sh" up --name "$name"

  progress "deployment"
  if python -m verification.deployment reuse local --frontend ${options[@]+"${options[@]}"}; then
    say "unchanged since the last deployment"
  else
    "$ROOT/scripts/deploy.sh" local --yes --frontend ${options[@]+"${options[@]}"}
  fi

  progress "fidelity of the emulator"
  variables=$("$ROOT/scripts/cloud.sh" env --name "$name")
  (eval "$variables" && python -m verification.embedded.fidelity pixel-prompt-local)
fi

paid=()
if [ "$environment" != local ]; then paid=(--paid); fi

progress "checklist on '$environment'"
status=0
started=$TMPDIR/started
: >"$started"
pytest verification --env "$environment" -n 2 ${paid[@]+"${paid[@]}"} "$@" || status=$?

say "==> verify: ended with $status (${SECONDS} s)"
# An older run's report must not pass for this one's.
report=$reports/verification.html
if [ "$report" -nt "$started" ]; then printf 'report: %s\n' "$report"; fi
exit "$status"
