"""Environments: the account, region, stack and guarded AWS clients that belong to a name.

Only this module chooses credentials and endpoint. The modules above it use AWS APIs and HTTP addresses, and do not
know which server answers.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import boto3
import botocore.exceptions
import botocore.session
from botocore.config import Config

from readiness import names as host_names
from readiness import samconfig, written
from readiness.application import Application, Hints
from readiness.clients import typed
from readiness.errors import EXPIRED, Denied, Expired, Missing, Unverified, UsageProblem
from readiness.exchanges import Direct, Exchanges
from readiness.guard import guard

SPEED = "EMBEDDED_AWS_SPEED"

IDLE_SECONDS: Final = 45.0
"""Longest idle time of a connection. A NAT or a balancer on the path may drop an idle connection silently. Source: 60 s
is the shortest common idle time-out; Elastic Load Balancing User Guide, "Connection idle timeout"."""
_DENIED_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "403",
}
# Source: each service's "Common errors".
_EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException"}
_MISSING_CODES = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NoSuchCachePolicy",
    "NoSuchDistribution",
    "NoSuchKey",
    "NoSuchOriginAccessControl",
    "NoSuchOriginRequestPolicy",
    "NoSuchResponseHeadersPolicy",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "TableNotFoundException",
}
# IAM prefixes that differ from the endpoint prefix botocore knows the service by.
_IAM_PREFIX = {"monitoring": "cloudwatch"}
# Actions that IAM names differently from the operation they allow. Source: Service Authorization Reference.
_IAM_ACTION = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "budgets:DescribeBudget": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "budgets:DescribeSubscribersForNotification": "budgets:ViewBudget",
    "dynamodb:TransactGetItems": "dynamodb:GetItem",
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBucketAnalyticsConfigurations": "s3:GetAnalyticsConfiguration",
    "s3:ListBucketIntelligentTieringConfigurations": "s3:GetIntelligentTieringConfiguration",
    "s3:ListBucketInventoryConfigurations": "s3:GetInventoryConfiguration",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


_SECTION: written.Schema = {
    "type": "object",
    "properties": {
        "stack": {
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9-]{0,127}$",
            "description": "a stack's name in quotes: letters, digits and hyphens",
        },
        "region": {
            "type": "string",
            "pattern": r"^[a-z]{2}(-[a-z]+)+-\d$",
            "description": "a region in quotes, such as 'us-east-1'",
        },
        "account": {
            "type": "string",
            "pattern": r"^\d{12}$",
            "description": "an account's twelve digits in quotes, such as '123456789012'",
        },
        "cloud": {
            "type": "string",
            "pattern": r"^\w[\w.-]*$",
            "description": "an embedded AWS's name in quotes: letters, digits, hyphens and dots",
        },
        "guard": {"enum": ["read-only", "none"]},
        "production": {"type": "boolean"},
        "jobs_a_month": {
            "type": "integer",
            "minimum": 0,
            "description": "a whole number that is not negative",
        },
    },
    "additionalProperties": False,
}
_LOGICAL_ID: written.Schema = {
    "type": "string",
    "pattern": "^[A-Za-z0-9]+$",
    "description": "a logical id of the template in quotes",
}
_SOUNDS_LIKE_PRODUCTION = re.compile(r"(?i)(?:^|[-_])(?:prod|prd|production|live)(?:$|[-_\d])")


@dataclass(frozen=True)
class Settings:
    """One section of environments.toml.

    Args:
        name: the environment's name.
        stack: the name of the CloudFormation stack.
        region: the region of the stack.
        account: the only account that the stack may be in; None for any.
        cloud: the embedded AWS that serves it; None for AWS, or for the server of `AWS_ENDPOINT_URL`.
        guard: `read-only` where the suite may not change anything, the default on AWS.
        production: whether users rely on it. Then it is read-only for the suite, and guarded against mistakes.
        jobs_a_month: the number of jobs for the estimate of cost.
        roles: logical ids of the stack's resources, by the role that each has in the application.
    """

    name: str
    stack: str
    region: str
    account: str | None = None
    cloud: str | None = None
    guard: Literal["read-only", "none"] = "none"
    production: bool = False
    jobs_a_month: int = 1000
    roles: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def read_only(self) -> bool:
        """Whether the suite may only look."""
        return self.production or self.guard != "none"

    @property
    def recorded(self) -> Mapping[str, Any]:
        """The settings that a recording keeps, as JSON types. The account is private and left out."""
        return {name: value for name, value in asdict(self).items() if name != "account"}

    @classmethod
    def of(cls, name: str, section: Mapping[str, Any]) -> Settings:
        """What a section says. One that says nothing of a guard is read-only, unless this machine serves it."""
        here = "cloud" in section or _is_on_loopback(os.environ.get("AWS_ENDPOINT_URL", ""))
        return cls(name=name, **{"guard": "none" if here else "read-only", **section})


def _is_on_loopback(url: str) -> bool:
    """Whether an emulator on this machine answers there, never AWS."""
    return (urlsplit(url).hostname or "").startswith(("127.", "localhost"))


def _schema(roles: Iterable[str]) -> written.Schema:
    """Of environments.toml, for an application whose resources have these roles."""
    named = {
        "type": "object",
        "properties": dict.fromkeys(roles, _LOGICAL_ID),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "additionalProperties": {**_SECTION, "properties": {**_SECTION["properties"], "roles": named}},
        "propertyNames": {
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$",
            "description": "a name of letters, digits, hyphens and underscores",
        },
    }


def _sections(application: Application) -> dict[str, dict[str, Any]]:
    """What samconfig.toml says of each environment, and environments.toml beyond it.

    Raises:
        UsageProblem: one of them is malformed, or an environment leaves open whether users rely on it.
    """
    deployed = samconfig.stacks(application.samconfig)
    file = application.environments
    said = written.load(file, _schema(application.roles)) if file.is_file() else {}
    if not deployed and not said:
        raise UsageProblem(
            f"no environment is declared: expected a section with stack_name and region in {application.samconfig}, or {file}"
        )
    sections = {name: {**deployed.get(name, {}), **said.get(name, {})} for name in {**said, **deployed}}
    for name, section in sections.items():
        if missing := [key for key in ("stack", "region") if key not in section]:
            raise UsageProblem(
                f"{file.name}: {name}: expected {' and '.join(missing)} there or in {application.samconfig.name}, found neither"
            )
        sounds_so = "production" not in section and _SOUNDS_LIKE_PRODUCTION.search(name)
        if sounds_so and name not in said:
            section["production"] = True  # no setting allows changes
        elif sounds_so:
            raise UsageProblem(
                f"{file.name}: {name}: expected production = true or production = false, found neither; its name sounds like "
                "an environment that users rely on, so say whether they do"
            )
        if section.get("production") and "cloud" in section:
            raise UsageProblem(
                f"{file.name}: {name}: production = true and cloud = {section['cloud']!r} contradict each other; "
                "an embedded AWS has no users; remove one of the two"
            )
    return sections


def names(application: Application) -> tuple[str, ...]:
    """Every environment that is declared."""
    return tuple(_sections(application))


def settings(application: Application, name: str) -> Settings:
    """What is declared of one environment.

    Raises:
        UsageProblem: a file is malformed, or declares no such environment.
    """
    sections = _sections(application)
    if name not in sections:
        raise UsageProblem(
            f"unknown environment '{name}'; known from {_declaring(application)}: {', '.join(sections)}. "
            "Use one of them, or add a section"
        )
    return Settings.of(name, sections[name])


def production(application: Application) -> Settings:
    """The first environment that users rely on.

    Raises:
        UsageProblem: none is declared.
    """
    for name, section in _sections(application).items():
        if section.get("production"):
            return Settings.of(name, section)
    raise UsageProblem(
        f"{application.environments.name} declares no environment with production = true; declare which one it is"
    )


def _declaring(application: Application) -> str:
    """The files that declare environments."""
    files = [file.name for file in (application.environments, application.samconfig) if file.is_file()]
    return " and ".join(files)


@dataclass(frozen=True)
class Environment:
    """The stack's location, and access to it.

    Args:
        settings: its section of environments.toml.
        session: the session with the credentials.
        endpoint_url: the address of the server that replaces AWS, None for AWS itself.
        ca_bundle: certificates that are trusted in addition to the usual ones.
        server: the process on this machine that replaces AWS, None for AWS itself.
        speed: the clock's speed of a pessimistic embedded AWS, as a multiple of AWS's; None for others.
        exchanges: passes on, records or replays the suite's requests.
        hints: the commands that messages name as a next step.
        catalogue: whether its application is judged by the catalogue, which reads more of AWS.
    """

    settings: Settings
    session: boto3.Session = field(repr=False)
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    server: int | None = None
    speed: float | None = None
    exchanges: Exchanges = field(default_factory=Direct, repr=False, compare=False)
    hints: Hints = field(default_factory=Hints, repr=False, compare=False)
    catalogue: bool = False
    _clients: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False, compare=False)
    _asked_for: dict[tuple[Any, ...], float] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.settings.name

    def patience(self, deadline: timedelta) -> timedelta:
        """Return how long to wait for what AWS shows late: the deadline, by the server's clock."""
        return deadline / (self.speed or 1)

    @property
    def pace(self) -> str:
        """A description of the server's pace where it is not AWS's usual one, else ''."""
        return (
            ""
            if self.speed is None
            else f"as slow as AWS at its worst, on a clock {self.speed:g} times as fast"
        )

    @property
    def deploy_hint(self) -> str:
        """The command that deploys it."""
        return self.hints.deploy.format(environment=self.name)

    @property
    def stack_name(self) -> str:
        return self.settings.stack

    @property
    def region(self) -> str:
        return self.settings.region

    @property
    def partition(self) -> str:
        """What an ARN begins with after `arn:`, `aws` nearly everywhere."""
        return str(self.session.get_partition_for_region(self.region))

    @cached_property
    def account_id(self) -> str:
        """The twelve digits that STS names for these credentials; asked once, by the preflight."""
        return str(self._patient("sts").get_caller_identity()["Account"])

    @cached_property
    def emulated(self) -> bool:
        """Whether another server replaces AWS for any service, by the addresses that clients use."""
        host = urlsplit(self._patient("sts").meta.endpoint_url).hostname or ""
        redirected = any(name.startswith("AWS_ENDPOINT_URL") and value for name, value in os.environ.items())
        profile = self.session._session.get_scoped_config()  # noqa: SLF001  # boto3 has no way of its own
        redirected = redirected or bool({"endpoint_url", "services"} & profile.keys())
        return redirected or not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))

    @cached_property
    def emulator_url(self) -> str:
        """The address of an emulator that replaces all of AWS, '' for AWS itself."""
        url = self.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
        return url.rstrip("/") if self.emulated else ""

    @property
    def rehearsal(self) -> bool:
        """Whether this environment only ever lives on an embedded AWS, where declared gaps are tolerated."""
        return self.settings.cloud is not None and self.emulated

    @typed
    def client(
        self, service: str, /, region: str | None = None, *, read_timeout: float = 20, attempts: int = 3
    ) -> Any:
        """A guarded boto3 client whose denials name the action. Ask for it each time, and do not keep it.

        In botocore's standard mode a client pays for its retries out of a quota of its own, and gets little of it
        back. One that had to try again, or got no answer, is not given out any more: a check that met many errors
        would leave those after it without retries. Nor is one that has been idle, for its connections may be gone.

        Args:
            service: AWS's name for the service, as boto3 knows it.
            region: where, the environment's own by default.
            read_timeout: seconds that one answer may take.
            attempts: how often a call is tried in all.
        """
        key = (service, region, read_timeout, attempts)
        with self._lock:
            now = time.monotonic()
            if now - self._asked_for.get(key, now) > IDLE_SECONDS:
                self._clients.pop(key, None)
            self._asked_for[key] = now
            if key not in self._clients:
                client = self.bare_client(service, region, read_timeout=read_timeout, attempts=attempts)

                def retire_when_worn(parsed: Mapping[str, Any] | None = None, **_: Any) -> None:
                    if parsed is None or parsed.get("ResponseMetadata", {}).get("RetryAttempts"):
                        self._retire(key, client)

                client.meta.events.register_first("after-call", retire_when_worn)
                client.meta.events.register_first("after-call-error", retire_when_worn)
                client.meta.events.register("after-call", _name_refusals)
                client.meta.events.register("after-call", _refuse_garbage)
                self._clients[key] = client
            return self._clients[key]

    @typed
    def _patient(self, service: str, /) -> Any:
        """For what is asked before any check runs: a slow network is no wrong account, and asking again changes nothing."""
        return self.client(service, read_timeout=5, attempts=3)

    def _retire(self, key: tuple[Any, ...], client: Any) -> None:
        with self._lock:
            if self._clients.get(key) is client:
                del self._clients[key]

    @typed
    def bare_client(
        self,
        service: str,
        /,
        region: str | None = None,
        *,
        read_timeout: float,
        attempts: int,
        endpoint_url: str | None = None,
        **settings: Any,
    ) -> Any:
        """Return a new guarded boto3 client. The caller judges its answers and denials.

        Args:
            service: boto3's name of the service.
            region: the region, by default the environment's.
            read_timeout: seconds that one answer may take.
            attempts: how often a call is tried in total.
            endpoint_url: the server's address, by default the environment's.
            settings: other settings of botocore's Config.
        """
        client = self.session.client(
            service,  # type: ignore[call-overload]
            region_name=region or self.region,
            endpoint_url=endpoint_url or self.endpoint_url,
            verify=self.ca_bundle,
            config=Config(
                connect_timeout=3,
                read_timeout=read_timeout,
                retries={"mode": "standard", "total_max_attempts": attempts},
                tcp_keepalive=True,
                user_agent_extra="stack-readiness",
                **settings,
            ),
        )
        guard(client, self.name, read_only=self.settings.read_only, catalogue=self.catalogue)
        client.meta.events.register("after-call", _name_expiry)
        self.exchanges.attend(client)
        return client

    def preflight(self) -> None:
        """Find out in a few seconds, before any check runs, whether looking is possible at all.

        Raises:
            UsageProblem: no credentials, expired token, unreachable endpoint, wrong account, no such
                stack, or a stack in the middle of an update.
        """
        where = self.endpoint_url or os.environ.get("AWS_ENDPOINT_URL") or f"AWS in {self.region}"
        try:
            account = self.account_id
        except (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.PartialCredentialsError,
        ) as problem:
            raise UsageProblem(
                f"no AWS credentials for '{self.name}': {problem}. Sign in (aws sso login, AWS_PROFILE) "
                f"or rehearse on an emulated AWS: {self.hints.rehearse}"
            ) from problem
        except botocore.exceptions.ProfileNotFound as problem:
            raise UsageProblem(f"{problem}; set AWS_PROFILE to one of your profiles") from problem
        except Expired as problem:
            raise UsageProblem(
                f"the credentials for '{self.name}' were refused (ExpiredToken); sign in again: they are expired"
            ) from problem
        except Denied as problem:
            raise UsageProblem(
                f"the credentials for '{self.name}' may not say whose they are ({problem}); allow {problem.action}"
            ) from problem
        except botocore.exceptions.ClientError as problem:
            code = problem.response["Error"]["Code"]
            raise UsageProblem(
                f"the credentials for '{self.name}' were refused ({code}); sign in again: they are expired or wrong"
            ) from problem
        except botocore.exceptions.BotoCoreError as problem:
            raise UsageProblem(
                f"{where} does not answer ({type(problem).__name__}); check the network and AWS_ENDPOINT_URL, "
                f"or rehearse on an emulated AWS: {self.hints.cloud}"
            ) from problem
        expected = self.settings.account
        if expected and account != expected:
            raise UsageProblem(
                f"'{self.name}' belongs to account {expected}, these credentials are for {account}; switch the profile"
            )

    def require_stack(self) -> None:
        """Make sure that no operation on the stack is in progress, so that all checks see one state of it.

        Raises:
            UsageProblem: no such stack, or an operation is in progress.
        """
        cloudformation = self._patient("cloudformation")
        try:
            stack = cloudformation.describe_stacks(StackName=self.stack_name)["Stacks"][0]
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] != "ValidationError":
                raise UsageProblem(f"stack '{self.stack_name}' cannot be read: {problem}") from problem
            raise UsageProblem(
                f"no stack '{self.stack_name}' in {self.region}; deploy it first: {self.deploy_hint}"
            ) from problem
        except (Unverified, botocore.exceptions.BotoCoreError) as problem:
            raise UsageProblem(f"stack '{self.stack_name}' cannot be read: {problem}") from problem
        if stack["StackStatus"].endswith("_IN_PROGRESS"):
            raise UsageProblem(
                f"stack '{self.stack_name}' is {stack['StackStatus']}; wait until the operation has ended, then run again"
            )


