"""readiness/environment.py"""

import io
import json
import socket
from dataclasses import replace
from datetime import timedelta

import boto3
import botocore.exceptions
import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from readiness import environment
from readiness.environment import Environment, Settings
from readiness.errors import Denied, Missing, Unverified, UsageProblem
from tests.answering import Answering
from tests.stand_in import stand_in_for_aws
from verification import application

TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture(scope="module")
def aws():
    """A stand-in for AWS that speaks its protocols on loopback."""
    with stand_in_for_aws() as url:
        # Its first answer imports what it needs, which takes longer than a preflight waits.
        boto3.client(
            "cloudformation", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b"
        ).list_stacks()
        yield url


def reach(endpoint, **settings):
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    chosen = Settings(**{"name": "staging", "stack": "some-stack", "region": "us-east-1", **settings})
    return Environment(chosen, session, endpoint_url=endpoint)


def test_every_declared_environment_is_known():
    assert application.names() == ("local", "dev", "staging", "prod")
    assert application.settings("prod").production
    assert application.settings("prod").read_only
    assert application.production().name == "prod"


def test_an_unknown_environment_names_the_known_ones():
    with pytest.raises(
        UsageProblem, match=r"unknown environment 'stagign'; known from .*: local, dev, staging, prod"
    ):
        application.connect("stagign")


@pytest.mark.parametrize(
    "text", ["[staging", "[staging]\nstack = 's'\n", "[staging]\nstack = 's'\nregion = 'r'\nx = 1\n"]
)
def test_a_malformed_file_is_a_usage_problem(tmp_path, text):
    (tmp_path / "environments.toml").write_text(text)

    with pytest.raises(UsageProblem, match=r"environments\.toml"):
        application.connect("staging", root=tmp_path)


SECTION = """
[{name}]
stack = "some-stack"
region = "us-east-1"
account = "123456789012"
guard = "read-only"
production = true
jobs_a_month = 10
"""


def declared(tmp_path, text, name="prod-eu"):
    file = tmp_path / "environments.toml"
    file.write_text(text, encoding="utf-8")
    return application.settings(name, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"read-only"',
            '"readonly"',
            r"line 6: prod-eu guard: expected 'read-only' or 'none', found 'readonly'; did you mean 'read-only'",
        ),
        ('"read-only"', "false", "guard: expected 'read-only' or 'none', found False"),
        ("guard", "guar", r"unknown key 'guar' .*did you mean 'guard'\?"),
        ("production", "productio", r"unknown key 'productio' .*did you mean 'production'\?"),
        ("true", '"yes"', "production: expected true or false, found 'yes'"),
        ("true", "1", "production: expected true or false, found 1"),
        (
            '"123456789012"',
            "123456789012",
            "account: expected an account's twelve digits in quotes, such as '123456789012', found 123456789012",
        ),
        ('"123456789012"', '"12345"', "account: expected an account's twelve digits in quotes"),
        ('"some-stack"', '""', "stack: expected a stack's name"),
        (
            '"us-east-1"',
            '"virginia"',
            "region: expected a region in quotes, such as 'us-east-1', found 'virginia'",
        ),
        ("= 10", "= -1", "jobs_a_month: expected a whole number that is not negative, found -1"),
        ("= 10", "= true", "jobs_a_month: expected a whole number that is not negative, found true"),
        ("[prod-eu]", "[[prod-eu]]", "prod-eu: expected a table"),
        (
            "production = true\n",
            "",
            "prod-eu: expected production = true or production = false, found neither",
        ),
        (
            "jobs_a_month = 10",
            'cloud = "cloud"',
            "production = true and cloud = 'cloud' contradict each other",
        ),
        ('stack = "some-stack"\n', "", "prod-eu: expected stack there or in samconfig.toml, found neither"),
    ],
)
def test_an_unknown_setting_stops_the_run(tmp_path, old, new, message):
    with pytest.raises(UsageProblem, match=message):
        declared(tmp_path, SECTION.format(name="prod-eu").replace(old, new, 1))


@pytest.mark.parametrize(
    "name", ["prod", "PROD", "prod2", "prod-eu", "eu-prod", "eu_production", "live", "live-2"]
)
def test_an_environment_that_sounds_like_production_has_to_say_whether_it_is(tmp_path, name):
    section = SECTION.format(name=name).replace('"read-only"', '"none"')
    assert declared(tmp_path, section, name).read_only
    assert not declared(tmp_path, section.replace("true", "false"), name).read_only
    with pytest.raises(UsageProblem, match="its name sounds like"):
        declared(tmp_path, section.replace("production = true\n", ""), name)


