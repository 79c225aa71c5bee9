"""The first round: changes 1 to 30, chosen on 2026-11-28 by somebody who had read the template and the sources, and no check."""

from __future__ import annotations

import copy
import json

from tests.blind.change import Change, into
from tests.blind.edits import (
    ACCOUNT,
    edit_distribution,
    edit_web_acl,
    mapping_of,
    queue_arn,
    set_alarm,
    set_variables,
    zipped,
)

CHANGES: list[Change] = []
change = into(CHANGES)


@change(
    "The API function's hourly limit of all paid requests was raised to a million in its environment.",
    "Marketing has a launch demo tonight and the demo must not see a 429.",
    "One script can run up tens of thousands of dollars at nine vendors before anybody wakes up.",
    "ApiFunction",
)
def _(aws, names):
    set_variables(aws, names["ApiFunction"], GLOBAL_HOURLY_LIMIT="1000000")


@change(
    "The on-call address was unsubscribed from the alarm topic.",
    "The mails woke me three times this night.",
    "Alarms still fire but no human hears of them.",
    "AlarmEmailSubscription",
    "AlarmTopic",
)
def _(aws, names):
    client = aws("sns")
    for entry in client.list_subscriptions_by_topic(TopicArn=names["AlarmTopic"])["Subscriptions"]:
        if entry["Protocol"] == "email":
            subscription = entry["SubscriptionArn"]
            if not subscription.startswith("arn:"):
                subscription = names["AlarmEmailSubscription"]
            client.unsubscribe(SubscriptionArn=subscription)


@change(
    "The images bucket's block of public access was removed.",
    "I wanted to look at an image by its S3 address and got AccessDenied.",
    "One ACL or policy more and every user's image can be listed and read by anybody.",
    "ImagesBucket",
)
def _(aws, names):
    aws("s3").delete_public_access_block(Bucket=names["ImagesBucket"])


@change(
    "The jobs queue keeps messages for one minute only.",
    "There was an old message in my way and I wanted the queue to empty itself.",
    "A job that waits longer than a minute (any burst, any retry) is lost without a trace.",
    "JobsQueue",
)
def _(aws, names):
    aws("sqs").set_queue_attributes(QueueUrl=names["JobsQueue"], Attributes={"MessageRetentionPeriod": "60"})


@change(
    "AdministratorAccess was attached to the worker's role.",
    "Some AccessDenied in the log; with admin it went away.",
    "A bug or a poisoned dependency in the worker owns the whole account.",
    "WorkerFunctionRole",
)
def _(aws, names):
    aws("iam").attach_role_policy(
        RoleName=names["WorkerFunctionRole"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )


@change(
    "The web ACL was detached from the images' distribution.",
    "A customer's office was rate limited; I took the firewall off to see whether it was that.",
    "Floods and known attackers reach the images and run up the transfer bill.",
    "Distribution",
    "CdnWebAcl",
)
def _(aws, names):
    edit_distribution(aws, names["Distribution"], lambda config: config.update(WebACLId=""))


@change(
    "Point-in-time recovery of the jobs table was switched off.",
    "It was a line in the cost report and nobody could tell me what for.",
    "A bad write or deletion cannot be undone; all former recovery points are gone too.",
    "JobsTable",
)
def _(aws, names):
    aws("dynamodb").update_continuous_backups(
        TableName=names["JobsTable"], PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


@change(
    "The actions of the dead-letter alarm were disabled.",
    "It is always red since the test of last week; I mute it till Monday.",
    "Failed jobs pile up in the dead-letter queue and nobody is told.",
    "DeadLetterAlarm",
)
def _(aws, names):
    aws("cloudwatch").disable_alarm_actions(AlarmNames=[names["DeadLetterAlarm"]])


@change(
    "The API's log group keeps its lines for one day only.",
    "Ingestion is expensive, someone said; shorter is cheaper.",
    "By the time somebody looks into Friday's incident on Monday the lines are gone.",
    "ApiLogGroup",
)
def _(aws, names):
    aws("logs").put_retention_policy(logGroupName=names["ApiLogGroup"], retentionInDays=1)


@change(
    "The API answers every origin: its CORS configuration names the wildcard, with all headers and methods.",
    "A partner's page got a CORS error and it was late.",
    "Any page on the web can spend the budget with its visitors' browsers and addresses.",
    "HttpApi",
)
def _(aws, names):
    aws("apigatewayv2").update_api(
        ApiId=names["HttpApi"],
        CorsConfiguration={
            "AllowOrigins": ["*"],
            "AllowMethods": ["*"],
            "AllowHeaders": ["*"],
            "ExposeHeaders": ["x-correlation-id", "retry-after"],
            "MaxAge": 600,
        },
    )


@change(
    "The providers' keys were overwritten by a secret with one placeholder in another shape.",
    "I followed a wiki page on rotating keys and used its example.",
    "No vendor accepts the application any more: every image but Bedrock's fails.",
    "ProviderKeys",
)
def _(aws, names):
    aws("secretsmanager").put_secret_value(
        SecretId=names["ProviderKeys"], SecretString=json.dumps({"OPENAI_" + "API_KEY": "change" + "me"})
    )


@change(
    "The key that encrypts the alarms is scheduled for deletion.",
    "A dollar a month for a key that nobody of us uses.",
    "From then on the topic takes no alarm: CloudWatch cannot encrypt what it publishes.",
    "AlarmKey",
)
def _(aws, names):
    aws("kms").schedule_key_deletion(KeyId=names["AlarmKey"], PendingWindowInDays=7)


@change(
    "A layer with a sitecustomize module was published and attached to the worker.",
    "A monitoring vendor's trial: 'just add this layer'.",
    "Foreign code runs at every start of the worker, beside the providers' keys.",
    "WorkerFunction",
)
def _(aws, names):
    client = aws("lambda")
    layer = client.publish_layer_version(
        LayerName="apm-trial",
        Content={"ZipFile": zipped("python/sitecustomize.py", "import os\nseen = sorted(os.environ)\n")},
        CompatibleRuntimes=["python3.13"],
    )
    client.update_function_configuration(
        FunctionName=names["WorkerFunction"], Layers=[layer["LayerVersionArn"]]
    )


@change(
    "The trigger between the jobs queue and the worker is disabled.",
    "I paused the worker to debug, and then the shift was over.",
    "Every prompt is accepted and no image is ever made; after a day the jobs expire.",
    "WorkerFunctionJobs",
    "JobsQueue",
)
def _(aws, names):
    aws("lambda").update_event_source_mapping(UUID=mapping_of(aws, names), Enabled=False)


@change(
    "The dead-letter queue's policy lets anybody in the world read and delete its messages.",
    "A contractor should re-drive the failed jobs from his own account.",
    "Users' prompts are readable by strangers and the failed jobs can be deleted.",
    "JobsDeadLetterQueue",
    "JobsQueuePolicy",
)
def _(aws, names):
    url = names["JobsDeadLetterQueue"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Contractor",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
                "Resource": queue_arn(url),
            }
        ],
    }
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})


