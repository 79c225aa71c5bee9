"""A stack's outputs, and the frontend's variables that come from them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# What the frontend is built with; each name is read by frontend/src through Vite.
API_ENDPOINT = "ApiEndpoint"
BUCKET_NAME = "S3BucketName"
CDN_DOMAIN = "CloudFrontDomain"
REQUIRED = (API_ENDPOINT, BUCKET_NAME, CDN_DOMAIN)
# Where the page is hosted; needed only to put it there.
SITE_URL = "SiteUrl"
SITE_BUCKET = "SiteBucketName"
SITE_DISTRIBUTION = "SiteDistributionId"
HOSTING = (SITE_URL, SITE_BUCKET, SITE_DISTRIBUTION)

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)


class OutputProblem(Exception):
    """The stack does not tell what the frontend needs to know."""


def checked(stack: str, outputs: Mapping[str, str], *, hosting: bool = False) -> dict[str, str]:
    """The outputs, once each that the frontend needs is there and well-formed; with `hosting`, also its host.

    Raises:
        OutputProblem: names what is missing or malformed, and what there is instead.
    """
    for key in (*REQUIRED, *HOSTING) if hosting else REQUIRED:
        if not outputs.get(key):
            raise OutputProblem(
                f"stack '{stack}' has no output '{key}' (has: {', '.join(outputs) or 'none'}); "
                "declare it in backend/template.yaml"
            )
    for key in (API_ENDPOINT, SITE_URL) if hosting else (API_ENDPOINT,):
        address = urlsplit(outputs[key])
        if (
            address.scheme != "https"
            or not _HOST.fullmatch(address.netloc)
            or address.query
            or address.fragment
        ):
            raise OutputProblem(f"output '{key}' of stack '{stack}' is no https address: {outputs[key]!r}")
    if not _HOST.fullmatch(outputs[CDN_DOMAIN]):
        raise OutputProblem(f"output '{CDN_DOMAIN}' of stack '{stack}' is no domain: {outputs[CDN_DOMAIN]!r}")
    return dict(outputs)


def frontend_variables(environment: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of frontend/.env for this environment."""
    return {
        "VITE_API_ENDPOINT": outputs[API_ENDPOINT].rstrip("/"),
        "VITE_CLOUDFRONT_DOMAIN": outputs[CDN_DOMAIN],
        "VITE_ENVIRONMENT": environment,
    }


def as_json(outputs: Mapping[str, str]) -> str:
    return json.dumps(outputs, indent=2, sort_keys=True)


def as_dotenv(environment: str, outputs: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in frontend_variables(environment, outputs).items())
