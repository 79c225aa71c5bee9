"""The third round: changes 61 to 90, chosen on 2026-11-29 by somebody who had read the template and the sources, and no check."""

from __future__ import annotations

import copy
import json
import time

from tests.blind.change import Change, into
from tests.blind.edits import ACCOUNT, edit_distribution, edit_web_acl, mapping_of, set_alarm, set_variables

CHANGES: list[Change] = []
change = into(CHANGES)


def _route(aws, api, key):
    """The id of the API's route with this key."""
    routes = aws("apigatewayv2").get_routes(ApiId=api, MaxResults="100")["Items"]
    return next(route["RouteId"] for route in routes if route["RouteKey"] == key)


@change(
    "The worker asks OpenAI for the small sibling of the model that results are labelled with: MODEL_OVERRIDES was set "
    "in its environment alone.",
    "OpenAI's bill is too high, and the small model is nearly as good.",
    "Users are shown images of another, weaker model under the name GPT Image 2, and compare models that were not asked.",
    "WorkerFunction",
)
def _(aws, names):
    set_variables(
        aws,
        names["WorkerFunction"],
        MODEL_OVERRIDES=json.dumps({"gpt-image-2": {"vendor_model": "gpt-image-1-mini"}}),
    )


@change(
    "The counters of all paid requests were written into the table as used up, for this hour and the next 23.",
    "The bill looked scary in the evening, so I closed the tap until tomorrow.",
    "Every user whose address is not on the allow-list gets a 429 for a day.",
    "JobsTable",
)
def _(aws, names):
    hour = int(time.time()) // 3600 * 3600
    aws("dynamodb").batch_write_item(
        RequestItems={
            names["JobsTable"]: [
                {
                    "PutRequest": {
                        "Item": {
                            "pk": {"S": f"limit#global#{time.strftime('%Y-%m-%dT%H', time.gmtime(start))}"},
                            "used": {"N": "1000000000"},
                            "expiresAt": {"N": str(start + 7200)},
                        }
                    }
                }
                for start in range(hour, hour + 24 * 3600, 3600)
            ]
        }
    )


@change(
    "The API function names the page's distribution as the host of the images: CDN_DOMAIN was swapped in its environment.",
    "There are two CloudFront domains in the console, and I thought that ours is the one that users know.",
    "Each image's address answers 200 with the page's HTML, so no image that was paid for is ever seen.",
    "ApiFunction",
    "SiteDistribution",
)
def _(aws, names):
    domain = aws("cloudfront").get_distribution(Id=names["SiteDistribution"])["Distribution"]["DomainName"]
    set_variables(aws, names["ApiFunction"], CDN_DOMAIN=domain)


@change(
    "The worker logs into the log group of the API's access log, which its role may not write to.",
    "All logs in one place are easier to search.",
    "Jobs still work, but not one line of the worker is kept any more, so no failure of it can be explained.",
    "WorkerFunction",
    "WorkerLogGroup",
)
def _(aws, names):
    aws("lambda").update_function_configuration(
        FunctionName=names["WorkerFunction"], LoggingConfig={"LogGroup": names["AccessLogGroup"]}
    )


@change(
    "The trigger between the jobs queue and the worker has a filter that only messages with a high priority pass.",
    "I tried out priorities for paying customers and forgot that no message has one yet.",
    "Lambda drops each job's message silently: nothing is generated, nothing retried, and nothing reaches the dead-letter queue.",
    "WorkerFunctionJobs",
)
def _(aws, names):
    aws("lambda").update_event_source_mapping(
        UUID=mapping_of(aws, names),
        FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"priority": ["high"]}})}]},
    )


@change(
    "The jobs queue delivers each message a quarter of an hour late.",
    "A delay smooths the peaks at our vendors, and 900 was the greatest value that the form took.",
    "Every user waits fifteen minutes for a first image, with no error anywhere.",
    "JobsQueue",
)
def _(aws, names):
    aws("sqs").set_queue_attributes(QueueUrl=names["JobsQueue"], Attributes={"DelaySeconds": "900"})


@change(
    "The policy of the alarms' inbox was removed.",
    "The security scanner complained of a queue policy that names a service and a wildcard.",
    "The topic may no longer deliver to the inbox and plain HTTP is no longer denied, so what the alarms said is lost.",
    "AlarmInbox",
    "AlarmInboxPolicy",
)
def _(aws, names):
    aws("sqs").set_queue_attributes(QueueUrl=names["AlarmInbox"], Attributes={"Policy": ""})


