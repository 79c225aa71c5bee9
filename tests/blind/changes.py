"""Sixty changes by hand to a live stack of Pixel Prompt, none of them in its template.

Chosen on 2026-11-28 by somebody who had read the template and the sources, and none of the checks. 1 to 30 are the
first round, 31 to 60 the second. Each can be made by one to three calls.
"""

from __future__ import annotations

import copy
import io
import json
import zipfile

from tests.blind.change import change

ROUNDS = {"first": range(1, 31), "second": range(31, 61)}
ACCOUNT = "999988887777"  # somebody else's, made up


def _zip(name, text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
    return packed.getvalue()


def _environment(aws, function, **variables):
    client = aws("lambda")
    now = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**now, **variables}}
    )


def _distribution(aws, distribution, edit):
    client = aws("cloudfront")
    answer = client.get_distribution_config(Id=distribution)
    config = copy.deepcopy(answer["DistributionConfig"])
    edit(config)
    client.update_distribution(Id=distribution, IfMatch=answer["ETag"], DistributionConfig=config)


def _alarm(aws, alarm, **fields):
    client = aws("cloudwatch")
    now = client.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
    kept = [
        "AlarmName",
        "AlarmDescription",
        "ActionsEnabled",
        "OKActions",
        "AlarmActions",
        "InsufficientDataActions",
        "MetricName",
        "Namespace",
        "Statistic",
        "ExtendedStatistic",
        "Dimensions",
        "Period",
        "Unit",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
    ]
    client.put_metric_alarm(**{**{name: now[name] for name in kept if name in now}, **fields})


def _web_acl(aws, physical, edit):
    client = aws("wafv2")
    name, scope_id = physical.split("|")[0], physical.split("|")[1]
    answer = client.get_web_acl(Name=name, Id=scope_id, Scope="CLOUDFRONT")
    acl = answer["WebACL"]
    edited = {
        "DefaultAction": acl["DefaultAction"],
        "Rules": copy.deepcopy(acl["Rules"]),
        "VisibilityConfig": acl["VisibilityConfig"],
    }
    edit(edited)
    client.update_web_acl(Name=name, Id=scope_id, Scope="CLOUDFRONT", LockToken=answer["LockToken"], **edited)


def _mapping(aws, names):
    """The physical id of the queue's event source mapping."""
    return names["WorkerFunctionJobs"]


def _queue_arn(url, region="us-east-1"):
    account, name = url.rstrip("/").split("/")[-2:]
    return f"arn:aws:sqs:{region}:{account}:{name}"


# ------------------------------------------------------------------------------------------------ round 1


@change(
    "The API function's hourly limit of all paid requests was raised to a million in its environment.",
    "Marketing has a launch demo tonight and the demo must not see a 429.",
    "One script can run up tens of thousands of dollars at nine vendors before anybody wakes up.",
    "ApiFunction",
)
def _(aws, names):
    _environment(aws, names["ApiFunction"], GLOBAL_HOURLY_LIMIT="1000000")


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
    _distribution(aws, names["Distribution"], lambda config: config.update(WebACLId=""))


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
        Content={"ZipFile": _zip("python/sitecustomize.py", "import os\nseen = sorted(os.environ)\n")},
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
    aws("lambda").update_event_source_mapping(UUID=_mapping(aws, names), Enabled=False)


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
                "Resource": _queue_arn(url),
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
    _distribution(
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

    _web_acl(aws, names["CdnWebAcl"], edit)


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
    _alarm(aws, names["Api5xxAlarm"], Threshold=500000.0)


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


# ------------------------------------------------------------------------------------------------ round 2


@change(
    "The worker's time-out is thirty seconds instead of fifteen minutes.",
    "The cost explorer blamed long executions.",
    "Slow models are cut off midway; jobs are retried, paid again and end as dead letters.",
    "WorkerFunction",
)
def _(aws, names):
    aws("lambda").update_function_configuration(FunctionName=names["WorkerFunction"], Timeout=30)


@change(
    "The alarm topic's policy lets anybody publish and subscribe.",
    "The chat tool's integration guide had that policy.",
    "Strangers read the alarms and send false ones.",
    "AlarmTopic",
    "AlarmTopicPolicy",
)
def _(aws, names):
    aws("sns").set_topic_attributes(
        TopicArn=names["AlarmTopic"],
        AttributeName="Policy",
        AttributeValue=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "ChatTool",
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["sns:Publish", "sns:Subscribe"],
                        "Resource": names["AlarmTopic"],
                    }
                ],
            }
        ),
    )


