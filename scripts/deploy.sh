#!/bin/sh
# usage: scripts/deploy.sh [dev|staging|prod|local] [options]
#
# Deploys the backend with the SAM CLI and writes frontend/.env. Without a name: dev.
# With --frontend it then builds the page and publishes it at the stack's SiteUrl.
#
#   --yes                    deploy without asking; needed where there is no terminal
#   --dry-run                show the plan, change nothing
#   --frontend               build and publish the page too
#   --tag X.Y.Z              afterwards tag the commit <environment>-vX.Y.Z, for prod vX.Y.Z
#   --rollback TAG           deploy the release of that tag; this checkout does not change
#   --delete                 delete the stack; what the template retains stays, and is named
#   --parameter NAME=VALUE   a template parameter for this deployment alone; never a secret
#   --cloud NAME             for local: which embedded AWS (see scripts/cloud.sh)
#   --app DIR                deploy another checkout of the application
#   --health-deadline S      how long the new API, and the new page, may take to answer (60)
#   --patience S             how long to wait for an operation that is under way already (2700)
#
# The template's secret parameters come from environment variables, or from backend/.env.<environment>
# (git-ignored, mode 600): OpenAiApiKey from OPENAI_API_KEY, any vendor's key in the same way, and
# another secret, such as WebhookToken, from SECRET_WEBHOOK_TOKEN. A secret that you do not give keeps
# its value. If AWS_ENDPOINT_URL is set, this is a rehearsal with generated keys.
# After an interruption or a kill, run the same command again: it repairs and completes the deployment.
#
# Exit status: 0 deployed and healthy, 1 a step failed or consent was not given, 4 nothing could be started
# (the message says why), 130 and 143 interrupted.
. "$(dirname "$0")/lib/common.sh"

for argument; do case "$argument" in -h | --help) usage && exit 0 ;; esac; done
[ -x "$ROOT/.venv/bin/python" ] || fail 4 "the project is not set up; run ./scripts/setup.sh"

# One process from here on, so that a signal meets what must clean up.
exec "$ROOT/.venv/bin/python" -m verification.deployment deploy "$@"
