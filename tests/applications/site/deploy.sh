#!/usr/bin/env bash
# usage: ./deploy.sh local|prod
# Builds and deploys the stack, copies the page into its bucket, and asks both whether they answer.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-}" in
  local | prod) environment=$1 ;;
  *) echo "usage: ./deploy.sh local|prod" >&2; exit 2 ;;
esac
export AWS_DEFAULT_REGION=us-east-1
stack=trail-reports-$environment

sam build
sam deploy --config-env "$environment" --no-progressbar

outputs=$(aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs" --output json)
output() {
  jq -er --arg key "$1" '.[] | select(.OutputKey == $key) | .OutputValue' <<< "$outputs"
}
bucket=$(output SiteBucketName)
url=$(output SiteUrl)
client=$(output PageClientId)
distribution=$(output DistributionId)

# An open page goes on with the files it has; the next visit asks whether they have changed.
aws s3 sync site "s3://$bucket" --delete --exclude config.json --cache-control no-cache
jq -n --arg region "$AWS_DEFAULT_REGION" --arg client "$client" '{region: $region, clientId: $client}' |
  aws s3 cp - "s3://$bucket/config.json" --content-type application/json --cache-control no-cache
aws cloudfront create-invalidation --distribution-id "$distribution" --paths "/*" > /dev/null

for path in / /config.json "/api/reports?trail=lake-loop"; do
  curl --fail --silent --show-error --retry 5 --retry-all-errors --max-time 20 --output /dev/null "$url$path"
done
echo "$url"