@change(
    "A resource policy on the jobs table lets another account read all of it.",
    "The analytics contractor wants to chart prompts from an account of their own.",
    "Users' prompts, and the addresses in the counters' keys, can be read by strangers.",
    "JobsTable",
)
def _(aws, names):
    client = aws("dynamodb")
    arn = client.describe_table(TableName=names["JobsTable"])["Table"]["TableArn"]
    statement = {
        "Sid": "Analytics",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        "Resource": [arn, f"{arn}/index/*"],
    }
    client.put_resource_policy(
        ResourceArn=arn, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


@change(
    "A record made by hand, dated 2099 and without an image behind it, was put into the table's gallery.",
    "Marketing wanted a pinned announcement on top of the gallery.",
    "Every visitor sees an advertisement with a broken picture first for good, and opening it is a server error.",
    "JobsTable",
)
def _(aws, names):
    job = "7d0c1f52-3f0e-4b7a-9a41-5b8f0c2d6e13"
    moment = "2099-01-01T00:00:00.000Z"
    aws("dynamodb").put_item(
        TableName=names["JobsTable"],
        Item={
            "pk": {"S": f"job#{job}"},
            "jobId": {"S": job},
            "createdAt": {"S": moment},
            "prompt": {"S": "NEW: Pixel Prompt Pro, 50 % off this week!"},
            "previewKey": {"S": f"images/{job}/banner.png"},
            "imageCount": {"N": "1"},
            "galleryKey": {"S": "gallery"},
            "gallerySort": {"S": f"{moment}#{job}"},
        },
    )


@change(
    "Versioning was switched on in the images bucket.",
    "Versions are best practice, and nobody can delete an image by mistake any more.",
    "Expired and deleted images remain as old versions for ever: the promised thirty days do not hold and the bill only grows.",
    "ImagesBucket",
)
def _(aws, names):
    aws("s3").put_bucket_versioning(
        Bucket=names["ImagesBucket"], VersioningConfiguration={"Status": "Enabled"}
    )


@change(
    "The images move to Glacier after one day.",
    "Archived storage costs a fraction, and nobody looks at old images.",
    "From the second day on S3 refuses to hand an image out, so the gallery is full of broken pictures.",
    "ImagesBucket",
)
def _(aws, names):
    client = aws("s3")
    rules = client.get_bucket_lifecycle_configuration(Bucket=names["ImagesBucket"])["Rules"]
    rule = next(rule for rule in rules if rule["ID"] == "expire-images")
    rule["Transitions"] = [{"Days": 1, "StorageClass": "GLACIER"}]
    client.put_bucket_lifecycle_configuration(
        Bucket=names["ImagesBucket"], LifecycleConfiguration={"Rules": rules}
    )


@change(
    "The statement that lets CloudFront list the site bucket was taken out of the bucket's policy.",
    "CloudFront only has to read files, so listing broke least privilege.",
    "The front page works, but every deep link and every reload below it is a 403 instead of the page.",
    "SiteBucket",
    "SiteBucketPolicy",
)
def _(aws, names):
    client = aws("s3")
    policy = json.loads(client.get_bucket_policy(Bucket=names["SiteBucket"])["Policy"])
    policy["Statement"] = [
        statement
        for statement in policy["Statement"]
        if statement.get("Sid") != "DistributionLearnsWhatIsAbsent"
    ]
    client.put_bucket_policy(Bucket=names["SiteBucket"], Policy=json.dumps(policy))


@change(
    "The page's scripts were stored anew with the content type of arbitrary bytes.",
    "I copied the bucket to my disk and back, and the tool did not guess the types.",
    "Browsers refuse to run the scripts, so visitors see an empty page although each file answers 200.",
    "SiteBucket",
    "SiteDistribution",
)
def _(aws, names):
    client, bucket = aws("s3"), names["SiteBucket"]
    for found in client.list_objects_v2(Bucket=bucket).get("Contents", []):
        if found["Key"].endswith((".js", ".mjs")):
            client.copy_object(
                Bucket=bucket,
                Key=found["Key"],
                CopySource={"Bucket": bucket, "Key": found["Key"]},
                MetadataDirective="REPLACE",
                ContentType="binary/octet-stream",
                CacheControl="public, max-age=31536000, immutable",
            )
    aws("cloudfront").create_invalidation(
        DistributionId=names["SiteDistribution"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": f"scripts-{time.time_ns()}",
        },
    )


@change(
    "The images' headers policy names one origin that the page is not served from.",
    "We will move to www next quarter, and I prepared the images for it.",
    "Images are still shown, but downloading one from the page fails in every browser.",
    "ImageHeadersPolicy",
)
def _(aws, names):
    client = aws("cloudfront")
    answer = client.get_response_headers_policy(Id=names["ImageHeadersPolicy"])
    config = copy.deepcopy(answer["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"])
    config["CorsConfig"]["AccessControlAllowOrigins"] = {
        "Quantity": 1,
        "Items": ["https://www.pixel-prompt-next.example"],
    }
    client.update_response_headers_policy(
        Id=names["ImageHeadersPolicy"], IfMatch=answer["ETag"], ResponseHeadersPolicyConfig=config
    )


@change(
    "The images' cache policy takes every query string into the key and forwards it.",
    "Support wanted to refresh a picture by appending ?v=2.",
    "Anybody gets past the cache with a random query string, so each such request is paid for at S3 too.",
    "ImageCachePolicy",
)
def _(aws, names):
    client = aws("cloudfront")
    answer = client.get_cache_policy(Id=names["ImageCachePolicy"])
    config = copy.deepcopy(answer["CachePolicy"]["CachePolicyConfig"])
    config["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"] = {"QueryStringBehavior": "all"}
    client.update_cache_policy(Id=names["ImageCachePolicy"], IfMatch=answer["ETag"], CachePolicyConfig=config)


@change(
    "The images' distribution remembers a 403 or 404 for a whole day.",
    "Scanners ask for files that are not there, and caching the refusals saves requests to S3.",
    "An image that is asked for a moment before it is stored stays missing for a day at that edge.",
    "Distribution",
)
def _(aws, names):
    def edit(config):
        for response in config["CustomErrorResponses"]["Items"]:
            if response["ErrorCode"] in (403, 404):
                response["ErrorCachingMinTTL"] = 86400

    edit_distribution(aws, names["Distribution"], edit)


@change(
    "The page's distribution has no default root object any more.",
    "The page routes for itself, so I thought that the field was left over.",
    "The bare address shows visitors an XML listing of the site bucket instead of the page.",
    "SiteDistribution",
)
def _(aws, names):
    def edit(config):
        config["DefaultRootObject"] = ""

    edit_distribution(aws, names["SiteDistribution"], edit)


@change(
    "The route GET /status/{jobId} asks for requests that are signed with IAM credentials.",
    "A pen tester said that nobody should read other people's jobs without a login.",
    "Jobs are accepted, generated and paid, but the page gets a 403 each time that it asks for the result.",
    "HttpApi",
)
def _(aws, names):
    api = names["HttpApi"]
    aws("apigatewayv2").update_route(
        ApiId=api, RouteId=_route(aws, api, "GET /status/{jobId}"), AuthorizationType="AWS_IAM"
    )


@change(
    "The API's stage lets one request a second pass on POST /generate, for all users together.",
    "Each prompt costs money, and one a second sounded like plenty.",
    "A single tester notices nothing, but users at a busy hour get a 429 that is none of the application's own.",
    "HttpApi",
)
def _(aws, names):
    aws("apigatewayv2").update_stage(
        ApiId=names["HttpApi"],
        StageName="$default",
        RouteSettings={"POST /generate": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1}},
    )


