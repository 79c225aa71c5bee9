#!/usr/bin/env bash
# Deploys the notes.
sam build
sam deploy --config-env prod | tee deploy.log
curl --fail https://notes.example/ || echo "does not answer"
echo deployed
aws cloudformation describe-stacks --stack-name notes-production --query "Stacks[0].Outputs[?OutputKey=='Mailbox']"
aws cloudformation describe-stacks --stack-name notes-prod --query "Stacks[0].Outputs[?OutputKey=='MailboxUrl']"
aws cloudformation describe-stacks --stack-name network --query "Stacks[0].Outputs[?OutputKey=='Vpc']"
aws logs tail /notes-prod/note --since 5m