def connect(application: Application, name: str, *, cloud: str | None = None) -> Environment:
    """The environment of that name, with its clients ready but nothing called yet.

    Args:
        application: declares it.
        name: of the environment.
        cloud: the name of the embedded AWS to use instead of the declared one, for environments
            that have one.

    Raises:
        UsageProblem: unknown environment, a cloud for one that lives on none, or its embedded AWS is not running.
    """
    chosen = settings(application, name)
    if cloud is not None and chosen.cloud is None:
        raise UsageProblem(
            f"'{name}' does not live on an embedded AWS, so --cloud means nothing to it; to rehearse it on one: "
            f"{application.hints.rehearse}"
        )
    state = _cloud_state(application, cloud or chosen.cloud, name) if chosen.cloud else {}
    try:
        session = boto3.Session(
            aws_access_key_id=state.get("access_key_id"),
            aws_secret_access_key=state.get("secret_access_key"),
            region_name=chosen.region,
        )
    except botocore.exceptions.BotoCoreError as problem:
        raise UsageProblem(
            f"the AWS configuration cannot be used: {problem}; set or unset AWS_PROFILE"
        ) from problem
    host_names.lead(host_names.written(state, os.environ))
    speed = _speed(state, os.environ)
    return Environment(
        chosen,
        session,
        state.get("endpoint"),
        state.get("ca_bundle") or os.environ.get("AWS_CA_BUNDLE"),
        state.get("pid"),
        speed,
        hints=application.hints,
        catalogue=application.catalogue,
    )


