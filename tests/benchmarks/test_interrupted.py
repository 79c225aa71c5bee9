"""`scripts/benchmark-lambda.sh`, interrupted at any moment, leaves the function as it was."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import signal
import subprocess
import time

import pytest
import requests

from benchmarks.reference import PREFIX
from tests.benchmarks.conftest import variables
from verification.application import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.further, pytest.mark.xdist_group("benchmarks")]
MOMENTS = 4  # for each signal
LONGEST_SECONDS = 25


def state(bench):
    """Everything about the function that a measurement could have changed, and whatever functions there are."""
    client, name = bench.client("lambda"), bench.physical("ApiFunction")
    function = client.get_function(FunctionName=name)
    code = requests.get(function["Code"]["Location"], timeout=30, verify=bench.env.ca_bundle).content
    return {
        "configuration": client.get_function_configuration(FunctionName=name) | {"ResponseMetadata": None},
        "package": base64.b64encode(hashlib.sha256(code).digest()).decode(),
        "versions": [v["Version"] for v in client.list_versions_by_function(FunctionName=name)["Versions"]],
        "aliases": client.list_aliases(FunctionName=name)["Aliases"],
        "tags": function.get("Tags"),
        "concurrency": client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions"),
        "functions": sorted(f["FunctionName"] for f in client.list_functions()["Functions"]),
    }


def start(bench, *options):
    # In the background a shell ignores SIGINT, and whatever it starts goes on ignoring it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = ["scripts/benchmark-lambda.sh", "local", "--cloud", bench.cloud, "-p", "no:cacheprovider", "-q"]
    return subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def changed_by_now(bench, before):
    """Whether the run has something of its own in the account, so that a signal now finds it at work."""
    return any(name.startswith(PREFIX) for name in state(bench)["functions"]) or (
        state(bench)["versions"] != before["versions"]
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_puts_everything_back(bench, number):
    before, at_work = state(bench), 0
    for moment in range(MOMENTS):
        run = start(bench)
        time.sleep(random.uniform(1, LONGEST_SECONDS))
        at_work += changed_by_now(bench, before)
        os.killpg(run.pid, number)
        output, _ = run.communicate(timeout=60)

        assert run.returncode not in (None, 0), output
        assert state(bench) == before, f"moment {moment}: {output[-2000:]}"
    assert at_work, "no signal found the run at work"


def test_after_a_kill_the_function_is_the_same_and_the_next_run_clears_up(bench):
    before, left = state(bench), 0
    for moment in range(MOMENTS):
        run = start(bench)
        time.sleep(random.uniform(3, LONGEST_SECONDS))
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)
        after = state(bench)
        left += after != before

        same = ("configuration", "package", "aliases", "tags", "concurrency")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}, moment
    assert left, "no kill left anything behind, so that nothing was there to be cleared up"

    run = start(bench, "-k", "test_warm")
    output, _ = run.communicate(timeout=120)

    assert run.returncode == 0, output
    assert state(bench) == before, output[-2000:]
