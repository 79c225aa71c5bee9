"""verification/embedded/server/switches.py"""

from __future__ import annotations

import requests


def turn(cloud, method, path=""):
    answer = requests.request(
        method, f"{cloud.state.endpoint}/_embedded/switches{path}", verify=cloud.state.ca_bundle, timeout=5
    )
    return answer.status_code, answer.json()


def test_a_switch_is_turned_on_and_off(cloud):
    assert turn(cloud, "GET") == (200, {"on": []})
    assert turn(cloud, "PUT", "/deaf-edges") == (200, {"on": ["deaf-edges"]})
    assert turn(cloud, "DELETE", "/deaf-edges") == (200, {"on": []})


def test_a_switch_that_is_not_there_is_named(cloud):
    status, answer = turn(cloud, "PUT", "/open-windows")

    assert status == 404
    assert "deaf-edges" in answer["error"]
    assert turn(cloud, "POST", "/deaf-edges")[0] == 405