@change(
    "The images bucket's policy grants another account reading and listing, and plain HTTP is no longer denied.",
    "The partner wants to fetch images in bulk.",
    "All users' images can be listed and copied by a third party, also unencrypted.",
    "ImagesBucket",
    "ImagesBucketPolicy",
)
def _(aws, names):
    client = aws("s3")
    bucket = names["ImagesBucket"]
    policy = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    policy["Statement"].append(
        {
            "Sid": "Partner",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
    )
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@change(
    "The jobs queue has no dead-letter queue any more.",
    "The alarm of the dead-letter queue kept firing.",
    "A poisonous job is tried again and again for a day, paid each time, then disappears.",
    "JobsQueue",
    "JobsDeadLetterQueue",
)
def _(aws, names):
    aws("sqs").set_queue_attributes(QueueUrl=names["JobsQueue"], Attributes={"RedrivePolicy": ""})


@change(
    "The API role's policy 'api' was replaced by one that allows all of DynamoDB, SQS, logs and Bedrock on *.",
    "To rule out permissions as the cause.",
    "The function that faces the web can delete tables, read every queue and call the dearest models.",
    "ApiFunctionRole",
)
def _(aws, names):
    aws("iam").put_role_policy(
        RoleName=names["ApiFunctionRole"],
        PolicyName="api",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["dynamodb:*", "sqs:*", "logs:*", "xray:*", "bedrock:*"],
                        "Resource": "*",
                    }
                ],
            }
        ),
    )


@change(
    "The page's distribution is disabled.",
    "I meant the old test distribution; the ids look alike.",
    "The page is offline for everybody.",
    "SiteDistribution",
)
def _(aws, names):
    _distribution(aws, names["SiteDistribution"], lambda config: config.update(Enabled=False))


@change(
    "The jobs table was switched from on-demand to one read and one write unit, its index too.",
    "Free tier: 'provisioned is cheaper'.",
    "With the second user the table throttles; requests and workers fail.",
    "JobsTable",
)
def _(aws, names):
    least = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    aws("dynamodb").update_table(
        TableName=names["JobsTable"],
        BillingMode="PROVISIONED",
        ProvisionedThroughput=least,
        GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "gallery", "ProvisionedThroughput": least}}],
    )


@change(
    "The alarm on the age of the queue's oldest job was deleted.",
    "Tidying up alarms without a name that I know.",
    "Nobody learns that the worker stands still.",
    "QueueAgeAlarm",
)
def _(aws, names):
    aws("cloudwatch").delete_alarms(AlarmNames=[names["QueueAgeAlarm"]])


@change(
    "The API function's code was replaced by a stub that answers every request with 200 and nothing.",
    "The health check had to be green for the SLA report.",
    "The application is dead, and looks healthy to the monitors.",
    "ApiFunction",
)
def _(aws, names):
    aws("lambda").update_function_code(
        FunctionName=names["ApiFunction"],
        ZipFile=_zip(
            "pixel_prompt/api.py",
            'def handler(event, context):\n    return {"statusCode": 200, "body": "{}"}\n',
        ),
    )