@change(
    "The permission of the API to invoke its function for POST /log was removed.",
    "The function's policy had so many statements that I cleaned up one which nobody could explain.",
    "The page's reports of errors in users' browsers end in a 500, so nobody learns of broken pages any more.",
    "ApiFunction",
    "HttpApi",
)
def _(aws, names):
    client = aws("lambda")
    policy = json.loads(client.get_policy(FunctionName=names["ApiFunction"])["Policy"])
    for statement in policy["Statement"]:
        if "/POST/log" in json.dumps(statement.get("Condition", {})):
            client.remove_permission(FunctionName=names["ApiFunction"], StatementId=statement["Sid"])


@change(
    "The trigger of the jobs queue invokes a published version of the worker instead of its newest code.",
    "I froze the worker for the trade fair, so that no deployment could break it.",
    "Later deployments, fixes and settings of the worker look successful but never reach a single job.",
    "WorkerFunctionJobs",
    "WorkerFunction",
)
def _(aws, names):
    client = aws("lambda")
    published = client.publish_version(FunctionName=names["WorkerFunction"], Description="trade fair freeze")
    client.update_event_source_mapping(
        UUID=mapping_of(aws, names), FunctionName=f"{names['WorkerFunction']}:{published['Version']}"
    )


@change(
    "A version of the worker that nothing invokes keeps a hundred environments of 3 GB warm.",
    "Cold starts looked slow in a trace, and provisioned concurrency is the cure.",
    "It costs thousands of dollars a month, and takes most of the worker's reservation away from the jobs.",
    "WorkerFunction",
)
def _(aws, names):
    client = aws("lambda")
    published = client.publish_version(FunctionName=names["WorkerFunction"], Description="warm")
    client.put_provisioned_concurrency_config(
        FunctionName=names["WorkerFunction"],
        Qualifier=published["Version"],
        ProvisionedConcurrentExecutions=100,
    )


