"""What the tools are shown: the live stack's template, its roles' policies, and which resource is whose.

Beside them stands a control, which holds a mistake that a linter that looked cannot miss: cfn-lint and parliament say
nothing at all about what is right, and so would one that did not run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from readiness.aws.role import Role
from readiness.errors import UsageProblem
from verification.stack import Stack

CONTROL = "control"
_CONTROL_TEMPLATE = {
    "Resources": {"Control": {"Type": "AWS::S3::Bucket", "Properties": {"NoSuchProperty": "control"}}}
}
_CONTROL_STATEMENT = {"Effect": "Allow", "Action": "nosuchservice:DoNothing", "Resource": "*"}


@dataclass(frozen=True)
class Scene:
    """Where the tools looked.

    Args:
        environment: its name in environments.toml.
        stack: the CloudFormation stack.
        emulated: whether somebody else than AWS answered.
        resources: physical ids by logical id.
    """

    environment: str
    stack: str
    emulated: bool
    resources: Mapping[str, str]

    @classmethod
    def of(cls, stack: Stack) -> Scene:
        found = stack.formation.resources.values()
        ids = {resource.logical_id: resource.physical_id or "" for resource in found}
        return cls(stack.env.name, stack.env.stack_name, stack.env.emulated, ids)

    @classmethod
    def read(cls, folder: Path) -> Scene:
        """The scene that `written` left in a folder.

        Raises:
            UsageProblem: there is none.
        """
        try:
            return cls(**json.loads((folder / "scene.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as problem:
            raise UsageProblem(
                f"scene.json cannot be read: {problem}; run ./scripts/cross-examine.sh"
            ) from problem

    def resource(self, name: str) -> str | None:
        """The logical id of what an ARN, an address or a name belongs to; None for what is not the stack's."""
        # A bucket's policy bears the bucket's name; the longest name is the nearest.
        matching = [
            (-len(short), logical_id)
            for logical_id, physical_id in self.resources.items()
            if (short := _short(physical_id)) and re.search(rf"(^|[:/]){re.escape(short)}($|[:/])", name)
        ]
        return min(matching)[1] if matching else None


def _short(physical_id: str) -> str:
    """How an ARN ends that means this resource; a log group's name begins with a slash and is kept whole."""
    if physical_id.startswith("/"):
        return physical_id[1:]
    if physical_id.startswith("arn:"):
        return physical_id.split(":", 5)[-1]
    return physical_id.rpartition("/")[2]


def written(stack: Stack, folder: Path) -> Scene:
    """Write the files that the tools read into a folder."""
    scene = Scene.of(stack)
    roles = [
        {"Arn": role.arn, "RolePolicyList": [_policy([dict(one) for one in role.statements])]}
        for resource in stack.formation.resources.values()
        if resource.type == "AWS::IAM::Role" and resource.physical_id
        for role in [Role(stack.env, resource.physical_id)]
    ]
    details = {
        "Policies": [],
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [*roles, {"Arn": CONTROL, "RolePolicyList": [_policy([_CONTROL_STATEMENT])]}],
    }
    documents = {
        "scene.json": asdict(scene),
        "processed.json": stack.formation.template,
        f"{CONTROL}.json": _CONTROL_TEMPLATE,
        "roles.json": details,
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document, indent=2), encoding="utf-8")
    return scene


def _policy(statements: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
