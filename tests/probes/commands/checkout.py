"""A small checkout of an application, for the commands that read one."""

from __future__ import annotations

import os
import subprocess
from textwrap import dedent

from verification.probes.commands import Source


class Checkout:
    """A checkout of an application, made of what a test puts into it."""

    def __init__(self, root):
        self.root = root
        self.source = Source(root)

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            file.write_bytes(text)
        else:
            file.write_text(dedent(text))
        return file

    def tool(self, name, script):
        """A stand-in for an npm tool: a few lines of shell."""
        self.write(f"frontend/node_modules/.bin/{name}", "#!/bin/sh\n" + script).chmod(0o755)

    def git(self, *arguments):
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        identity = (
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "init.defaultBranch=main",
        )
        subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, env=environment, check=True, capture_output=True
        )

    def commit(self, name, text):
        self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-qm", name)