def _speed(state: Mapping[str, Any], variables: Mapping[str, str]) -> float | None:
    """Return the clock's speed from an embedded AWS's state or its shell lines, None for other servers."""
    speed = state.get("speed") if state else variables.get("AWS_ENDPOINT_URL") and variables.get(SPEED)
    return float(speed) if speed else None


def played_back(application: Application, recording: Mapping[str, Any], exchanges: Exchanges) -> Environment:
    """Return the environment of a recorded run, which answers from its recording.

    It does not depend on the environments.toml, the variables or the AWS configuration of the user who replays it.

    Args:
        application: the application to verify.
        recording: the recording, which has the environment's settings, see docs/RECORDINGS.md.
        exchanges: gives the recorded answers.
    """
    chosen = Settings(**recording["settings"])
    isolated = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    core = botocore.session.Session(session_vars=isolated)
    core.set_default_client_config(
        Config(ignore_configured_endpoint_urls=True)  # type: ignore[call-arg]  # the stubs do not know it
    )
    found = Environment(
        chosen,
        boto3.Session("replay", "replay", region_name=chosen.region, botocore_session=core),
        recording["endpoint"] or None,
        speed=recording["speed"],
        exchanges=exchanges,
        hints=application.hints,
        catalogue=application.catalogue,
    )
    emulated = recording["emulated"]
    vars(found).update(emulated=emulated, emulator_url=recording["endpoint"] if emulated else "")
    return found


