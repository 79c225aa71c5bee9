"""What Lambda reports of one invocation.

Source: AWS Lambda Developer Guide, "Viewing CloudWatch logs for Lambda functions" (REPORT line, text format) and
"Invoke" of the API reference (LogResult, the last 4 KB of the log in base64).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from readiness.errors import Unverified

_FIELD = re.compile(r"^(?P<name>[A-Z][A-Za-z ]*): (?P<value>\S+)(?: (?P<unit>ms|MB))?$")


@dataclass(frozen=True)
class Invocation:
    """One invocation.

    Attributes:
        request_id: Lambda's own name of it.
        duration: how long the handler took.
        billed: what it is charged as.
        memory_mb: what the function may use.
        peak_memory_mb: what it used.
        init: how long a fresh execution environment took to start, None where there was one already.
        hindered: the most by which it came late because the machine that ran it was busy with something else; known
            of a machine that plays AWS, nothing on AWS.
    """

    request_id: str
    duration: timedelta
    billed: timedelta
    memory_mb: int
    peak_memory_mb: int
    init: timedelta | None = None
    hindered: timedelta = timedelta()

    @property
    def cold(self) -> bool:
        return self.init is not None

    @property
    def start_to_answer(self) -> timedelta:
        """What a caller waits for: the init, if there was one, then the handler."""
        return (self.init or timedelta()) + self.duration

    @classmethod
    def reported_in(cls, log: str) -> Invocation:
        """Return the invocation whose REPORT line is in the end of a log.

        Raises:
            Unverified: there is not exactly one such line, or a figure or its unit is missing from it.
        """
        lines = [line for line in log.splitlines() if line.startswith("REPORT RequestId: ")]
        if len(lines) != 1:
            raise Unverified(
                f"expected one REPORT line in the log of an invocation, found {len(lines)}; "
                "the function's log format has to be Text"
            )
        fields = {}
        for part in lines[0].removeprefix("REPORT ").split("\t"):
            if found := _FIELD.match(part.strip()):
                fields[found["name"], found["unit"]] = found["value"]
        try:
            return cls(
                fields["RequestId", None],
                _ms(fields["Duration", "ms"]),
                _ms(fields["Billed Duration", "ms"]),
                int(fields["Memory Size", "MB"]),
                int(fields["Max Memory Used", "MB"]),
                _ms(fields["Init Duration", "ms"]) if ("Init Duration", "ms") in fields else None,
            )
        except (KeyError, ValueError) as problem:
            raise Unverified(
                f"expected the fields of a REPORT line of Lambda, found {lines[0]!r} ({problem}); report this line as a defect of the suite"
            ) from problem


def _ms(figure: str) -> timedelta:
    return timedelta(milliseconds=float(figure))