@change(
    "The alarm topic is encrypted with AWS's own key for SNS instead of the alarms' key.",
    "A key of our own costs a dollar a month, and the managed one is free.",
    "The managed key's policy names no service, so CloudWatch and Budgets can no longer publish and every alarm is lost.",
    "AlarmTopic",
)
def _(aws, names):
    aws("sns").set_topic_attributes(
        TopicArn=names["AlarmTopic"], AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )


@change(
    "The alarm on the worker's crashes watches a function that does not exist.",
    "I renamed the dimension to the short name that we use in the wiki.",
    "The alarm is green for ever, whatever the worker does.",
    "WorkerErrorsAlarm",
)
def _(aws, names):
    set_alarm(
        aws,
        names["WorkerErrorsAlarm"],
        Dimensions=[{"Name": "FunctionName", "Value": "pixel-prompt-worker"}],
    )


@change(
    "A metric filter on the access log makes a metric of its own for each request and address.",
    "I wanted a chart in which single requests can be picked out.",
    "Each distinct pair is billed as a custom metric, and callers' addresses are kept in CloudWatch for fifteen months.",
    "AccessLogGroup",
)
def _(aws, names):
    aws("logs").put_metric_filter(
        logGroupName=names["AccessLogGroup"],
        filterName="requests-by-caller",
        filterPattern='{ $.requestId = "*" }',
        metricTransformations=[
            {
                "metricName": "Requests",
                "metricNamespace": "PixelPrompt/Callers",
                "metricValue": "1",
                "dimensions": {"Request": "$.requestId", "Address": "$.sourceIp"},
            }
        ],
    )


@change(
    "A resource policy on the secret denies reading it to everybody but a break-glass role.",
    "The auditor wants proof that developers cannot see the vendors' keys.",
    "The worker is refused as well a few minutes later, and every model of an outside vendor fails.",
    "ProviderKeys",
)
def _(aws, names):
    owner = names["ProviderKeys"].split(":")[4]
    statement = {
        "Sid": "OnlyBreakGlass",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{owner}:role/break-glass"}},
    }
    aws("secretsmanager").put_resource_policy(
        SecretId=names["ProviderKeys"],
        ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


@change(
    "The statement on Bedrock's image models was taken out of the worker role's policy.",
    "We are in us-east-1, so rights in us-west-2 had to be a leftover.",
    "Two of the nine models fail in every job, while the rest looks fine.",
    "WorkerFunctionRole",
)
def _(aws, names):
    client = aws("iam")
    role = names["WorkerFunctionRole"]
    document = client.get_role_policy(RoleName=role, PolicyName="worker")["PolicyDocument"]
    document["Statement"] = [
        statement for statement in document["Statement"] if statement.get("Sid") != "ImageModels"
    ]
    client.put_role_policy(RoleName=role, PolicyName="worker", PolicyDocument=json.dumps(document))


@change(
    "The web ACL takes a hundred requests in five minutes from one address for a flood.",
    "The example in the documentation uses 100, and ours looked far too generous.",
    "Somebody who scrolls through the gallery, or shares an office's address, is blocked from images and page.",
    "CdnWebAcl",
)
def _(aws, names):
    def edit(acl):
        for rule in acl["Rules"]:
            if rule["Name"] == "flood":
                rule["Statement"]["RateBasedStatement"]["Limit"] = 100

    edit_web_acl(aws, names["CdnWebAcl"], edit)


@change(
    "A schedule of somebody's own invokes the worker every minute to check the vendors' keys.",
    "I wanted to see at once when a vendor locks us out.",
    "Vendors see the same look at every model each minute and begin to limit our keys, and the logs fill up.",
    "WorkerFunction",
)
def _(aws, names):
    events, client = aws("events"), aws("lambda")
    rule = events.put_rule(Name="check-keys-often", ScheduleExpression="rate(1 minute)", State="ENABLED")
    client.add_permission(
        FunctionName=names["WorkerFunction"],
        StatementId="check-keys-often",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule["RuleArn"],
    )
    function = client.get_function_configuration(FunctionName=names["WorkerFunction"])["FunctionArn"]
    events.put_targets(
        Rule="check-keys-often",
        Targets=[{"Id": "worker", "Arn": function, "Input": json.dumps({"action": "check-keys"})}],
    )


@change(
    "The rule that expires CloudFront's access logs was removed with the log bucket's whole lifecycle.",
    "Logs are small, and maybe we will need them one day.",
    "Visitors' addresses and what they looked at are kept for ever, longer than users were told.",
    "CdnLogsBucket",
)
def _(aws, names):
    aws("s3").delete_bucket_lifecycle(Bucket=names["CdnLogsBucket"])
