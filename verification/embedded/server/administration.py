"""The account's administrator, its certificate, and the reset of all state."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import ministack.app
from ministack.core import responses
from ministack.services import acm, iam

from verification.embedded.server import require
from verification.embedded.server.certificates import Certificates
from verification.embedded.server.context import App, Receive, Scope, Send, read_body

require(acm, "_import_certificate")
require(ministack.app, "_handle_admin_reset", "_reset_all_state")
require(responses, "set_request_account_id", "set_request_region")
require(iam, "_create_user", "_put_user_policy", "_access_keys", "_now")

logger = logging.getLogger("embedded.administration")

USER_NAME = "deployer"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
CERTIFICATE_ID = "0f5a1c2e-7b43-4d68-9e10-3c2b8a7d6f54"
RESET_PATHS = ("/_embedded/reset", "/_ministack/reset")


@dataclass(frozen=True)
class Administrator:
    """An IAM user who may do everything; root would do too, but root's secret is unchecked and ignores Deny.

    The account also comes with a certificate in ACM, as one does that has a domain: without one, CloudFront
    does not let a user choose a minimum TLS version.
    """

    account_id: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    certificates: Certificates

    def create(self) -> None:
        """Create the user, its policy and its access key in MiniStack's IAM, and the certificate in its ACM.

        Raises:
            RuntimeError: MiniStack refused a step.
        """
        responses.set_request_account_id(self.account_id)
        responses.set_request_region(self.region)
        _must(iam._create_user({"UserName": USER_NAME}))
        _must(
            iam._put_user_policy(
                {
                    "UserName": USER_NAME,
                    "PolicyName": "everything",
                    "PolicyDocument": json.dumps(POLICY),
                }
            )
        )
        iam._access_keys[self.access_key_id] = {
            "UserName": USER_NAME,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "Status": "Active",
            "CreateDate": iam._now(),
        }
        _must(
            acm._import_certificate(
                {
                    "CertificateArn": f"arn:aws:acm:{self.region}:{self.account_id}:certificate/{CERTIFICATE_ID}",
                    "Certificate": self.certificates.chain.read_text(),
                    "PrivateKey": self.certificates.key.read_text(),
                }
            )
        )


class Reset:
    """ASGI middleware: a reset through either path also empties the overlays and makes the user again."""

    def __init__(self, app: App, administrator: Administrator, also: Sequence[Callable[[], None]]) -> None:
        self._app = app
        self._administrator = administrator
        self._also = also

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a reset; pass everything else on."""
        if scope["type"] != "http" or scope["path"] not in RESET_PATHS or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        await read_body(receive)
        for empty in self._also:
            empty()
        status, headers, body = await ministack.app._handle_admin_reset(RESET_PATHS[1], "POST", {})
        self._administrator.create()
        logger.info("reset: state wiped, user %s made again", USER_NAME)
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": body})


def _must(answer: tuple[int, dict[str, str], bytes]) -> None:
    status, _, body = answer
    if status >= HTTPStatus.BAD_REQUEST:
        raise RuntimeError(
            f"MiniStack refused to set the account up: {status} {body.decode(errors='replace')}"
        )
