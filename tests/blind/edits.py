"""What several changes by hand do alike: edit a configuration that AWS takes as a whole."""

from __future__ import annotations

import copy
import io
import zipfile

ACCOUNT = "999988887777"  # somebody else's, made up


def zipped(name, text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
    return packed.getvalue()


def set_variables(aws, function, **variables):
    client = aws("lambda")
    now = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**now, **variables}}
    )


def edit_distribution(aws, distribution, edit):
    client = aws("cloudfront")
    answer = client.get_distribution_config(Id=distribution)
    config = copy.deepcopy(answer["DistributionConfig"])
    edit(config)
    client.update_distribution(Id=distribution, IfMatch=answer["ETag"], DistributionConfig=config)


def set_alarm(aws, alarm, **fields):
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


def edit_web_acl(aws, physical, edit):
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


def mapping_of(aws, names):
    """The physical id of the queue's event source mapping."""
    return names["WorkerFunctionJobs"]


def queue_arn(url, region="us-east-1"):
    account, name = url.rstrip("/").split("/")[-2:]
    return f"arn:aws:sqs:{region}:{account}:{name}"
