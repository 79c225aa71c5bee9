"""benchmarks/imports.py"""

from __future__ import annotations

import pytest

from benchmarks.imports import Package, read, unpacked
from readiness.aws.function import Function
from readiness.environment import Environment, Settings
from readiness.errors import Unverified

TRACE = """\
import time:       900 |        900 | site
benchmark-import-begins
import time:       100 |        100 |       json.decoder
import time:       200 |        300 |     json
import time:      1500 |       1500 |   botocore.session
import time:      2500 |       4300 | pixel_prompt.api
"""


@pytest.fixture
def package(tmp_path):
    def make(source):
        function = Function(Environment(Settings("staging", "s", "us-east-1"), session=None), "api")
        vars(function)["configuration"] = {"Handler": "shop.api.handler"}
        vars(function)["package"] = {"shop/__init__.py": b"", "shop/api.py": source}
        return unpacked(function, tmp_path)

    return make


def test_time_is_shown_by_package_and_only_of_what_follows_the_mark():
    assert read(TRACE) == {"standard library": pytest.approx(0.3), "botocore": 1.5, "pixel_prompt": 2.5}


def test_a_trace_that_says_nothing_proves_nothing():
    with pytest.raises(Unverified, match="no import"):
        read("import time:       900 |        900 | site\nbenchmark-import-begins\n")


def test_a_package_is_imported_as_lambda_would(package):
    start = package(
        b"import os, time, wave\ntime.sleep(0.05)\n"
        b"if 'AWS_LAMBDA_FUNCTION_NAME' in os.environ:\n    time.sleep(0.3)\n"
    ).start()

    assert start.imports["shop"] > 50
    assert start.imports["standard library"] > 0
    assert 200 < start.preparing < 2000


def test_an_import_that_fails_is_reported(package):
    broken: Package = package(b"import does_not_exist\n")
    with pytest.raises(Unverified, match="does_not_exist"):
        broken.start()
