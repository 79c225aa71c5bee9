"""Overlay of AWS::Kinesis::Stream: StreamEncryption, which MiniStack takes no notice of.

Source: CloudFormation Template Reference, "AWS::Kinesis::Stream", StreamEncryption.
"""

from __future__ import annotations

from ministack.services import kinesis

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Properties

require(kinesis, "_streams")

STREAM = "AWS::Kinesis::Stream"


def install() -> None:
    """Lay the overlay over MiniStack."""
    hooks.after(STREAM, settle)


def settle(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Encrypt the stream as the template says."""
    stream = kinesis._streams[physical_id]
    if declared := new.get("StreamEncryption"):
        stream["EncryptionType"], stream["KeyId"] = declared["EncryptionType"], declared["KeyId"]
    elif "StreamEncryption" in old:
        stream["EncryptionType"] = "NONE"
        stream.pop("KeyId", None)
