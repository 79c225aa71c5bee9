from __future__ import annotations

import subprocess
import sys

import pytest

from verification.embedded.server.providers import keys

VENDORS = sorted(keys.SHAPES)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_example_is_well_formed_and_never_the_same(vendor: str) -> None:
    examples = {keys.example(vendor) for _ in range(50)}
    assert len(examples) == 50
    assert all(keys.well_formed(vendor, key) for key in examples)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "key", ["", "x", "dummy", "changeme", "sk-", "AIza", "bfl_", "sk-proj-short", "with space" * 8]
)
def test_what_no_vendor_issues_is_not_well_formed(vendor: str, key: str) -> None:
    assert not keys.well_formed(vendor, key)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_trailing_newline_spoils_a_key(vendor: str) -> None:
    """The usual mistake of a key read from a file."""
    assert not keys.well_formed(vendor, keys.example(vendor) + "\n")


@pytest.mark.parametrize(
    ("vendor", "key"),
    [
        ("openai", "sk-" + "A1" * 24),
        ("openai", "sk-svcacct-" + "a_-" * 20),
        ("bfl", "01234567-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_older_shapes_still_count(vendor: str, key: str) -> None:
    assert keys.well_formed(vendor, key)


def test_the_keys_need_no_cloud() -> None:
    """Deployment code makes keys in an environment without MiniStack."""
    code = (
        "import sys; from verification.embedded.server.providers import keys; keys.example('google');"
        "sys.exit('ministack' in sys.modules or 'hypercorn' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_bedrock_has_no_key() -> None:
    with pytest.raises(KeyError):
        keys.example("bedrock")
