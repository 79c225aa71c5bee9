"""Other contents of files, in the folder and in what was packaged of it, and back again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path


class Folder:
    """An application's folder, some files of which are another text for a while.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before: dict[str, bytes] = {}

    def rewrite(self, texts: Mapping[str, str]) -> None:
        """Give files another text, and all that were rewritten before their own.

        Raises:
            FileNotFoundError: there is no such file.
        """
        for name, content in self._before.items():
            (self._path / name).write_bytes(content)
        self._before = {name: (self._path / name).read_bytes() for name in texts}
        for name, text in texts.items():
            (self._path / name).write_text(text, encoding="utf-8")


def repacked(package: bytes, member: str, text: str) -> bytes | None:
    """A zip in which one member has another text, everything else kept; None where it has no such member."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(package))
    except zipfile.BadZipFile:
        return None
    with archive:
        if member not in archive.namelist():
            return None
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as other:
            for entry in archive.infolist():
                content = text.encode() if entry.filename == member else archive.read(entry)
                other.writestr(entry, content, entry.compress_type)
    return made.getvalue()