@change(
    "The page's index.html was replaced by a maintenance notice.",
    "We needed a quick notice during the vendor's outage; the old file is somewhere on my laptop.",
    "Users see a notice instead of the application, long after the outage.",
    "SiteBucket",
)
def _(aws, names):
    aws("s3").put_object(
        Bucket=names["SiteBucket"],
        Key="index.html",
        Body=b"<!doctype html><title>Back soon</title><h1>We are down for maintenance</h1>",
        ContentType="text/html",
        CacheControl="public, max-age=86400",
    )


@change(
    "The page's distribution serves plain HTTP without a redirect.",
    "The monitoring probe cannot follow redirects.",
    "Whoever sits between can read prompts and put script into the page.",
    "SiteDistribution",
)
def _(aws, names):
    edit_distribution(
        aws,
        names["SiteDistribution"],
        lambda config: config["DefaultCacheBehavior"].update(ViewerProtocolPolicy="allow-all"),
    )


@change(
    "The web ACL only counts floods and no longer blocks them.",
    "I wanted to see how many requests the rule would hit, before tuning it.",
    "A flood of one address passes; transfer is paid for.",
    "CdnWebAcl",
)
def _(aws, names):
    def edit(acl):
        for rule in acl["Rules"]:
            if rule["Name"] == "flood":
                rule["Action"] = {"Count": {}}

    edit_web_acl(aws, names["CdnWebAcl"], edit)


@change(
    "The monthly budget was raised to 9,999,999 dollars.",
    "The budget mail at 80 % annoyed the boss in a month that was planned to be dear.",
    "No cost ever reaches the budget again, so nobody is warned.",
    "MonthlyBudget",
)
def _(aws, names):
    account = aws("sts").get_caller_identity()["Account"]
    client = aws("budgets")
    budget = client.describe_budget(AccountId=account, BudgetName=names["MonthlyBudget"])["Budget"]
    new = {name: budget[name] for name in ("BudgetName", "BudgetType", "TimeUnit")}
    client.update_budget(
        AccountId=account, NewBudget={**new, "BudgetLimit": {"Amount": "9999999", "Unit": "USD"}}
    )


@change(
    "Anybody may invoke the worker: a statement with the principal * was added to its resource policy.",
    "A script in the other account got AccessDenied when it called the drill.",
    "Strangers run the worker's operator actions (drills, withdrawals) and jobs at our cost.",
    "WorkerFunction",
)
def _(aws, names):
    aws("lambda").add_permission(
        FunctionName=names["WorkerFunction"],
        StatementId="temporary-debug",
        Action="lambda:InvokeFunction",
        Principal="*",
    )


