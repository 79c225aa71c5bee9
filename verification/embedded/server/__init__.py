"""The server side of the embedded AWS; it runs in MiniStack's own environment, never in the suite's."""

MINISTACK_VERSION = "1.5.33"


class HookMissingError(RuntimeError):
    """MiniStack is not the version that the overlays were written for."""

    def __init__(self, hook: str) -> None:
        super().__init__(
            f"MiniStack has no '{hook}'; the overlays expect MiniStack {MINISTACK_VERSION}. "
            "Run ./scripts/setup.sh, or adapt verification/embedded/server to the new version."
        )


def require(owner: object, *names: str) -> None:
    """Raise HookMissingError unless `owner` (a module or class) has each of `names`.

    Every overlay calls this at import, so that a MiniStack that moved a hook stops the server instead of
    silently serving an AWS without the behaviour.
    """
    for name in names:
        if not hasattr(owner, name):
            raise HookMissingError(f"{getattr(owner, '__name__', owner)}.{name}")
