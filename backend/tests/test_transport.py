import datetime as dt
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from doubles import FakeClock, FakeWire, json_answer
from pixel_prompt.adapters import transport
from pixel_prompt.adapters.transport import (
    Answer,
    AnswerLost,
    Call,
    Caller,
    Deadline,
    HttpsWire,
    NotSent,
    TooSlow,
    VendorError,
    expect_success,
    retry_after,
)

GET = Call("GET", "https://vendor.example/x")
POST = Call("POST", "https://vendor.example/x", {"Authorization": "Bearer key"}, b"{}")
OK = json_answer({})
BUSY = json_answer({}, 429)
DOWN = json_answer({}, 503)


def run(
    script: list[Answer | Exception], call: Call = POST, seconds: float = 60
) -> tuple[object, FakeWire, FakeClock]:
    wire, clock = FakeWire(list(script)), FakeClock()
    caller = Caller(wire, clock.sleep, lambda low, high: high, lambda: 0.0)
    try:
        outcome: object = caller.call(call, Deadline.after(seconds, clock))
    except VendorError as error:
        outcome = error.code
    return outcome, wire, clock


@pytest.mark.parametrize("status", [200, 400, 401, 404])
def test_an_answer_is_passed_on_at_once(status: int) -> None:
    answer = json_answer({}, status)
    outcome, wire, clock = run([answer])
    assert outcome is answer
    assert (len(wire.calls), clock.slept) == (1, [])


@pytest.mark.parametrize("trouble", [BUSY, DOWN, NotSent()])
def test_what_did_no_work_is_tried_again_with_growing_waits(trouble: Answer | Exception) -> None:
    outcome, _, clock = run([trouble, trouble, OK])
    assert outcome is OK
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("trouble", "code"), [(BUSY, "rate_limited"), (DOWN, "unavailable"), (NotSent(), "unavailable")]
)
def test_three_attempts_are_all(trouble: Answer | Exception, code: str) -> None:
    outcome, wire, _ = run([trouble])
    assert outcome == code
    assert len(wire.calls) == 3


def test_a_request_that_may_have_been_paid_for_is_not_repeated() -> None:
    for trouble, code in ((AnswerLost(), "unavailable"), (TooSlow(), "timeout")):
        outcome, wire, _ = run([trouble, OK])
        assert (outcome, len(wire.calls)) == (code, 1)
    assert run([AnswerLost(), OK], GET)[0] is OK


def test_retry_after_is_honoured_as_far_as_it_is_bearable() -> None:
    outcome, _, clock = run([json_answer({}, 429, {"retry-after": "3"}), OK])
    assert outcome is OK
    assert clock.slept == [3.5]
    outcome, wire, clock = run([json_answer({}, 429, {"retry-after": "3600"}), OK])
    assert (outcome, len(wire.calls), clock.slept) == ("rate_limited", 1, [])


def test_no_attempt_begins_that_cannot_end_in_time() -> None:
    assert run([json_answer({}, 429, {"retry-after": "10"}), OK], seconds=5)[0] == "rate_limited"
    outcome, wire, _ = run([OK], seconds=0)
    assert (outcome, wire.calls) == ("timeout", [])


def test_a_pause_that_would_miss_the_deadline_is_a_timeout() -> None:
    clock = FakeClock()
    caller = Caller(FakeWire([OK]), clock.sleep)
    caller.pause(1, Deadline.after(5, clock))
    with pytest.raises(VendorError) as caught:
        caller.pause(5, Deadline.after(5, clock))
    assert (clock.slept, caught.value.code) == ([1], "timeout")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("soon", None),
        ("-5", None),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:01:00 -0000", 50.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, 10.0) == seconds


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "rejected"),
        (400, "rejected"),
        (401, "unauthorized"),
        (402, "unavailable"),
        (403, "unauthorized"),
        (404, "unavailable"),
        (408, "timeout"),
        (422, "rejected"),
        (500, "unavailable"),
    ],
)
def test_statuses_have_meanings(status: int, code: str) -> None:
    with pytest.raises(VendorError) as caught:
        expect_success(json_answer({}, status))
    assert (caught.value.code, caught.value.status) == (code, status)


def test_success_passes_and_moderation_is_told_from_other_refusals() -> None:
    assert expect_success(OK) is OK
    with pytest.raises(VendorError) as caught:
        expect_success(json_answer({"error": {"code": "CONTENT_POLICY"}}, 400), ("content_policy",))
    assert caught.value.code == "moderated"
    assert "400" in str(caught.value)


def test_calls_and_answers_never_show_what_they_carry() -> None:
    assert "key" not in repr(POST)
    assert "secret" not in repr(Answer(200, b"secret", {"x": "secret"}))


def test_a_body_that_is_no_json_is_an_invalid_response() -> None:
    with pytest.raises(VendorError) as caught:
        Answer(200, b"\x00").json()
    assert caught.value.code == "invalid_response"


class Vendor(BaseHTTPRequestHandler):
    """A vendor with a talent for each kind of trouble."""

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if self.path == "/silent":
            time.sleep(0.6)
            return
        if self.path == "/hangup":
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(307 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/echo")
        if self.path == "/cut":
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
            return
        if self.path == "/drip":
            self.end_headers()
            self.close_connection = True
            for _ in range(8):
                self.wfile.write(b"x" * 70000)
                time.sleep(0.1)
            return
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Agent", self.headers["User-Agent"])
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 (http.server calls it so)

    def log_message(self, *arguments: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A TLS server on loopback: its address and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vendor")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "vendor.pem"
    chain.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", chain
    server.shutdown()
    server.server_close()


@pytest.fixture
def wire(vendor: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsWire]:
    monkeypatch.setenv("SSL_CERT_FILE", str(vendor[1]))
    made = HttpsWire()
    yield made
    made._pool.clear()


def test_a_call_goes_over_tls_and_comes_back_whole(wire: HttpsWire, vendor: tuple[str, Path]) -> None:
    answer = wire.send(Call("POST", f"{vendor[0]}/echo", {}, b"hello"), Deadline.after(5))
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["x-agent"] == "pixel-prompt/1.0"


def test_redirects_are_not_followed(wire: HttpsWire, vendor: tuple[str, Path]) -> None:
    assert wire.send(Call("POST", f"{vendor[0]}/moved", {}, b""), Deadline.after(5)).status == 307


def test_each_kind_of_trouble_has_its_exception(
    wire: HttpsWire, vendor: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(path: str, timeout: float = 5, seconds: float = 5) -> type[BaseException]:
        with pytest.raises((NotSent, AnswerLost)) as caught:
            wire.send(Call("POST", f"{vendor[0]}{path}", {}, b"", timeout), Deadline.after(seconds))
        return caught.type

    assert trouble("/silent", timeout=0.2) is TooSlow
    assert trouble("/hangup") is AnswerLost
    assert trouble("/cut") is AnswerLost
    assert trouble("/drip", seconds=0.25) is TooSlow
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 100_000)
    assert trouble("/drip") is AnswerLost


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "ftp://x/"])
def test_what_cannot_be_reached_over_https_is_not_sent(wire: HttpsWire, url: str) -> None:
    with pytest.raises(NotSent):
        wire.send(Call("GET", url), Deadline.after(5))


def test_an_untrusted_certificate_is_not_talked_to(
    vendor: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(NotSent):
        HttpsWire().send(Call("GET", f"{vendor[0]}/echo"), Deadline.after(5))