@pytest.mark.parametrize("name", ["products", "delivery", "reproduction-lab", "alive"])
def test_other_names_need_not_say(tmp_path, name):
    section = SECTION.format(name=name).replace('"read-only"', '"none"').replace("production = true\n", "")
    assert not declared(tmp_path, section, name).read_only


def test_an_environment_that_says_nothing_of_a_guard_is_read_only_unless_an_embedded_aws_serves_it(tmp_path):
    section = '[dev]\nstack = "some-stack"\nregion = "us-east-1"\n'
    assert declared(tmp_path, section, "dev").read_only
    assert not declared(tmp_path, section + 'guard = "none"\n', "dev").read_only
    assert not declared(tmp_path, section + 'cloud = "cloud"\n', "dev").read_only
    assert declared(tmp_path, section + 'cloud = "cloud"\nguard = "read-only"\n', "dev").read_only


@given(st.data())
def test_no_slip_in_the_file_makes_an_environment_less_guarded(tmp_path_factory, data):
    """One letter more, less or other, anywhere: refused, or guarded as before."""
    text = SECTION.format(name="prod-eu").replace('guard = "read-only"\n', "").strip()
    place = data.draw(st.integers(0, len(text)))
    kept = data.draw(st.integers(0, 1))
    letter = data.draw(st.sampled_from([*"abeglorstuy01_- \n#='\"[]"]) | st.just(""))
    slipped = text[:place] + letter + text[place + kept :]
    file = tmp_path_factory.mktemp("slip") / "environments.toml"
    file.write_text(slipped, encoding="utf-8")
    try:
        names = application.names(file.parent)
        found = [application.settings(name, file.parent) for name in names]
    except UsageProblem:
        return
    assert all(each.read_only for each in found), slipped


def test_local_without_its_cloud_says_how_to_start_it(tmp_path):
    (tmp_path / "environments.toml").write_text("[local]\nstack='s'\nregion='us-east-1'\ncloud='cloud'\n")

    with pytest.raises(UsageProblem, match=r"not running; start it: .*deploy --config-env local"):
        application.connect("local", root=tmp_path)


def test_a_cloud_for_what_lives_on_none_is_refused():
    """Whoever names one means an embedded AWS, and would have loaded, or read, the real one."""
    with pytest.raises(UsageProblem, match=r"'staging' does not live on an embedded AWS.*cloud\.sh env"):
        application.connect("staging", cloud="mine")


def test_an_application_can_share_the_clouds_of_another_folder(tmp_path):
    (tmp_path / ".local" / "cloud").mkdir(parents=True)
    (tmp_path / ".local" / "cloud" / "state.json").write_text('{"endpoint": "https://127.0.0.1:1"}')
    (own := tmp_path / "own").mkdir()
    (own / "readiness.toml").write_text('state = "../.local"\n')
    (own / "environments.toml").write_text("[local]\nstack='own'\nregion='us-east-1'\ncloud='cloud'\n")

    found = application.connect("local", root=own)

    assert (found.stack_name, found.endpoint_url) == ("own", "https://127.0.0.1:1")


SAMCONFIG = """
version = 0.1
[default.deploy.parameters]
stack_name = "shop"
region = "eu-west-1"
[staging.global.parameters]
region = "eu-west-1"
[staging.deploy.parameters]
stack_name = "shop-staging"
"""


def test_samconfig_declares_environments_and_the_other_file_says_more(tmp_path):
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG)
    assert application.names(tmp_path) == ("default", "staging")
    assert application.settings("staging", tmp_path).stack == "shop-staging"
    assert application.settings("staging", tmp_path).read_only

    (tmp_path / "environments.toml").write_text('[staging]\nguard = "none"\n')

    staging = application.settings("staging", tmp_path)
    assert (staging.stack, staging.region, staging.read_only) == ("shop-staging", "eu-west-1", False)


def test_an_environment_of_samconfig_that_sounds_like_production_is_taken_for_it(tmp_path):
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG.replace("staging", "prod"))

    assert application.settings("prod", tmp_path).production
    assert application.settings("default", tmp_path).name == "default"


def test_what_an_emulator_on_this_machine_serves_may_be_changed(tmp_path, monkeypatch):
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert not application.settings("staging", tmp_path).read_only


