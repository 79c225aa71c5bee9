"""Faults of the source that a well-kept tool finds."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.fault import Realm, fault


@fault("CODE-06", "a function without types", realm=Realm.SOURCE)
def untyped_function(bench: Bench) -> Iterator[None]:
    text = '"""Halves."""\n\n\ndef half(number):\n    """Half of it."""\n    return number / 2\n'
    with bench.checkout.written("backend/src/pixel_prompt/half.py", text):
        yield


@fault("CODE-06", "a header that may be missing is measured", realm=Realm.SOURCE)
def unchecked_none(bench: Bench) -> Iterator[None]:
    text = (
        '"""Lengths."""\n\nfrom __future__ import annotations\n\n\n'
        "def length(header: str | None) -> int:\n"
        '    """How long a header is."""\n'
        "    return len(header)\n"
    )
    with bench.checkout.written("backend/src/pixel_prompt/length.py", text):
        yield


@fault("CODE-06", "a file that nobody formatted", realm=Realm.SOURCE)
def unformatted_file(bench: Bench) -> Iterator[None]:
    with bench.checkout.written("backend/src/pixel_prompt/loose.py", '"""Loose."""\n\nWORDS = {  "a":1 }\n'):
        yield