@change(
    "POST /enhance is answered by a host of somebody else: its route points at a new HTTP proxy integration.",
    "A freelancer offers a better text model; just a test.",
    "Prompts and callers' headers go to a third party, which can answer what it likes.",
    "HttpApi",
)
def _(aws, names):
    client = aws("apigatewayv2")
    api = names["HttpApi"]
    integration = client.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri="https://enhance.freelancer.example/",
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    routes = client.get_routes(ApiId=api)["Items"]
    route = next(one["RouteId"] for one in routes if one["RouteKey"] == "POST /enhance")
    client.update_route(ApiId=api, RouteId=route, Target=f"integrations/{integration}")


@change(
    "The providers' keys were copied in plain text into the worker's environment.",
    "Secrets Manager was slow; with a variable the start is faster.",
    "Whoever may look at the function's configuration reads the vendors' keys, and they outlive a rotation.",
    "WorkerFunction",
    "ProviderKeys",
)
def _(aws, names):
    text = aws("secretsmanager").get_secret_value(SecretId=names["ProviderKeys"])["SecretString"]
    _environment(aws, names["WorkerFunction"], PROVIDER_KEYS=text)


@change(
    "The alarm key's policy names the account alone: CloudWatch and Budgets may not use the key.",
    "An audit tool flags service principals in key policies.",
    "Alarms change their state, but each publication fails with KMS access denied; nobody is told.",
    "AlarmKey",
)
def _(aws, names):
    account = aws("sts").get_caller_identity()["Account"]
    aws("kms").put_key_policy(
        KeyId=names["AlarmKey"],
        PolicyName="default",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AccountAdministersKey",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                        "Action": "kms:*",
                        "Resource": "*",
                    }
                ],
            }
        ),
    )


