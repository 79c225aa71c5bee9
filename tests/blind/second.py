"""The second round: changes 31 to 60, chosen on 2026-11-28 by somebody who had read the template and the sources, and no check."""

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
    set_variables,
    zipped,
)

CHANGES: list[Change] = []
change = into(CHANGES)


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
    edit_distribution(aws, names["SiteDistribution"], lambda config: config.update(Enabled=False))


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
        ZipFile=zipped(
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
    set_variables(aws, names["WorkerFunction"], PROVIDER_KEYS=text)


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
    arn = queue_arn(names["JobsQueue"])
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
        UUID=mapping_of(aws, names),
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
    edit_distribution(
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

    edit_web_acl(aws, names["CdnWebAcl"], edit)


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
    arn = queue_arn(names["JobsDeadLetterQueue"])
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

    edit_distribution(aws, names["Distribution"], edit)


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
    set_variables(aws, names["ApiFunction"], QUEUE_URL=names["JobsDeadLetterQueue"])


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
