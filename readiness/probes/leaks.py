"""What keys, tokens and credentials look like."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from detect_secrets.core.scan import get_plugins, scan_line
from detect_secrets.settings import transient_settings

# Entropy cannot tell a key from a lock file's hash, nor a variable's name a password from its description;
# these know what keys look like.
_SECRET_PLUGINS = [
    {"name": name}
    for name in (
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "BasicAuthDetector",
        "GitHubTokenDetector",
        "GitLabTokenDetector",
        "JwtTokenDetector",
        "NpmDetector",
        "OpenAIDetector",
        "PrivateKeyDetector",
        "PypiTokenDetector",
        "SendGridDetector",
        "SlackDetector",
        "StripeDetector",
        "TwilioKeyDetector",
    )
]
# The shapes of Stability's, OpenAI's, Google's and Black Forest Labs' keys, which detect-secrets does not know.
_PROVIDER_KEY = re.compile(
    r"\b(?:sk-[A-Za-z0-9]{48}|sk-(?:proj|svcacct|admin)-[\w-]{40,}|AIza[\w-]{35}|bfl_[A-Za-z0-9]{32,})\b"
)
_SECRET_FILTERS = [
    {"path": f"detect_secrets.filters.{name}"}
    for name in (
        "allowlist.is_line_allowlisted",
        "heuristic.is_indirect_reference",
        "heuristic.is_likely_id_string",
        "heuristic.is_lock_file",
        "heuristic.is_not_alphanumeric_string",
        "heuristic.is_potential_uuid",
        "heuristic.is_prefixed_with_dollar_sign",
        "heuristic.is_sequential_string",
        "heuristic.is_swagger_file",
        "heuristic.is_templated_secret",
    )
]


def found_in(lines: Iterable[tuple[str, int, str]]) -> set[tuple[str, int, str]]:
    """File, line number and kind of each secret in lines of text that come with their file and number."""
    with transient_settings({"plugins_used": _SECRET_PLUGINS, "filters_used": _SECRET_FILTERS}):
        # Trying each detector on each line of a history takes minutes; one search rules most lines out.
        suspicious = re.compile(
            "|".join(f"(?:{rule.pattern})" for plugin in get_plugins() for rule in plugin.denylist),
            re.IGNORECASE,
        )

        @cache  # a history holds most lines several times
        def kinds(line: str) -> frozenset[str]:
            found = {secret.type for secret in scan_line(line)} if suspicious.search(line) else set()
            return frozenset(found | {"AI provider key"} if _PROVIDER_KEY.search(line) else found)

        return {(file, number, kind) for file, number, line in lines for kind in kinds(line)}
