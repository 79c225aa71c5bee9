"""A stand-in for AWS on loopback: one account, stacks that a test puts into any state, a bucket and a distribution
for the page, and over TLS an API and the page itself."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ACCOUNT = "111122223333"


@dataclass
class FakeStack:
    """What DescribeStacks and DescribeStackEvents tell."""

    status: str
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    updated: str = "2030-01-01T00:00:00Z"
    ahead: list[str] = field(default_factory=list)
    retained: tuple[str, ...] = ()
    protected: bool = False


class FakeAws(ThreadingHTTPServer):
    """Answers STS and CloudFormation in their wire form."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _AwsHandler)
        self.stacks: dict[str, FakeStack] = {}
        self.after_deploy: FakeStack | None = None
        self.identity_status = 200
        self.objects: dict[str, bytes] = {}
        self.invalidations = 0
        self.refusing = ""
        self.concurrency = 1000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _AwsHandler(BaseHTTPRequestHandler):
    server: FakeAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path in ("/deployed", "/deleted"):
            self._told(json.loads(body)["stack"])
        elif self.path.startswith("/2020-05-31/distribution/"):
            self._invalidate()
        else:
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            self._asked(asked["Action"], asked.get("StackName", ""))

    def _told(self, stack: str) -> None:
        """What a stub of the SAM CLI did."""
        if self.path == "/deleted":
            del self.server.stacks[stack]
        elif self.server.after_deploy is not None:
            self.server.stacks[stack] = self.server.after_deploy
        self._send(200, "")

    def _asked(self, action: str, stack: str) -> None:
        match action:
            case "GetCallerIdentity" if self.server.identity_status != 200:
                self._error(self.server.identity_status, "ExpiredToken", "The security token is expired")
            case "GetCallerIdentity":
                self._result("GetCallerIdentity", f"<Account>{ACCOUNT}</Account>")
            case "DescribeStacks":
                self._describe(stack)
            case "DescribeStackEvents":
                self._events(stack)
            case "UpdateTerminationProtection" if self.server.refusing == "cloudformation":
                self._error(403, "AccessDenied", "not yours")
            case "UpdateTerminationProtection":
                self.server.stacks[stack].protected = True
                self._result("UpdateTerminationProtection", f"<StackId>arn:{stack}</StackId>")
            case "GetTemplate":
                self._template(stack)
            case "ListStackResources":
                self._resources(stack)
            case other:
                self._error(400, "InvalidAction", other)

    def do_GET(self) -> None:
        """Lambda's GetAccountSettings, the only one of its kind that a deployment asks."""
        quota = self.server.concurrency
        limits = {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": quota}
        self._send(200, json.dumps({"AccountLimit": limits}))

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refusing == "s3":
            self._error(403, "AccessDenied", "not yours")
            return
        self.server.objects[self.path.split("?")[0]] = body
        self._send(200, "")

    def _invalidate(self) -> None:
        if self.server.refusing == "cloudfront":
            self._error(403, "AccessDenied", "not yours")
            return
        self.server.invalidations += 1
        self._send(201, "<Invalidation><Id>I1</Id></Invalidation>")

    def _template(self, name: str) -> None:
        kept = {each: {"DeletionPolicy": "Retain"} for each in self.server.stacks[name].retained}
        text = json.dumps({"Resources": {"Queue": {}, **kept}})
        self._result("GetTemplate", f"<TemplateBody>{escape(text)}</TemplateBody>")

    def _resources(self, name: str) -> None:
        members = _members(
            {"LogicalResourceId": each, "PhysicalResourceId": f"name-of-{each}"}
            for each in ("Queue", *self.server.stacks[name].retained)
        )
        self._result("ListStackResources", f"<StackResourceSummaries>{members}</StackResourceSummaries>")

    def _describe(self, name: str) -> None:
        stack = self.server.stacks.get(name)
        if stack is None:
            self._error(400, "ValidationError", f"Stack with id {name} does not exist")
            return
        if stack.ahead:
            stack.status = stack.ahead.pop(0)
        if stack.status == "DELETE_COMPLETE":
            del self.server.stacks[name]
            self._describe(name)
            return
        outputs = _members({"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items())
        parameters = _members(
            {"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()
        )
        self._result(
            "DescribeStacks",
            f"<Stacks><member><StackName>{name}</StackName><StackId>arn:{name}</StackId>"
            f"<StackStatus>{stack.status}</StackStatus><CreationTime>{stack.updated}</CreationTime>"
            f"<EnableTerminationProtection>{str(stack.protected).lower()}</EnableTerminationProtection>"
            f"<Outputs>{outputs}</Outputs><Parameters>{parameters}</Parameters></member></Stacks>",
        )

    def _events(self, name: str) -> None:
        members = _members(
            {"LogicalResourceId": resource, "ResourceStatus": status, "ResourceStatusReason": reason}
            for resource, status, reason in self.server.stacks[name].events
        )
        self._result("DescribeStackEvents", f"<StackEvents>{members}</StackEvents>")

    def _result(self, action: str, content: str) -> None:
        self._send(200, f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>")

    def _error(self, status: int, code: str, message: str) -> None:
        self._send(
            status,
            f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>",
        )

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def _members(rows: Iterator[dict[str, str]]) -> str:
    return "".join(
        f"<member>{''.join(f'<{tag}>{escape(text)}</{tag}>' for tag, text in row.items())}</member>"
        for row in rows
    )


class FakeApi(ThreadingHTTPServer):
    """The deployed API: answers /health over TLS as the test tells it."""

    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _ApiHandler)
        self.status, self.environment = 200, "dev"
        self.page = b""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"


class _ApiHandler(BaseHTTPRequestHandler):
    server: FakeApi

    def do_GET(self) -> None:
        health = {"status": "ok", "environment": self.server.environment, "path": self.path}
        text = self.server.page if self.path == "/" else json.dumps(health).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(*servers: ThreadingHTTPServer) -> Iterator[None]:
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def write_certificate(path: Path) -> None:
    """A self-signed certificate for 127.0.0.1 with its key, in one file that is its own root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
