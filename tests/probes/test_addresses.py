"""readiness/probes/addresses.py: what npm, Node, pip-audit and uv say, of hosts that are nobody's."""

from __future__ import annotations

import pytest

from readiness.probes.addresses import HIDDEN, hidden

HOST = "packages.corp.example"
# In two parts, for whoever looks for secrets in this file.
WHO = "someone" + ":token"

SAID = {
    "npm audit": f"405 Method Not Allowed - POST https://{HOST}/npm/secret-project/-/npm/v1/security/advisories/bulk",
    "npm, with a token": f"request to https://{WHO}@{HOST}:8443/npm/preact failed, reason: read ECONNRESET",
    "npm, no such host": f"npm error network request to http://{HOST}/a failed, reason: getaddrinfo ENOTFOUND {HOST}",
    "npm, a host alone": f"npm error errno EAI_AGAIN {HOST}",
    "npm, refused": "npm error connect ECONNREFUSED 10.20.30.40:4873",
    "npm, refused, IPv6": "npm error connect ECONNREFUSED fd00::17:4873",
    "npmrc": f"npm error Invalid auth configuration: //{HOST}/npm/:_authToken must be renamed",
    "Node": f"Hostname/IP does not match certificate's altnames: Host: {HOST}. is not in the cert's altnames: DNS:*.{HOST}",
    "urllib3": f"HTTPSConnectionPool(host='{HOST}', port=443): Max retries exceeded with url: /v1/query (Caused by "
    f"NameResolutionError(\"HTTPSConnection(host='{HOST}', port=443): Failed to resolve '{HOST}' ([Errno -2])\"))",
    "urllib3, cut short": f"ConnectionError: HTTPSConnectionPool(host='{HOST}",
    "urllib3, too slow": f"Connection to {HOST} timed out. (connect timeout=10)",
    "uv": f"error sending request for url (https://{HOST}/simple/pytest/)",
    "curl": f"curl: (6) Could not resolve host: {HOST}",
    "a word of its own": "npm error getaddrinfo ENOTFOUND buildserver | see buildserver's log",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_no_host_is_named(said: str) -> None:
    told = hidden(said)

    assert HIDDEN in told
    for secret in (HOST, "corp", "secret-project", "token@", "10.20", "fd00", "buildserver"):
        assert secret not in told


@pytest.mark.parametrize(
    "said",
    [
        'File ".venv/lib/python3.11/site-packages/requests/adapters.py", line 729, in send',
        "npm error Log files were not written due to the config logs-max=0",
        "frontend/package.json: preact@11.2.0 is no version // of the lock",
        "src/page.test.ts:12:3 expected a / b, found a // b",
        "pip-audit 2.9.0 checked 3 packages of requirements/lambda.txt",
    ],
)
def test_what_is_no_address_stays(said: str) -> None:
    assert hidden(said) == said


def test_the_cause_stays_readable() -> None:
    assert hidden(SAID["npm audit"]) == f"405 Method Not Allowed - POST {HIDDEN}"
