"""readiness/probes/tls.py"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from readiness.environment import Environment
from readiness.errors import Unverified
from readiness.probes import tls


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file


@pytest.fixture
def serving(certificate):
    """Serves TLS from a given version on, one connection after the other; gives the address."""
    with contextlib.ExitStack() as open_servers:

        def serve(oldest: ssl.TLSVersion) -> str:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what this is about
                context.minimum_version = oldest
            listening = open_servers.enter_context(socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=_greet, args=(listening, context), daemon=True).start()
            return f"127.0.0.1:{listening.getsockname()[1]}"

        yield serve


def _greet(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with (
            connection,
            contextlib.suppress(OSError),
            context.wrap_socket(connection, server_side=True) as secured,
        ):
            secured.recv(1)


@pytest.fixture
def env(env, certificate):
    return Environment(env.settings, env.session, None, str(certificate))


@pytest.mark.parametrize(
    ("oldest", "accepted"),
    [
        ("TLSv1", {"TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"}),
        ("TLSv1_1", {"TLSv1_1", "TLSv1_2", "TLSv1_3"}),
        ("TLSv1_2", {"TLSv1_2", "TLSv1_3"}),
        ("TLSv1_3", {"TLSv1_3"}),
    ],
)
def test_each_version_is_tried_by_itself(env, serving, oldest, accepted):
    address = serving(ssl.TLSVersion[oldest])
    versions = [version for version in ssl.TLSVersion if version.name.startswith("TLS")]

    assert {version.name for version in versions if tls.accepts(env, address, version)} == accepted


@pytest.mark.parametrize("abruptly", [False, True])
def test_hanging_up_at_the_greeting_is_a_refusal(env, abruptly):
    """Not every server says why; Python's versions tell of it in three ways."""

    def hang_up(listening):
        connection, _ = listening.accept()
        connection.recv(4096)
        if abruptly:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=hang_up, args=(listening,), daemon=True).start()
        assert not tls.accepts(env, f"127.0.0.1:{listening.getsockname()[1]}", ssl.TLSVersion.TLSv1)


def test_url_names_the_address_too(env, serving):
    assert tls.accepts(env, f"https://{serving(ssl.TLSVersion.TLSv1_2)}/some/path", ssl.TLSVersion.TLSv1_2)


def test_no_server_is_no_refusal(env):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(Unverified, match="does not answer"):
        tls.accepts(env, f"127.0.0.1:{port}", ssl.TLSVersion.TLSv1)


def test_version_that_this_machine_cannot_speak_is_no_refusal(env, serving):
    with pytest.raises(Unverified, match="cannot speak SSLv3"):
        tls.accepts(env, serving(ssl.TLSVersion.TLSv1_2), ssl.TLSVersion.SSLv3)