@change(
    "Each new object in the images bucket now puts an event into the jobs queue.",
    "An idea for thumbnails, tried out on the real bucket.",
    "Every image makes the worker fail on a message that is no job: errors, alarms and a full dead-letter queue.",
    "ImagesBucket",
    "JobsQueue",
    "JobsQueuePolicy",
)
def _(aws, names):
    arn = _queue_arn(names["JobsQueue"])
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    aws("sqs").set_queue_attributes(QueueUrl=names["JobsQueue"], Attributes={"Policy": json.dumps(policy)})
    aws("s3").put_bucket_notification_configuration(
        Bucket=names["ImagesBucket"],
        NotificationConfiguration={
            "QueueConfigurations": [{"Id": "thumbs", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )


@change(
    "The queue hands the worker ten jobs at a time, at most two at once, and a failed one fails all ten.",
    "Fewer invocations, less cost.",
    "Jobs wait for hours behind one another; one bad job repeats (and pays) nine good ones.",
    "WorkerFunctionJobs",
)
def _(aws, names):
    aws("lambda").update_event_source_mapping(
        UUID=_mapping(aws, names),
        BatchSize=10,
        FunctionResponseTypes=[],
        ScalingConfig={"MaximumConcurrency": 2},
    )


@change(
    "The log group of the API's access log was deleted.",
    "Cleaning up log groups; this one had the least familiar name.",
    "Who called what, and from where, is lost for the past and no longer written.",
    "AccessLogGroup",
    "HttpApiApiGatewayDefaultStage",
)
def _(aws, names):
    aws("logs").delete_log_group(logGroupName=names["AccessLogGroup"])


@change(
    "The images' distribution writes no access log any more.",
    "The bucket of logs costs money and nobody reads it.",
    "Abuse and hot-linking cannot be traced.",
    "Distribution",
    "CdnLogsBucket",
)
def _(aws, names):
    _distribution(
        aws,
        names["Distribution"],
        lambda config: config.update(
            Logging={"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
        ),
    )


@change(
    "The page's cache policy keeps everything for at least a year.",
    "To get a better score in the page speed test.",
    "Users are served the old page for a year, whatever is deployed.",
    "SiteCachePolicy",
)
def _(aws, names):
    client = aws("cloudfront")
    answer = client.get_cache_policy_config(Id=names["SiteCachePolicy"])
    config = copy.deepcopy(answer["CachePolicyConfig"])
    config.update(MinTTL=31536000, DefaultTTL=31536000, MaxTTL=31536000)
    client.update_cache_policy(Id=names["SiteCachePolicy"], IfMatch=answer["ETag"], CachePolicyConfig=config)


@change(
    "A rule on top of the web ACL blocks everybody who does not come from two countries.",
    "An attack came from abroad; all of our customers are here, I thought.",
    "Users in every other country see 403 for page and images.",
    "CdnWebAcl",
)
def _(aws, names):
    def edit(acl):
        for rule in acl["Rules"]:
            rule["Priority"] += 1
        acl["Rules"].insert(
            0,
            {
                "Name": "home-only",
                "Priority": 0,
                "Action": {"Block": {}},
                "Statement": {
                    "NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["US", "CA"]}}}
                },
                "VisibilityConfig": {
                    "SampledRequestsEnabled": True,
                    "CloudWatchMetricsEnabled": True,
                    "MetricName": "home-only",
                },
            },
        )

    _web_acl(aws, names["CdnWebAcl"], edit)


@change(
    "The budget's notification of the actual cost at 80 % was deleted.",
    "Two notifications, one of them is enough.",
    "Costs that have already arisen are told to nobody.",
    "MonthlyBudget",
)
def _(aws, names):
    account = aws("sts").get_caller_identity()["Account"]
    aws("budgets").delete_notification(
        AccountId=account,
        BudgetName=names["MonthlyBudget"],
        Notification={
            "NotificationType": "ACTUAL",
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": 80.0,
            "ThresholdType": "PERCENTAGE",
        },
    )


@change(
    "A filter on the inbox's subscription lets no alarm pass.",
    "I only wanted critical ones in there and guessed the attribute's name.",
    "The record of alarms stays empty: drills and reviews find nothing.",
    "AlarmInboxSubscription",
    "AlarmInbox",
)
def _(aws, names):
    aws("sns").set_subscription_attributes(
        SubscriptionArn=names["AlarmInboxSubscription"],
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps({"severity": ["critical"]}),
    )


@change(
    "The alarm topic also delivers to a web hook on a foreign host.",
    "My home automation blinks a lamp when there is an alarm.",
    "Internals of the account (names, numbers, states) are sent to a private machine.",
    "AlarmTopic",
)
def _(aws, names):
    aws("sns").subscribe(
        TopicArn=names["AlarmTopic"], Protocol="https", Endpoint="https://lamp.home-of-bob.example/hook"
    )


@change(
    "The images bucket encrypts new objects with the alarms' KMS key by default.",
    "A finding said 'use a customer managed key', and the account had exactly one.",
    "The worker may not use that key, so no image can be stored; CloudFront could not decrypt one either.",
    "ImagesBucket",
    "AlarmKey",
)
def _(aws, names):
    aws("s3").put_bucket_encryption(
        Bucket=names["ImagesBucket"],
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": names["AlarmKey"],
                    }
                }
            ]
        },
    )


@change(
    "The dead-letter queue triggers the worker too, by a second event source mapping.",
    "So that failed jobs are tried again by themselves.",
    "Failed jobs are tried for two weeks and never raise the alarm; each try costs money.",
    "JobsDeadLetterQueue",
    "WorkerFunction",
    "WorkerFunctionRole",
)
def _(aws, names):
    arn = _queue_arn(names["JobsDeadLetterQueue"])
    aws("iam").put_role_policy(
        RoleName=names["WorkerFunctionRole"],
        PolicyName="dlq",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                        "Resource": arn,
                    }
                ],
            }
        ),
    )
    # Lambda polls no queue whose visibility timeout is shorter than the function's time-out.
    aws("sqs").set_queue_attributes(
        QueueUrl=names["JobsDeadLetterQueue"], Attributes={"VisibilityTimeout": "5400"}
    )
    aws("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=names["WorkerFunction"], BatchSize=1
    )