def test_an_environment_without_a_stack_says_where_one_can_stand(tmp_path):
    (tmp_path / "environments.toml").write_text("[staging]\nregion = 'eu-west-1'\n")

    with pytest.raises(
        UsageProblem, match=r"staging: expected stack there or in samconfig\.toml, found neither"
    ):
        application.settings("staging", tmp_path)


def test_an_application_without_environments_says_what_declares_them(tmp_path):
    with pytest.raises(
        UsageProblem, match="no environment is declared: expected a section with stack_name and region"
    ):
        application.names(tmp_path)


def test_local_takes_everything_from_its_cloud(tmp_path):
    (tmp_path / "environments.toml").write_text("[local]\nstack='s'\nregion='us-east-1'\ncloud='cloud'\n")
    (tmp_path / ".readiness" / "other").mkdir(parents=True)
    state = {
        "endpoint": "https://127.0.0.1:1",
        "access_key_id": "a",
        "secret_access_key": "b",
        "ca_bundle": "/ca",
    }
    (tmp_path / ".readiness" / "other" / "state.json").write_text(json.dumps(state))

    found = application.connect("local", cloud="other", root=tmp_path)

    assert (found.endpoint_url, found.ca_bundle, found.emulated) == ("https://127.0.0.1:1", "/ca", True)


def test_only_aws_itself_is_not_emulated(monkeypatch):
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    chosen = application.settings("staging")
    assert not Environment(chosen, session).emulated

    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:4566")

    assert Environment(chosen, session).emulated


def test_no_credentials_is_one_clear_message():
    nobody = Environment(application.settings("staging"), boto3.Session(region_name="us-east-1"))

    with pytest.raises(UsageProblem, match=r"no AWS credentials for 'staging'.*AWS_ENDPOINT_URL"):
        nobody.preflight()


def test_an_endpoint_that_is_down_is_one_clear_message():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        down = reach(f"http://127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(UsageProblem, match="does not answer"):
            down.preflight()


def test_a_slow_network_is_no_wrong_account():
    """The first question was given up after two seconds, and not asked again."""
    slow, asked = reach("http://127.0.0.1:9", account="123456789012"), []
    make = slow.bare_client

    def answer(request, **_):
        asked.append(request.url)
        if len(asked) < 3:
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url)
        whose = b"<Account>123456789012</Account>"
        return answered(
            request,
            b"<GetCallerIdentityResponse><GetCallerIdentityResult>"
            + whose
            + b"</GetCallerIdentityResult></GetCallerIdentityResponse>",
        )

    class Slow(Environment):
        def bare_client(self, *arguments, **settings):
            assert settings["read_timeout"] >= 5
            client = make(*arguments, **settings)
            client.meta.events.register("before-send", answer)
            return client

    Slow(slow.settings, slow.session, endpoint_url=slow.endpoint_url).preflight()

    assert len(asked) == 3


def test_a_client_that_was_idle_is_made_anew():
    """Something on the way may have dropped its connections, and a call that is sent once alone would be lost."""
    here = reach("http://127.0.0.1:9")
    first = here.client("sts")
    assert here.client("sts") is first

    here._asked_for["sts", None, 20, 3] -= environment.IDLE_SECONDS + 1

    assert here.client("sts") is not first
    assert first.meta.config.tcp_keepalive


def test_another_account_is_refused(aws):
    with pytest.raises(
        UsageProblem, match="belongs to account 999999999999, these credentials are for 123456789012"
    ):
        reach(aws, account="999999999999").preflight()


def test_the_right_account_passes(aws):
    reach(aws, account="123456789012").preflight()


def test_a_missing_stack_names_the_next_step(aws):
    with pytest.raises(
        UsageProblem, match=r"no stack 'some-stack' in us-east-1; .*deploy --config-env staging"
    ):
        reach(aws).require_stack()


def test_a_stack_that_stands_still_passes(aws):
    here = reach(aws, stack="standing")
    here.client("cloudformation").create_stack(StackName="standing", TemplateBody=TEMPLATE)

    here.require_stack()


def test_a_denial_names_the_action():
    response = type("Response", (), {"status_code": 403})
    model = boto3.client("s3", region_name="us-east-1").meta.service_model.operation_model("GetBucketPolicy")

    with pytest.raises(Denied, match="denied s3:GetBucketPolicy: not yours"):
        environment._name_refusals(
            response, {"Error": {"Code": "AccessDenied", "Message": "not yours"}}, model
        )


