"""A pytest plugin for a run of the checklist: holds every answer that the run reads against botocore's model.

`pytest verification -p tests.embedded.judging` appends what disagrees to the file that `ANSWERS` names, a line each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.model import disagreements

VARIABLE = "ANSWERS"


class Judge:
    """Exchanges that are made as ever, and judged."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def attend(self, client: Any) -> None:
        """Judge every answer to a boto3 client."""

        def begun(model: Any, context: dict[str, Any], **_: Any) -> None:
            context["judged_model"] = model

        def received(response_dict: Any, context: Mapping[str, Any], **_: Any) -> None:
            if response_dict is None:
                return
            model = context["judged_model"]
            body = response_dict["body"]
            told = disagreements(
                model,
                response_dict["status_code"],
                response_dict["headers"],
                body if isinstance(body, bytes) else b"",
            )
            operation = f"{model.service_model.service_name}:{model.name}"
            lines = [json.dumps([operation, text]) for text in ["", *told]]
            with self._file.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))

        client.meta.events.register_first("before-parameter-build", begun)
        client.meta.events.register_first("response-received", received)

    def call(self, kind: str, request: Mapping[str, Any], do: Callable[[], Any]) -> Any:
        """Make the exchange."""
        del kind, request
        return do()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    run: Any = config.pluginmanager.get_plugin("verification-run")
    if run:
        object.__setattr__(run.environment, "exchanges", Judge(Path(os.environ[VARIABLE])))
