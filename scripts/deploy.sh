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
#   --delete                 delete the stack; lists the resources that the template retains
#   --parameter NAME=VALUE   set a template parameter for this deployment only; never a secret
#   --cloud NAME             for local: the embedded AWS to use (see scripts/cloud.sh)
#   --app DIR                deploy another checkout of the application
#   --health-deadline S      fail if the new API or page does not answer within S seconds (default: 60)
#   --patience S             wait at most S seconds for an operation that already runs (default: 2700)
#
# The template's secret parameters come from environment variables, or from backend/.env.<environment>
# (git-ignored, mode 600): OpenAiApiKey from OPENAI_API_KEY, any vendor's key in the same way, and
# another secret, such as WebhookToken, from SECRET_WEBHOOK_TOKEN. A secret that you do not give keeps
# its value. If AWS_ENDPOINT_URL is set, this is a rehearsal with generated keys.
# After an interruption or a kill, run the same command again: it repairs and completes the deployment.
#
# Exit status: 0 deployed and healthy, 1 a step failed or consent was not given, 4 could not start
# (the message gives the reason), 130 and 143 interrupted.
. "$(dirname "$0")/lib/common.sh"

for argument; do case "$argument" in -h | --help) usage && exit 0 ;; esac; done
need_venv

# One process from here on, so that a signal meets what must clean up.
exec "$ROOT/.venv/bin/python" -m verification.deployment deploy "$@"