def nowhere(application: Application) -> Environment:
    """No environment at all: for a run that reads files alone."""
    session = boto3.Session("none", "none", region_name="us-east-1")
    found = Environment(
        Settings("static", application.folder.name, "files alone"), session, hints=application.hints
    )
    vars(found).update(account_id="", emulated=False)
    return found


def _cloud_state(application: Application, cloud: str, name: str) -> Mapping[str, Any]:
    try:
        state: Mapping[str, Any] = json.loads((application.state / cloud / "state.json").read_text())
    except (OSError, ValueError) as problem:
        raise UsageProblem(
            f"'{name}' lives on the embedded AWS, which is not running; start it: {application.hints.cloud}; "
            f"then deploy: {application.hints.deploy.format(environment=name)}"
        ) from problem
    return state


def _name_expiry(parsed: Mapping[str, Any], **_: Any) -> None:
    """Every client's, those too whose caller judges a refusal: an expired token says nothing of what was asked for."""
    code = (parsed.get("Error") or {}).get("Code")
    if code in _EXPIRED_CODES:
        raise Expired(
            f"expected credentials that last as long as the run, found expired ones ({code}); sign in again, for longer if "
            "the role allows it, and run what is left",
            cause=EXPIRED,
        )


def _name_refusals(http_response: Any, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    error = parsed.get("Error") or {}
    if http_response.status_code < HTTPStatus.BAD_REQUEST:
        return
    if error.get("Code") in _DENIED_CODES:
        raise Denied(iam_action(model), error.get("Message", ""))
    if error.get("Code") in _MISSING_CODES:
        prefix = model.service_model.metadata["endpointPrefix"]
        message = error.get("Message", "")
        # The message names what is missing, whichever operation asked for it; S3's names it beside that.
        cause = f"{error['Code']}: {message} {error.get('BucketName', '')}".strip()
        raise Missing(f"{prefix}:{model.name}: {error['Code']}: {message}", cause=cause)


def iam_action(model: Any) -> str:
    """What a policy has to allow for an operation, given as botocore's model of it."""
    metadata = model.service_model.metadata
    endpoint = metadata["endpointPrefix"]
    prefix = _IAM_PREFIX.get(endpoint) or metadata.get("signingName") or endpoint
    # API Gateway's actions are the HTTP methods.
    name = model.http["method"] if prefix == "apigateway" else model.name
    return named_by_iam(f"{prefix}:{name}")


def named_by_iam(operation: str) -> str:
    """The action that allows an operation, which IAM mostly calls by the same name."""
    return _IAM_ACTION.get(operation, operation)


def _refuse_garbage(http_response: Any, model: Any, **_: Any) -> None:
    """Botocore takes a body that is no JSON for an empty answer, and nothing would look like a setting that is off."""
    output = model.output_shape
    if http_response.status_code >= HTTPStatus.MULTIPLE_CHOICES or "json" not in model.service_model.protocol:
        return
    if output is None or "payload" in output.serialization:
        return
    if all("location" in member.serialization for member in output.members.values()):
        return
    try:
        json.loads(http_response.content)
    except ValueError as problem:
        raise Unverified(
            f"{model.service_model.service_name}:{model.name} answered {http_response.status_code} with something else "
            "than JSON; look for a proxy on the way, then run again"
        ) from problem