def test_what_does_not_exist_is_a_failure_and_no_doubt(aws):
    with pytest.raises(Missing, match="NoSuchBucket"):
        reach(aws).client("s3").list_objects_v2(Bucket="never-made")


@pytest.mark.parametrize(
    ("service", "ask", "arguments"),
    [
        ("lambda", "get_function_concurrency", {"FunctionName": "f"}),
        ("secretsmanager", "describe_secret", {"SecretId": "s"}),
        ("apigatewayv2", "get_stage", {"ApiId": "a", "StageName": "s"}),
    ],
)
@pytest.mark.parametrize("body", [b"<html>Sign in first</html>", b""])
def test_an_answer_that_is_no_json_says_nothing(aws, service, ask, arguments, body):
    """Botocore would give an empty answer, in which every setting seems to be off."""
    client = reach(aws).client(service)
    client.meta.events.register("before-send", lambda request, **_: answered(request, body))

    with pytest.raises(Unverified, match="something else than JSON; look for a proxy"):
        getattr(client, ask)(**arguments)


def answered(request, body, status=200):
    return AWSResponse(request.url, status, {}, HTTPResponse(io.BytesIO(body), preload_content=False))


@pytest.fixture
def refusing():
    """S3 that asks each call to slow down so many times."""

    def make(here, times):
        left = {"refusals": times}

        def answer(request, **_):
            if not left["refusals"]:
                return answered(request, b"<ListAllMyBucketsResult/>")
            left["refusals"] -= 1
            return answered(request, b"<Error><Code>SlowDown</Code></Error>", 503)

        client = here.client("s3")
        client.meta.events.register("before-send", answer)
        return client

    return make


def test_a_client_that_had_to_try_again_is_given_out_no_more(refusing):
    """Its retries came out of a quota that all later checks would have to share."""
    here = reach("http://127.0.0.1:9")
    worn = refusing(here, 1)

    worn.list_buckets()

    assert here.client("s3") is not worn


def test_a_client_whose_call_failed_for_good_is_given_out_no_more(refusing):
    here = reach("http://127.0.0.1:9")
    worn = refusing(here, 3)
    with pytest.raises(botocore.exceptions.ClientError, match="SlowDown"):
        worn.list_buckets()
    unheard = here.client("s3")
    with pytest.raises(botocore.exceptions.BotoCoreError):
        unheard.list_buckets()

    assert len({id(client) for client in (worn, unheard, here.client("s3"))}) == 3


def test_a_client_that_was_answered_at_once_stays(refusing):
    here = reach("http://127.0.0.1:9")
    client = refusing(here, 0)
    client.list_buckets()

    assert here.client("s3") is client


@pytest.mark.parametrize(
    "status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"]
)
def test_a_stack_in_the_middle_of_an_update_is_not_judged(status):
    moving = reach("http://127.0.0.1:9")
    stack = {"StackName": "some-stack", "StackStatus": status}
    answers = Answering({"cloudformation:DescribeStacks": {"Stacks": [stack]}})
    moving._clients["cloudformation", None, 5, 3] = answers.client("cloudformation")

    with pytest.raises(UsageProblem, match=rf"'some-stack' is {status}; wait until the operation has ended"):
        moving.require_stack()


@pytest.mark.parametrize(
    ("state", "variables", "speed"),
    [
        ({}, {}, None),
        ({"speed": 20.0}, {}, 20.0),
        ({"speed": None}, {"EMBEDDED_AWS_SPEED": "20", "AWS_ENDPOINT_URL": "https://127.0.0.1:1"}, None),
        ({}, {"EMBEDDED_AWS_SPEED": "20", "AWS_ENDPOINT_URL": "https://127.0.0.1:1"}, 20.0),
        ({}, {"EMBEDDED_AWS_SPEED": "", "AWS_ENDPOINT_URL": "https://127.0.0.1:1"}, None),
        ({}, {"EMBEDDED_AWS_SPEED": "20"}, None),
    ],
)
def test_no_clock_but_an_embedded_aws_runs_faster(state, variables, speed):
    """A variable that is left over in a shell must not shorten what a check waits for on real AWS."""
    assert environment._speed(state, variables) == speed


def test_deadlines_follow_the_clock_of_the_answering_server():
    env = reach("http://127.0.0.1:9")
    assert env.patience(timedelta(minutes=1)) == timedelta(minutes=1)
    assert replace(env, speed=20.0).patience(timedelta(minutes=1)) == timedelta(seconds=3)
    assert env.pace == ""
    assert "20 times" in replace(env, speed=20.0).pace
