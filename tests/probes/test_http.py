"""readiness/probes/http.py"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from requests.structures import CaseInsensitiveDict

from readiness.errors import Unverified
from readiness.probes.http import ALLOWANCE, Answer, Connections, exchange
from tests.probes.server import Reply, StubServer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "stub")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def tls_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    stub = StubServer(context)
    yield stub
    stub.close()


def answered(body: bytes, kind: str = "application/json", **headers: str) -> Answer:
    return Answer(
        "GET http://x/", 200, CaseInsensitiveDict({"Content-Type": kind, **headers}), body, timedelta(0)
    )


@pytest.mark.parametrize(("idle", "kept"), [(60.0, 1), (0.0, 0)])
def test_a_connection_that_was_idle_is_not_used_again(server, idle, kept):
    """A NAT may have dropped it; the next request would get no answer, and must not be sent twice."""
    connections = Connections(idle)
    with connections.ready() as session:
        session.get(server.url, timeout=5)

    with connections.ready() as session:
        assert len(session.get_adapter(server.url).poolmanager.pools) == kept


def test_what_is_sent_and_what_comes_back(server, env):
    server.replies(Reply.json({"ok": True}, 201))

    answer = exchange(env, "POST", f"{server.url}/a?b=c", headers={"X-Own": "1"}, body=b"{}")

    assert (answer.status, answer.json(), answer.headers["CONTENT-TYPE"]) == (
        201,
        {"ok": True},
        "application/json",
    )
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["x-own"], asked.body) == ("POST", "/a?b=c", "1", b"{}")


def test_redirects_are_answers_and_not_followed(server, env):
    server.replies(Reply(301, headers={"Location": f"{server.url}/elsewhere"}))

    answer = exchange(env, "GET", f"{server.url}/here")

    assert (answer.status, answer.headers["location"]) == (301, f"{server.url}/elsewhere")
    assert [request.path for request in server.asked] == ["/here"]


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_refusals_and_faults_are_answers_and_not_retried(server, env, status):
    server.replies(Reply(status))

    assert exchange(env, "GET", server.url).status == status
    assert len(server.asked) == 1


def test_elapsed_includes_the_body(server, env):
    server.replies(Reply(body=b"late", pause=0.15))

    assert exchange(env, "GET", server.url).elapsed >= timedelta(seconds=0.15)


def test_no_answer_in_time_is_unverified(server, env):
    server.answer = lambda request: None

    with pytest.raises(Unverified, match=r"GET http://127.0.0.1:\d+/slow: no answer \(ReadTimeout"):
        exchange(env, "GET", f"{server.url}/slow", deadline=timedelta(seconds=0.1))


def test_a_body_that_never_ends_is_unverified(server, env):
    server.replies(Reply(body=b"half", headers={"Content-Length": "100"}))

    with pytest.raises(Unverified, match="no answer"):
        exchange(env, "GET", server.url)


def test_a_refused_connection_is_unverified(env):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"

        with pytest.raises(Unverified, match=r"no answer .*ConnectionError"):
            exchange(env, "GET", url)


def test_an_untrusted_certificate_is_unverified(tls_server, env):
    with pytest.raises(Unverified, match=r"no answer .*SSLError"):
        exchange(env, "GET", tls_server.url)

    assert tls_server.asked == []


def test_the_environment_says_whom_to_trust(tls_server, env, certificate):
    assert exchange(replace(env, ca_bundle=str(certificate)), "GET", tls_server.url).status == 200


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff\xfe\x00"])
def test_an_answer_that_is_not_json_breaks_the_claim(body):
    with pytest.raises(AssertionError, match=r"GET http://x/ -> 200 .*expected JSON"):
        answered(body).json()


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        (b'{"a": 1}', "application/json", 'application/json: {"a": 1}>'),
        (b"hello", "text/plain; charset=utf-8", "text/plain; charset=utf-8: hello>"),
        (b"\x89PNG....", "image/png", "image/png: 8 bytes>"),
        (b"", "application/json", "application/json: 0 bytes>"),
        (b"\xff", "text/html", "text/html: �>"),
    ],
)
def test_a_failed_assertion_shows_the_answer(body, kind, shown):
    assert repr(answered(body, kind)) == f"<GET http://x/ -> 200 {shown}"


def test_an_answer_without_a_type_is_shown_by_its_size():
    answer = Answer("GET http://x/", 204, CaseInsensitiveDict(), b"", timedelta(0))

    assert repr(answer) == "<GET http://x/ -> 204 no content type: 0 bytes>"


def test_a_long_body_is_shown_in_part():
    shown = repr(answered(b'"' + b"a" * 5000 + b'"'))

    assert 300 < len(shown) < 400


def test_no_item_sends_more_than_it_may(server, env):
    ALLOWANCE.renew(2)
    try:
        for _ in range(2):
            exchange(env, "GET", server.url)
        with pytest.raises(Unverified, match="was not sent: the item has sent all that it may"):
            exchange(env, "GET", server.url)
    finally:
        ALLOWANCE.renew(10**9)

    assert len(server.asked) == 2