@change(
    "The images' distribution has a second origin on a foreign host, which answers /images/promo/*.",
    "The agency hosts the campaign's pictures.",
    "A third party serves content under our name, and sees who asks for it.",
    "Distribution",
)
def _(aws, names):
    def edit(config):
        config["Origins"]["Items"].append(
            {
                "Id": "agency",
                "DomainName": "cdn.agency.example",
                "OriginPath": "",
                "CustomHeaders": {"Quantity": 0},
                "CustomOriginConfig": {
                    "HTTPPort": 80,
                    "HTTPSPort": 443,
                    "OriginProtocolPolicy": "http-only",
                    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                },
            }
        )
        config["Origins"]["Quantity"] = len(config["Origins"]["Items"])
        behavior = copy.deepcopy(config["DefaultCacheBehavior"])
        behavior.update(PathPattern="images/promo/*", TargetOriginId="agency")
        config["CacheBehaviors"] = {"Quantity": 1, "Items": [behavior]}

    _distribution(aws, names["Distribution"], edit)


@change(
    "The jobs table's tags were changed: Environment says 'sandbox', Project is gone.",
    "I was testing the tag editor.",
    "Its cost is booked to nobody, and the account's sandbox cleaner takes it for rubbish.",
    "JobsTable",
)
def _(aws, names):
    client = aws("dynamodb")
    arn = client.describe_table(TableName=names["JobsTable"])["Table"]["TableArn"]
    client.untag_resource(ResourceArn=arn, TagKeys=["Project"])
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "Environment", "Value": "sandbox"}])


@change(
    "The worker's role is bounded by ReadOnlyAccess.",
    "A security checklist wants a boundary on each role; this one existed already.",
    "The worker can neither store images nor update jobs: everything fails.",
    "WorkerFunctionRole",
)
def _(aws, names):
    aws("iam").put_role_permissions_boundary(
        RoleName=names["WorkerFunctionRole"], PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )


@change(
    "The default endpoint of the API is disabled.",
    "A best-practice article says that one should; it is about APIs with a domain of their own.",
    "The page's API has no other address: every request fails.",
    "HttpApi",
)
def _(aws, names):
    aws("apigatewayv2").update_api(ApiId=names["HttpApi"], DisableExecuteApiEndpoint=True)


@change(
    "The index behind the gallery was removed from the jobs table.",
    "It doubled the writes' cost.",
    "The gallery answers with errors; users do not find their images again.",
    "JobsTable",
)
def _(aws, names):
    aws("dynamodb").update_table(
        TableName=names["JobsTable"],
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gallery"}}],
    )


@change(
    "The API function hands its jobs to the dead-letter queue: QUEUE_URL in its environment was swapped.",
    "Copied from the console's list of queues; the two names differ in the middle only.",
    "The role may not send there, so every prompt ends in an error; with the right to send no job would be done.",
    "ApiFunction",
    "JobsQueue",
    "JobsDeadLetterQueue",
)
def _(aws, names):
    _environment(aws, names["ApiFunction"], QUEUE_URL=names["JobsDeadLetterQueue"])


@change(
    "An IAM user with an access key of its own may read the provider keys and do anything to images.",
    "A break-glass user for the night shift; the role switch was too slow.",
    "A long-lived key, belonging to nobody, opens the vendors' keys and all of the users' images.",
    "ProviderKeys",
)
def _(aws, names):
    client = aws("iam")
    client.create_user(UserName="night-shift")
    client.put_user_policy(
        UserName="night-shift",
        PolicyName="everything-pixel",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["secretsmanager:*", "s3:*"],
                        "Resource": [
                            names["ProviderKeys"],
                            f"arn:aws:s3:::{names['ImagesBucket']}",
                            f"arn:aws:s3:::{names['ImagesBucket']}/*",
                        ],
                    }
                ],
            }
        ),
    )
    client.create_access_key(UserName="night-shift")
