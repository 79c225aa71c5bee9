"""WAF: web ACLs and their associations."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members, tag_list


def _web_acl(live: Live) -> Any:
    name, identifier, scope = live.id.split("|")
    answer = live.ask("wafv2", "get_web_acl", Name=name, Id=identifier, Scope=scope)
    return {**(answer.get("WebACL") or {}), "Scope": scope}


def _web_acl_tags(live: Live) -> Any:
    answer = live.ask("wafv2", "list_tags_for_resource", ResourceARN=_web_acl(live).get("ARN", ""))
    return tag_list((answer.get("TagInfoForResource") or {}).get("TagList"))


def _association(live: Live) -> Any:
    arn = live.declared["ResourceArn"]
    found = live.ask("wafv2", "get_web_acl_for_resource", ResourceArn=arn).get("WebACL") or {}
    return {"WebACLArn": found.get("ARN"), "ResourceArn": arn if found else None}


TYPES: dict[str, Type] = {
    "AWS::WAFv2::WebACL": Type(
        {
            **members(_web_acl, "Name", "Description", "Scope", "DefaultAction", "VisibilityConfig", "Rules"),
            "Tags": _web_acl_tags,
        },
        {
            "Arn": member(_web_acl, "ARN"),
            "Id": lambda live: live.id.split("|")[1],
        },
    ),
    "AWS::WAFv2::WebACLAssociation": Type(members(_association, "WebACLArn", "ResourceArn")),
}