@change(
    "The API's stage lets 10,000 requests a second pass, with bursts of 5,000.",
    "The load test of the other team ran into 429.",
    "The gateway no longer protects the function; its reservation is used up and everybody is throttled.",
    "HttpApiApiGatewayDefaultStage",
    "HttpApi",
)
def _(aws, names):
    aws("apigatewayv2").update_stage(
        ApiId=names["HttpApi"],
        StageName="$default",
        DefaultRouteSettings={"ThrottlingRateLimit": 10000.0, "ThrottlingBurstLimit": 5000},
    )


@change(
    "The page's content security policy allows inline script and eval of any host.",
    "An analytics snippet did not load.",
    "Injected script runs in users' browsers; the page's main defence is gone.",
    "SiteHeadersPolicy",
)
def _(aws, names):
    client = aws("cloudfront")
    answer = client.get_response_headers_policy_config(Id=names["SiteHeadersPolicy"])
    config = copy.deepcopy(answer["ResponseHeadersPolicyConfig"])
    config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"] = (
        "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'"
    )
    client.update_response_headers_policy(
        Id=names["SiteHeadersPolicy"], IfMatch=answer["ETag"], ResponseHeadersPolicyConfig=config
    )


@change(
    "The images expire after one day instead of thirty.",
    "The bucket grew and a colleague asked to clean it up.",
    "Galleries and links that users were promised for thirty days show broken images.",
    "ImagesBucket",
)
def _(aws, names):
    aws("s3").put_bucket_lifecycle_configuration(
        Bucket=names["ImagesBucket"],
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "expire-images",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "images/"},
                    "Expiration": {"Days": 1},
                },
                {
                    "ID": "abort-unfinished-uploads",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                },
            ]
        },
    )


@change(
    "The jobs table's time to live was switched off.",
    "I was afraid that the item I was looking at would vanish during the analysis.",
    "Prompts and callers' counters are kept for ever: growing cost and a broken promise of privacy.",
    "JobsTable",
)
def _(aws, names):
    aws("dynamodb").update_time_to_live(
        TableName=names["JobsTable"],
        TimeToLiveSpecification={"AttributeName": "expiresAt", "Enabled": False},
    )


@change(
    "Another account may assume the API function's role.",
    "The consultants wanted to reproduce the bug with the same rights.",
    "A foreign account reads and writes jobs and calls paid models as if it were the API.",
    "ApiFunctionRole",
)
def _(aws, names):
    aws("iam").update_assume_role_policy(
        RoleName=names["ApiFunctionRole"],
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {
                            "Service": "lambda.amazonaws.com",
                            "AWS": f"arn:aws:iam::{ACCOUNT}:root",
                        },
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )


@change(
    "Everything in the worker's log is forwarded to a destination in another account.",
    "The security vendor's set-up wizard asked for it.",
    "Prompts and internals leave the company unseen, and each line is paid twice.",
    "WorkerLogGroup",
)
def _(aws, names):
    aws("logs").put_subscription_filter(
        logGroupName=names["WorkerLogGroup"],
        filterName="vendor-siem",
        filterPattern="",
        destinationArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:destination:siem",
    )


@change(
    "The worker's reserved concurrency is zero.",
    "The emergency brake against a cost peak; released by nobody.",
    "The worker never runs; all jobs end in the dead-letter queue or expire.",
    "WorkerFunction",
)
def _(aws, names):
    aws("lambda").put_function_concurrency(
        FunctionName=names["WorkerFunction"], ReservedConcurrentExecutions=0
    )


@change(
    "The alarm on server errors of the API fires at half a million errors only.",
    "Five errors in five minutes is noise during a deployment.",
    "The API can answer nothing but errors for days without an alarm.",
    "Api5xxAlarm",
)
def _(aws, names):
    set_alarm(aws, names["Api5xxAlarm"], Threshold=500000.0)


@change(
    "The API function got a public function URL without authorisation.",
    "To curl it directly, without the gateway in between.",
    "A second public door: no throttling, no access log, no CORS list.",
    "ApiFunction",
)
def _(aws, names):
    client = aws("lambda")
    client.create_function_url_config(FunctionName=names["ApiFunction"], AuthType="NONE")
    client.add_permission(
        FunctionName=names["ApiFunction"],
        StatementId="FunctionURLAllowPublicAccess",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )


@change(
    "A dump of users' jobs lies beside the page, for everybody to download.",
    "I had to hand a file to the support team and that bucket is the one with a public address.",
    "Users' prompts and addresses can be downloaded by anybody and indexed by search engines.",
    "SiteBucket",
)
def _(aws, names):
    aws("s3").put_object(
        Bucket=names["SiteBucket"],
        Key="tmp/jobs-export.json",
        Body=b'[{"pk":"job#1","prompt":"my daughter at the beach","address":"203.0.113.9"}]',
        ContentType="application/json",
    )
